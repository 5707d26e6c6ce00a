//! `install`, over copies of fake roots; the marker in a namespace of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod machine;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command as Process;

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use machine::copy;
use predicates::str::contains;

const TARGET: &str = "/boot/xen-4.17-amd64.gz";

fn install(root: &Path, arguments: &[&str]) -> Command {
    let mut command = machine::install(root, &["--dir", "/srv/system"]);
    command.args(arguments);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

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
            "xen-params: wrote {dir_text}/.xen-params\nxen-params: wrote {dir_text}/xen-params\n"
        ));
    assert_eq!(names(&dir), [".xen-params", "xen-params", "xen.gz"]);

    let boot = root.path().join("boot");
    fs::copy(
        boot.join("xen-4.17-amd64.gz"),
        boot.join("xen-4.20-amd64.gz"),
    )
    .unwrap();
    install(root.path(), &["smt=off"]).assert().success();
    let target = fs::read_link(dir.join("xen.gz")).unwrap();
    assert_eq!(target, Path::new("/boot/xen-4.20-amd64.gz"));
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
fn refuses_the_folders_that_grub_looks_at() {
    let root = copy("debian");
    for name in ["srv/grub-there/grub", "srv/grub2-there/grub2"] {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink("boot", root.path().join("other-name")).unwrap();
    for dir in [
        "/boot",
        "/boot/",
        "/srv/../boot",
        "/other-name",
        "/srv/grub-there",
        "/srv/grub2-there",
    ] {
        let before = names(&root.path().join("boot"));
        cargo_bin_cmd!("xen-params")
            .env_clear()
            .args([
                "install", "--arch", "x86_64", "--force", "--dir", dir, "--root",
            ])
            .arg(root.path())
            .assert()
            .code(6)
            .stderr(contains("--format grub"));
        assert_eq!(names(&root.path().join("boot")), before);
    }
}

#[test]
fn a_line_with_errors_is_not_installed() {
    let root = copy("debian");
    install(root.path(), &["iomu=1"])
        .assert()
        .code(6)
        .stderr("xen-params: iomu=1: Xen has no such option (did you mean iommu?)\n");
    // Its file's name tells which Xen it is.
    install(root.path(), &["wallclock=efi"])
        .assert()
        .code(6)
        .stderr("xen-params: wallclock=efi: since Xen 4.20, not in 4.17\n");
    install(root.path(), &["--dom0-mem", "lots"])
        .assert()
        .code(2);
    assert!(!root.path().join("srv").exists());
    install(root.path(), &["--force", "iomu=1"])
        .assert()
        .success();
}

#[test]
fn there_must_be_a_hypervisor() {
    let root = copy("no-hypervisor");
    install(root.path(), &[])
        .assert()
        .code(5)
        .stderr(contains("/boot/xen-*.gz: no hypervisor there"));
    install(root.path(), &["--xen-file", "/boot/none.gz"])
        .assert()
        .code(5);
    install(root.path(), &["--xen-file", "/boot/xen-notes.txt"])
        .assert()
        .code(6)
        .stderr(contains("no hypervisor: neither gzip nor ELF nor PE"));
    install(root.path(), &["--xen-file", "/boot"])
        .assert()
        .code(6);
    assert!(!root.path().join("srv").exists());
}

#[test]
fn a_kernel_or_a_ramdisk_is_no_hypervisor() {
    let root = copy("debian");
    let boot = root.path().join("boot");
    let mut kernel = b"MZ".to_vec();
    kernel.resize(0x202, 0);
    kernel.extend(b"HdrS");
    fs::write(boot.join("vmlinuz-7"), kernel).unwrap();
    // Packed, and under a hypervisor's name.
    let packed = "echo 070701 | gzip > xen-7.gz";
    let status = Process::new("sh")
        .args(["-c", packed])
        .current_dir(&boot)
        .status();
    assert!(status.unwrap().success());
    for (name, what) in [
        ("vmlinuz-7", "a Linux kernel"),
        ("xen-7.gz", "an initial ramdisk"),
    ] {
        install(root.path(), &["--xen-file", &format!("/boot/{name}")])
            .assert()
            .code(6)
            .stderr(format!(
                "xen-params: {}: no hypervisor: {what}\n",
                boot.join(name).display()
            ));
    }
    assert!(!root.path().join("srv").exists());
}

#[test]
fn nothing_is_written_outside_the_root() {
    let outer = tempfile::tempdir().unwrap();
    let inner = copy("debian");
    let root = outer.path().join("a/root");
    fs::create_dir(outer.path().join("a")).unwrap();
    fs::rename(inner.path(), &root).unwrap();
    std::os::unix::fs::symlink(outer.path(), root.join("way-out")).unwrap();
    for dir in ["../../outside", "/srv/../../x", "/way-out/x", "way-out"] {
        cargo_bin_cmd!("xen-params")
            .env_clear()
            .args(["install", "--arch", "x86_64", "--dir", dir, "--root"])
            .arg(&root)
            .assert()
            .code(2)
            .stderr(format!(
                "xen-params: --dir {dir}: leads out of --root (see --help)\n"
            ));
    }
    assert_eq!(names(outer.path()), ["a"]);
    assert_eq!(names(&outer.path().join("a")), ["root"]);
    install(&root, &["--xen-file", "../xen.gz"])
        .assert()
        .code(2);
    install(&root, &[]).assert().success();
}

#[test]
fn a_name_that_is_a_folder_or_a_folder_that_is_a_file_is_refused() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    fs::create_dir_all(dir.join("xen.gz")).unwrap();
    install(root.path(), &["--force"]).assert().code(6);
    assert_eq!(names(&dir), ["xen.gz"]);
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "").unwrap();
    install(root.path(), &["--force"])
        .assert()
        .code(6)
        .stderr(contains("not a folder"));
}

