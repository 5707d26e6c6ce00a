//! Files of modprobe.d that are not as they should be, and what is made of them.

mod made;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use made::{MODULES, assert_refused, program, root, write};

/// That line and status, and what is shown without the file.
#[track_caller]
fn assert_shown_without(output: &Output, line: &str, status: i32) {
    let shown = format!("insmod /{MODULES}/kernel/tun.ko \n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), shown);
    let output = Output {
        stdout: vec![],
        ..output.clone()
    };
    assert_refused(&output, line, status);
}

#[test]
fn a_file_of_modprobe_d_that_cannot_be_read_is_named() {
    let root = root("kernel/tun.ko:\n");
    write(&root, "etc/modprobe.d/a.conf", "blacklist tun\n");
    let file = root.path().join("etc/modprobe.d/a.conf");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same, unless it lacks these capabilities.
    let unprivileged = || {
        Command::new("unshare")
            .args(["-r", "setpriv"])
            .arg("--bounding-set=-dac_override,-dac_read_search")
            .arg(env!("CARGO_BIN_EXE_xen-modload"))
            .args(["-n", "tun", "--root"])
            .arg(root.path())
            .output()
            .unwrap()
    };
    let output = unprivileged();
    let line = format!("read {}: Permission denied (os error 13)", file.display());
    assert_shown_without(&output, &line, 4);

    // Nor the folder, which is named as its files are.
    let folder = root.path().join("etc/modprobe.d");
    fs::set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
    let output = unprivileged();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let line = format!("read {}: Permission denied (os error 13)", folder.display());
    assert_shown_without(&output, &line, 4);

    fs::remove_file(&file).unwrap();
    symlink("a.conf", &file).unwrap();
    let output = program(&root).arg("tun").output().unwrap();
    let line = format!(
        "{}: Too many levels of symbolic links (os error 40)",
        file.display()
    );
    assert_shown_without(&output, &line, 6);

    // One that would never end.
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    let output = program(&root).arg("tun").output().unwrap();
    let line = format!("{}: a pipe, not a file", file.display());
    assert_shown_without(&output, &line, 6);

    // A module's index that is a folder.
    fs::remove_file(&file).unwrap();
    let index = root.path().join("lib/modules/6.1.0-test/modules.softdep");
    fs::create_dir(&index).unwrap();
    let output = program(&root).arg("tun").output().unwrap();
    let line = format!("{}: Is a directory (os error 21)", index.display());
    assert_shown_without(&output, &line, 6);
    fs::remove_dir(&index).unwrap();
    fs::write(&file, "").unwrap();

    // What leads nowhere hides the file of its name in a later folder.
    fs::remove_file(&file).unwrap();
    symlink("/nowhere", &file).unwrap();
    write(&root, "lib/modprobe.d/a.conf", "blacklist tun\n");
    let output = program(&root).arg("tun").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"insmod "));
}

#[test]
fn a_file_counts_by_its_ending_and_a_hidden_one_never() {
    let root = root("kernel/tun.ko:\n");
    for name in [
        "a.conf",
        "b.alias",
        "c .conf",
        "d.d.conf",
        "-e.conf",
        ".conf",
        ".f.conf",
        "g.CONF",
        "h.conf~",
        "i.conf.bak",
        "alias",
    ] {
        let line = format!("options tun {}=1\n", name.replace([' ', '.'], "_"));
        write(&root, &format!("etc/modprobe.d/{name}"), &line);
    }
    let output = program(&root).arg("tun").output().unwrap();
    let options = "-e_conf=1 a_conf=1 b_alias=1 c__conf=1 d_d_conf=1";
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("insmod /{MODULES}/kernel/tun.ko {options} \n")
    );
}

#[test]
fn a_name_that_only_an_install_line_has_is_taken_by_that_line() {
    let root = root("kernel/xen-blkback.ko:\n");
    write(
        &root,
        "etc/modprobe.d/a.conf",
        "install xen* /bin/false\ninstall xen-foo echo mine\ninstall xen-blkback echo no\n",
    );
    let output = program(&root).arg("xen-foo").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "install echo mine \n"
    );
    assert_eq!(
        (output.stderr.as_slice(), output.status.code()),
        (&b""[..], Some(0))
    );
    // Where there is a file the first line that fits counts, as in modprobe.
    let output = program(&root).arg("xen-blkback").output().unwrap();
    assert!(output.stderr.ends_with(b"xen-blkback: blacklisted\n"));
}

