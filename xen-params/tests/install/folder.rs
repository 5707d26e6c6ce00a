//! What is written into the folder, and what of it is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command as Process;

use crate::{TARGET, copy, install, install_entry, names, write};

#[test]
fn writes_the_link_and_the_line_and_then_nothing_more() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    install(root.path(), &["--dom0-mem", "1G,max:1G"])
        .assert()
        .success()
        .stdout("")
        .stderr("");
    assert_eq!(names(&dir), [".xen-params", "xen-params", "xen.gz"]);
    assert_eq!(
        fs::read_link(dir.join("xen.gz")).unwrap(),
        Path::new(TARGET)
    );
    let line = fs::read_to_string(dir.join("xen-params")).unwrap();
    assert_eq!(line, "dom0_mem=1G,max:1G\n");
    let before = fs::metadata(dir.join("xen-params")).unwrap();
    assert_eq!(before.permissions().mode() & 0o7777, 0o644);

    install(root.path(), &["--dom0-mem", "1G,max:1G", "-v"])
        .assert()
        .success()
        .stdout("")
        .stderr("");
    let after = fs::metadata(dir.join("xen-params")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn the_safe_line_is_a_file_of_its_own() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    let line = ["--safe", "--dom0-mem", "1G,max:1G"];
    install(root.path(), &line).assert().success();
    assert_eq!(
        fs::read_to_string(dir.join("xen-params.safe")).unwrap(),
        "loglvl=all guest_loglvl=all noreboot\n"
    );
    install(root.path(), &line)
        .arg("--verbose")
        .assert()
        .success()
        .stderr("");
    // Not asked for, it stays what it was, and stays ours.
    install(root.path(), &["--dom0-mem", "2G,max:2G"])
        .assert()
        .success();
    install(
        root.path(),
        &["--safe", "--dom0-mem", "2G,max:2G", "font=8x16"],
    )
    .assert()
    .success();
    assert_eq!(
        fs::read_to_string(dir.join("xen-params.safe")).unwrap(),
        "font=8x16 loglvl=all guest_loglvl=all noreboot\n"
    );
}

#[test]
fn a_new_line_replaces_its_own_and_says_what_it_did() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    install(root.path(), &["noreboot"]).assert().success();
    let dir_text = dir.display();
    install(root.path(), &["smt=off", "-v"])
        .assert()
        .success()
        .stderr(format!(
            "xen-params: kept {dir_text}/xen-params as {dir_text}/xen-params.bak\n\
             xen-params: wrote {dir_text}/.xen-params\n\
             xen-params: wrote {dir_text}/xen-params\n"
        ));
    assert_eq!(
        names(&dir),
        [".xen-params", "xen-params", "xen-params.bak", "xen.gz"]
    );
    let kept = fs::read_to_string(dir.join("xen-params.bak")).unwrap();
    assert_eq!(kept, "noreboot\n");

    let boot = root.path().join("boot");
    fs::copy(
        boot.join("xen-4.17-amd64.gz"),
        boot.join("xen-4.20-amd64.gz"),
    )
    .unwrap();
    install(root.path(), &["smt=off"]).assert().success();
    let target = fs::read_link(dir.join("xen.gz")).unwrap();
    assert_eq!(target, Path::new("/boot/xen-4.20-amd64.gz"));
    let target = fs::read_link(dir.join("xen.gz.bak")).unwrap();
    assert_eq!(target, Path::new(TARGET));
    // What is not changed keeps what was kept of it.
    let kept = fs::read_to_string(dir.join("xen-params.bak")).unwrap();
    assert_eq!(kept, "noreboot\n");
}