#[test]
fn a_folder_that_may_not_be_written_is_left_as_it_was() {
    let root = copy("debian");
    let dir = root.path().join("srv/system");
    fs::create_dir_all(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
    // Root too, but without its right to write everywhere.
    let mut command = Command::new("setpriv");
    if nix::unistd::geteuid().is_root() {
        command.args(["--bounding-set", "-dac_override"]);
    }
    command
        .arg(cargo_bin!("xen-params"))
        .args([
            "install",
            "--arch",
            "x86_64",
            "--dir",
            "/srv/system",
            "--root",
        ])
        .arg(root.path())
        .assert()
        .code(4)
        .stderr(format!(
            "xen-params: write in {}: Permission denied (os error 13)\n",
            dir.display()
        ));
    assert_eq!(names(&dir), Vec::<String>::new());
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a script as root of namespaces of its own, where /run and /srv are
/// empty; `$P` is the program and `$X` a hypervisor.
fn in_namespace(script: &str) -> String {
    let setup = "set -eu; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /srv\n";
    let output = Process::new("unshare")
        .args(["-rm", "sh", "-c", &format!("{setup}{script}")])
        .env("P", cargo_bin!("xen-params"))
        .env(
            "X",
            format!("{}/tests/roots/debian{TARGET}", env!("CARGO_MANIFEST_DIR")),
        )
        .env("XEN_PARAMS_ARCH", "x86_64")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap() + &errors
}

#[test]
fn a_change_of_the_running_system_marks_that_it_needs_a_reboot() {
    let told = in_namespace(
        r#"marked() { test ! -e /run/reboot-required || echo "after $1"; }
        cp "$X" /srv/xen.gz
        $P install --root /srv --dir /other --xen-file /xen.gz noreboot; marked root
        $P install -n --dir /srv/a --xen-file "$X" noreboot >/dev/null; marked dry-run
        $P install --dir /srv/a --xen-file "$X" noreboot; marked change
        rm /run/reboot-required
        $P install --dir /srv/a --xen-file "$X" noreboot; marked nothing"#,
    );
    assert_eq!(told, "after change\n");
}

#[test]
fn a_marker_that_cannot_be_made_is_only_warned_of() {
    let told = in_namespace(
        r#"mount -o remount,ro /run
        $P install --dir /srv/a --xen-file "$X" noreboot
        cat /srv/a/xen-params"#,
    );
    assert_eq!(
        told,
        "noreboot\nxen-params: warning: touch /run/reboot-required: \
         Read-only file system (os error 30)\n"
    );
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let told = in_namespace(
        r#"mkdir /srv/a; mount -t tmpfs -o size=16k tmpfs /srv/a
        $P install --dir /srv/a --xen-file "$X" noreboot
        dd if=/dev/zero of=/srv/a/full bs=4k 2>/dev/null || true
        $P install --dir /srv/a --xen-file "$X" smt=off || echo $?
        cat /srv/a/xen-params
        ls -A /srv/a"#,
    );
    assert!(
        told.starts_with("1\nnoreboot\n.xen-params\nfull\nxen-params\nxen.gz\n"),
        "{told}"
    );
    assert!(told.contains("No space left on device"), "{told}");
}
