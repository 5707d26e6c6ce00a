//! Files and others that do what they should not: a clear line, the right
//! status, no hang, and never a wrong "loaded".

mod machine;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use machine::Machine;
use tempfile::TempDir;

const MODULES: &str = "lib/modules/6.1.0-test";

fn write(root: &TempDir, path: &str, content: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().expect("the test machine can be made"))
        .expect("the test machine can be made");
    fs::write(path, content).expect("the test machine can be made");
}

/// A root with these lines in modules.dep.
fn root(dep: &str) -> TempDir {
    let root = TempDir::new().expect("the test machine can be made");
    write(&root, &format!("{MODULES}/modules.dep"), dep);
    root
}

fn program(root: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xen-modload"));
    command.env_clear().args(["-n", "--root"]).arg(root.path());
    command
}

/// One line on standard error, that status, and no answer.
#[track_caller]
fn assert_refused(output: &Output, line: &str, status: i32) {
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("xen-modload: {line}\n")
    );
    assert!(output.stdout.is_empty());
    assert_eq!(output.status.code(), Some(status));
}

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
            "xen-modload: /etc/modprobe.d/a.conf line 2: {passed} \"options\"\n\
             xen-modload: /etc/modprobe.d/a.conf line 3: {passed} \"install\"\n\
             xen-modload: /etc/modprobe.d/a.conf line 5: {passed} \"blacklist\"\n\
             xen-modload: /proc/cmdline: {passed} \"tun.c=\\0\"\n"
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
            "xen-modload: /etc/modprobe.d/a.conf line 1: passed over, starts with \"{}\"\n",
            "x".repeat(40)
        )
    );
    // A name that long is no module's: the index is damaged.
    let output = program(&root)
        .args(["--strict", "nosuchmodule"])
        .output()
        .unwrap();
    let line = format!("/{MODULES}/modules.dep: line 2 names no module (run depmod 6.1.0-test)");
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
fn a_line_without_end_is_refused() {
    let root = root("kernel/tun.ko:\n");
    let alias = format!("{MODULES}/modules.alias");
    write(&root, &alias, &"x".repeat(40 << 20));
    let output = program(&root).args(["xen-backend:vif"]).output().unwrap();
    let path = root.path().join(alias);
    assert_refused(
        &output,
        &format!("{}: a line without end", path.display()),
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
        "modprobe.d: softdep lines are nested deeper than 200",
        6,
    );
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

#[test]
fn an_index_cut_off_anywhere_gives_the_right_answer_or_none() {
    let dep = "kernel/a.ko:\nkernel/tun.ko: kernel/b.ko kernel/a.ko\nkernel/b.ko: kernel/a.ko\n";
    let expected: String = ["a", "b", "tun"]
        .map(|name| format!("insmod /{MODULES}/kernel/{name}.ko \n"))
        .concat();
    for end in 0..dep.len() {
        let root = root(&dep[..end]);
        write(
            &root,
            &format!("{MODULES}/modules.order"),
            "kernel/tun.ko\n",
        );
        let output = program(&root).args(["--strict", "tun"]).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        match output.status.code() {
            Some(0) => assert_eq!(stdout, expected, "cut at {end}"),
            // Cut off between two lines it is an index, of fewer modules.
            Some(5) => assert!(dep[..end].ends_with(".ko:\n"), "cut at {end}"),
            status => assert_eq!((status, stdout.as_ref()), (Some(6), ""), "cut at {end}"),
        }
    }
}

#[test]
fn who_collides_with_another_run_asks_again_and_comes_to_an_end() {
    let machine = Machine::new("kernel/tun.ko:\n");
    for (errno, words) in [
        (
            "EBUSY",
            "what it drives is taken, or another run failed to load it",
        ),
        ("EEXIST", "the kernel says that it is there, and it is not"),
    ] {
        let inject = format!("finit_module:error={errno}");
        let outcome = machine.run(&[&inject], &["--strict", "tun"]);
        let line = format!("xen-modload: tun: failed: {errno}, {words}\n");
        assert_eq!(
            (outcome.stderr.as_str(), outcome.status),
            (line.as_str(), Some(1))
        );
        assert_eq!(outcome.calls.matches("finit_module(").count(), 4);
    }
    // One that another run takes out is waited for, but not for ever.
    machine.write("proc/modules", b"tun 1 0 - Unloading 0x0\n");
    let begun = Instant::now();
    let outcome = machine.run(&["finit_module:error=EBUSY"], &["--strict", "tun"]);
    assert_eq!(outcome.status, Some(1));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_module_that_goes_while_it_is_unloaded_is_gone() {
    let machine = Machine::new("kernel/tun.ko:\n");
    machine.write("proc/modules", b"tun 1 0 - Live 0x0\n");
    for (answer, stderr, status) in [
        ("error=ENOENT", "", 0),
        ("error=EAGAIN", "xen-modload: unload tun: in use\n", 1),
    ] {
        let inject = format!("delete_module:{answer}");
        let outcome = machine.run(&[&inject], &["--unload", "tun"]);
        assert_eq!(
            (outcome.stderr.as_str(), outcome.status),
            (stderr, Some(status))
        );
    }
}

#[test]
fn modules_that_vanish_meanwhile_are_not_said_to_be_loaded() {
    let machine =
        Machine::new("kernel/tun.ko: kernel/helper.ko\nkernel/helper.ko:\nkernel/loop.ko:\n");
    let folder = machine.root.path().join(&machine.modules);
    fs::remove_file(folder.join("kernel/helper.ko")).unwrap();
    let args = ["--report", "--require", "tun", "tun", "loop"];
    let outcome = machine.run(&["finit_module:retval=0"], &args);
    let place = Path::new("/").join(&machine.modules);
    let what = format!(
        "failed: ENOENT, open {}/kernel/helper.ko: No such file or directory (os error 2) (of helper, which it needs)",
        place.display()
    );
    assert_eq!(outcome.stdout, format!("tun   {what}\nloop  loaded\n"));
    assert_eq!(
        (outcome.stderr, outcome.status),
        (format!("xen-modload: tun: {what}\n"), Some(1))
    );
    // The whole folder, too.
    fs::remove_dir_all(&folder).unwrap();
    let outcome = machine.run(&["finit_module:retval=0"], &["--strict", "tun"]);
    assert_eq!(outcome.status, Some(5));
    assert!(
        outcome.stderr.ends_with("is not there\n"),
        "{}",
        outcome.stderr
    );
}