#[test]
fn what_somebody_changed_stays_unless_forced() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    install(root.path(), &["noreboot"]).assert().success();
    fs::write(dir.join("xen-params"), "by hand\n").unwrap();
    install(root.path(), &["smt=off"])
        .assert()
        .code(6)
        .stderr(format!(
            "xen-params: {}/xen-params: a file, not written by xen-params \
             (replace it with --force)\n",
            dir.display()
        ));
    assert_eq!(
        fs::read_to_string(dir.join("xen-params")).unwrap(),
        "by hand\n"
    );
    install(root.path(), &["smt=off", "--force"])
        .assert()
        .success();
    assert_eq!(
        fs::read_to_string(dir.join("xen-params")).unwrap(),
        "smt=off\n"
    );
    let kept = fs::read_to_string(dir.join("xen-params.bak")).unwrap();
    assert_eq!(kept, "by hand\n");
    install(root.path(), &["smt=on"]).assert().success();
}

#[test]
fn a_dry_run_prints_the_commands_and_changes_nothing() {
    let root = copy("debian");
    let output = install(root.path(), &["-n", "--dom0-mem", "1G,max:1G"])
        .assert()
        .success()
        .stderr("");
    assert!(!root.path().join("srv").exists());
    let script = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert_eq!(script.lines().count(), 4, "{script}");

    // The commands do what the program would.
    let status = Process::new("sh").args(["-ec", &script]).status().unwrap();
    assert!(status.success());
    install(root.path(), &["-n", "--dom0-mem", "1G,max:1G"])
        .assert()
        .success()
        .stdout("");
}

#[test]
fn the_commands_of_a_dry_run_write_through_no_link() {
    let root = copy("debian");
    let efi = ["--boot-entry", "limine", "--dir", "/srv/esp"];
    let names = [
        "system/xen-params",
        "esp/limine.conf",
        "esp/dom0/xen",
        "esp/dom0/xen.efi",
        "esp/dom0/xen.cfg",
    ];
    for name in names {
        let path = root.path().join("srv").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(root.path(), &format!("{name}.theirs"), "theirs\n");
        let target = root.path().join(format!("{name}.theirs"));
        std::os::unix::fs::symlink(target, path).unwrap();
    }
    for mut command in [install(root.path(), &[]), install_entry(root.path(), &efi)] {
        let output = command.args(["-n", "--force", "smt=0"]).assert().success();
        let script = String::from_utf8(output.get_output().stdout.clone()).unwrap();
        let status = Process::new("sh").args(["-ec", &script]).status().unwrap();
        assert!(status.success());
    }
    for name in names {
        let path = root.path().join("srv").join(name);
        let theirs = root.path().join(format!("{name}.theirs"));
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs\n", "{name}");
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{name}");
        let kept = fs::read_link(format!("{}.bak", path.display())).unwrap();
        assert_eq!(kept, theirs);
    }
}

#[test]
fn what_somebody_else_wrote_is_never_lost_from_its_bak() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    write(root.path(), "srv/system/xen-params", "by hand\n");
    install(root.path(), &["smt=0", "--force"])
        .assert()
        .success();
    install(root.path(), &["smt=1"]).assert().success();
    let kept = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(kept("xen-params.bak"), "by hand\n");
    assert_eq!(kept("xen-params.bak.1"), "smt=0\n");
    // What we kept ourselves makes room for what we keep next.
    let boot = root.path().join("boot");
    for release in ["4.20", "4.21"] {
        let newer = boot.join(format!("xen-{release}-amd64.gz"));
        fs::copy(boot.join("xen-4.17-amd64.gz"), newer).unwrap();
        install(root.path(), &["smt=1"]).assert().success();
    }
    install(root.path(), &["smt=0"]).assert().success();
    assert_eq!(
        names(&dir),
        [
            ".xen-params",
            "xen-params",
            "xen-params.bak",
            "xen-params.bak.1",
            "xen.gz",
            "xen.gz.bak"
        ]
    );
    assert_eq!(kept("xen-params.bak.1"), "smt=1\n");
    assert_eq!(
        fs::read_link(dir.join("xen.gz.bak")).unwrap(),
        Path::new("/boot/xen-4.20-amd64.gz")
    );
}
