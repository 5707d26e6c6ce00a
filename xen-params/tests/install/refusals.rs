//! What is not installed, or not there.

use std::fs;
use std::process::Command as Process;

use assert_cmd::cargo::cargo_bin_cmd;
use predicates::str::contains;

use crate::{copy, install, install_entry, names, read, write};

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
    let said = |from: &str| {
        let none = root.path().join("boot/none.gz");
        format!("xen-params: {from}: {}: no such file\n", none.display())
    };
    install(root.path(), &["--xen-file", "/boot/none.gz"])
        .assert()
        .code(5)
        .stderr(said("--xen-file"));
    install(root.path(), &[])
        .env("XEN_PARAMS_XEN_FILE", "/boot/none.gz")
        .assert()
        .code(5)
        .stderr(said("XEN_PARAMS_XEN_FILE"));
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
            .stderr(format!("xen-params: --dir: {dir}: leads out of --root\n"));
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
fn what_has_the_record_s_name_and_is_none_is_somebody_s_own() {
    let root = copy("debian");
    let record = root.path().join("srv/system/.xen-params");
    let entry = ["--boot-entry", "efi", "--dir", "/srv/system", "smt=0"];
    let refused = |what: &str| {
        for mut command in [
            install(root.path(), &["smt=0"]),
            install_entry(root.path(), &entry),
        ] {
            command
                .assert()
                .code(6)
                .stderr(format!("xen-params: {}: {what}\n", record.display()));
        }
        assert_eq!(names(record.parent().unwrap()), [".xen-params"]);
    };
    write(root.path(), "srv/system/.xen-params", "mine\n");
    refused("a file, not written by xen-params (replace it with --force)");
    fs::remove_file(&record).unwrap();
    fs::create_dir(&record).unwrap();
    refused("a folder, which is not replaced");
    fs::remove_dir(&record).unwrap();
    std::os::unix::fs::symlink("notes", &record).unwrap();
    refused("a link to notes, not written by xen-params (replace it with --force)");

    install(root.path(), &["smt=0", "--force"])
        .assert()
        .success();
    let kept = fs::read_link(record.with_file_name(".xen-params.bak")).unwrap();
    assert_eq!(kept.to_str(), Some("notes"));
    assert!(read(root.path(), "srv/system/.xen-params").starts_with("# What xen-params wrote"));
    install_entry(root.path(), &entry).assert().success();
}