#[test]
fn what_is_no_text_is_passed_over_and_named() {
    let root = root("kernel/tun.ko:\n");
    let place = root.path().join("etc/modprobe.d");
    fs::create_dir_all(&place).unwrap();
    let lines = b"# caf\xe9\noptions tun a=\xff\ninstall tun echo \xff\noptions tun b=\xc3\xa9\n\
        blacklist tun\0x\n";
    fs::write(place.join("a.conf"), lines).unwrap();
    fs::create_dir(root.path().join("proc")).unwrap();
    fs::write(root.path().join("proc/cmdline"), b"tun.c=\xff tun.d=1\n").unwrap();
    let output = program(&root).arg("tun").output().unwrap();
    let passed = "passed over, starts with";
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "xen-modload: {0}/etc/modprobe.d/a.conf line 2: {passed} \"options\"\n\
             xen-modload: {0}/etc/modprobe.d/a.conf line 3: {passed} \"install\"\n\
             xen-modload: {0}/etc/modprobe.d/a.conf line 5: {passed} \"blacklist\"\n\
             xen-modload: {0}/proc/cmdline: {passed} \"tun.c=\\0\"\n",
            root.path().display()
        )
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("insmod /{MODULES}/kernel/tun.ko b=\u{e9} d=1 \n")
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_line_of_a_megabyte_is_a_line() {
    let long = "x".repeat(1 << 20);
    let root = root(&format!(
        "kernel/tun.ko:\nkernel/{long}.ko:\nkernel/loop.ko:\n"
    ));
    write(
        &root,
        "etc/modprobe.d/a.conf",
        &format!("{long}\noptions tun a={long}\nalias {long} tun\noptions loop b=1\n"),
    );
    write(
        &root,
        &format!("{MODULES}/modules.alias"),
        &format!("alias {long} tun\nalias y loop\n"),
    );
    let begun = Instant::now();
    let output = program(&root).args(["tun", "y"]).output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(output.status.code(), Some(0));
    let folder = format!("insmod /{MODULES}/kernel");
    let expected = format!("{folder}/tun.ko a={long} \n{folder}/loop.ko b=1 \n");
    assert!(output.stdout == expected.as_bytes());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "xen-modload: {}/etc/modprobe.d/a.conf line 1: passed over, starts with \"{}\"\n",
            root.path().display(),
            "x".repeat(40)
        )
    );
    // A name that long is no module's: the index is damaged.
    let output = program(&root)
        .args(["--strict", "nosuchmodule"])
        .output()
        .unwrap();
    let line = format!(
        "nosuchmodule: failed: {}/{MODULES}/modules.dep: line 2 names no module (run depmod 6.1.0-test)",
        root.path().display()
    );
    assert_refused(
        &Output {
            stderr: output
                .stderr
                .splitn(2, |byte| *byte == b'\n')
                .nth(1)
                .unwrap()
                .to_vec(),
            ..output
        },
        &line,
        6,
    );
}

#[test]
fn soft_dependencies_without_end_are_refused() {
    let dep: String = (0..400).map(|n| format!("kernel/m{n}.ko:\n")).collect();
    let softdep: String = (0..399)
        .map(|n| format!("softdep m{n} pre: m{}\n", n + 1))
        .collect();
    let root = root(&dep);
    write(&root, "etc/modprobe.d/a.conf", &softdep);
    let output = program(&root).arg("m0").output().unwrap();
    assert_refused(
        &output,
        "m0: failed: modprobe.d: softdep lines are nested deeper than 200",
        6,
    );
    // Nobody else is the worse for it.
    let output = program(&root).args(["m0", "m399"]).output().unwrap();
    let shown = format!("insmod /{MODULES}/kernel/m399.ko \n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), shown);
    assert_eq!(output.status.code(), Some(6));
    // Each wants all others: still each but once.
    let all: String = (0..100).map(|n| format!(" m{n}")).collect();
    let softdep: String = (0..100)
        .map(|n| format!("softdep m{n} pre:{all} post:{all}\n"))
        .collect();
    write(&root, "etc/modprobe.d/a.conf", &softdep);
    let begun = Instant::now();
    let output = program(&root).arg("m0").output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 101);
}
