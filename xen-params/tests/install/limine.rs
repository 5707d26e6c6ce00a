//! `install --boot-entry limine`.

use std::fs;

use assert_cmd::cargo::cargo_bin_cmd;

use crate::{copy, install_entry, names, read, write};

#[test]
fn limine_gets_all_that_it_starts_in_a_folder_beside_its_file() {
    let root = copy("debian");
    write(root.path(), "esp/limine.conf", "timeout: 5\n");
    let line = [
        "--boot-entry",
        "limine",
        "--dir",
        "/esp",
        "--dom0-mem",
        "1G,max:1G",
    ];
    install_entry(root.path(), &line)
        .assert()
        .success()
        .stdout("");
    let conf = read(root.path(), "esp/limine.conf");
    assert!(
        conf.starts_with("timeout: 5\n# BEGIN xen-params "),
        "{conf}"
    );
    assert_eq!(conf.matches("    protocol: efi\n").count(), 2);
    assert_eq!(conf.matches("    protocol: multiboot1\n").count(), 2);
    assert!(conf.contains("    cmdline: placeholder dom0_mem=1G,max:1G\n"));
    for named in conf
        .lines()
        .filter_map(|line| line.split_once("path: boot():"))
    {
        let path = root.path().join(named.1.trim_start_matches('/'));
        assert!(path.is_file(), "{}", path.display());
    }
    assert_eq!(
        names(&root.path().join("esp/dom0")),
        [
            ".xen-params",
            "initrd.img-6.1.0-10-amd64",
            "vmlinuz-6.1.0-10-amd64",
            "xen",
            "xen.cfg",
            "xen.efi"
        ]
    );
    // A BIOS's loader may be one that cannot unpack.
    let packed = fs::read(root.path().join("boot/xen-4.17-amd64.gz")).unwrap();
    let unpacked = fs::read(root.path().join("esp/dom0/xen")).unwrap();
    assert!(packed.starts_with(b"\x1f\x8b") && !unpacked.starts_with(b"\x1f\x8b"));
    let cfg = read(root.path(), "esp/dom0/xen.cfg");
    assert!(cfg.contains("options=dom0_mem=1G,max:1G\n"), "{cfg}");
    install_entry(root.path(), &line)
        .arg("--verbose")
        .assert()
        .success()
        .stderr("");
    assert_eq!(read(root.path(), "esp/limine.conf.bak"), "timeout: 5\n");
}

#[test]
fn limine_gets_only_the_form_of_the_hypervisor_that_is_named() {
    for (xen, protocol, other) in [
        ("/boot/xen-4.17-amd64.gz", "multiboot1", "efi"),
        ("/boot/xen-4.17-amd64.efi", "efi", "multiboot1"),
    ] {
        let root = copy("debian");
        install_entry(root.path(), &["--boot-entry", "limine", "--dir", "/esp"])
            .args(["--xen-file", xen, "noreboot"])
            .assert()
            .success();
        let conf = read(root.path(), "esp/limine.conf");
        assert!(!conf.contains(", BIOS"), "{conf}");
        assert_eq!(conf.matches(&format!("protocol: {protocol}\n")).count(), 2);
        assert!(!conf.contains(&format!("protocol: {other}\n")), "{conf}");
    }
}

#[test]
fn arm_gets_only_what_uefi_starts() {
    let root = copy("debian");
    let line = ["--boot-entry", "limine", "--dir", "/esp", "dom0_mem=1G"];
    cargo_bin_cmd!("xen-params")
        .env_clear()
        .args(["install", "--arch", "aarch64", "--root"])
        .arg(root.path())
        .args(line)
        .assert()
        .success();
    let conf = read(root.path(), "esp/limine.conf");
    assert_eq!(conf.matches("    protocol: efi\n").count(), 2);
    assert!(!conf.contains("multiboot"), "{conf}");
}
