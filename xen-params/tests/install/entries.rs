//! `install --boot-entry`, and the hook that does it again when a kernel comes
//! or goes.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use predicates::str::contains;

use crate::{copy, install_entry};

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The hook as a package's script calls it.
fn hook(root: &Path, arguments: &[&str]) -> Command {
    let script = format!("{}/hooks/xen-params", env!("CARGO_MANIFEST_DIR"));
    let program = cargo_bin!("xen-params");
    let folder = program.parent().unwrap().display();
    let mut command = Command::new("sh");
    command
        .env_clear()
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("DPKG_ROOT", root)
        .arg(script)
        .args(arguments);
    command
}

#[test]
fn grub_s_settings_go_where_its_script_looks() {
    let root = copy("debian");
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    let line = ["--boot-entry", "grub", "--dom0-mem", "1G,max:1G"];
    install_entry(root.path(), &line)
        .assert()
        .success()
        .stdout("");
    let whole = read(root.path(), "etc/default/grub");
    assert!(whole.starts_with("GRUB_TIMEOUT=5\n# BEGIN xen-params "));
    assert!(whole.contains("GRUB_CMDLINE_XEN='dom0_mem=1G,max:1G'\n"));
    install_entry(root.path(), &line).assert().success();
    assert_eq!(read(root.path(), "etc/default/grub"), whole);

    fs::create_dir_all(root.path().join("etc/default/grub.d")).unwrap();
    install_entry(root.path(), &line).assert().success();
    let own = read(root.path(), "etc/default/grub.d/zz-xen-dom0.cfg");
    assert!(own.ends_with("GRUB_CMDLINE_XEN='dom0_mem=1G,max:1G'\nGRUB_CMDLINE_XEN_DEFAULT=''\n"));
}

#[test]
fn a_changed_entry_is_kept_as_bak_and_another_s_is_refused() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("etc/default/grub.d")).unwrap();
    let path = "etc/default/grub.d/zz-xen-dom0.cfg";
    let line = |mem| ["--boot-entry", "grub", "--dom0-mem", mem];
    install_entry(root.path(), &line("1G,max:1G"))
        .assert()
        .success();
    let first = read(root.path(), path);
    install_entry(root.path(), &line("2G,max:2G"))
        .assert()
        .success();
    assert_eq!(read(root.path(), &format!("{path}.bak")), first);
    write(root.path(), path, "GRUB_CMDLINE_XEN='by hand'\n");
    install_entry(root.path(), &line("1G,max:1G"))
        .assert()
        .code(6)
        .stderr(contains("not written by xen-params"));
    assert_eq!(read(root.path(), path), "GRUB_CMDLINE_XEN='by hand'\n");
}

#[test]
fn a_wrong_line_reaches_no_boot_loader() {
    let root = copy("debian");
    for entry in ["grub", "grub-entry", "efi", "limine"] {
        for folder in ["etc/default/grub.d", "boot/grub"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        install_entry(
            root.path(),
            &["--boot-entry", entry, "--dir", "/efi", "iomu=1"],
        )
        .assert()
        .code(6)
        .stderr("xen-params: iomu=1: Xen has no such option (did you mean iommu?)\n");
        assert!(!root.path().join("efi").exists());
        let settings = root.path().join("etc/default/grub.d");
        assert_eq!(fs::read_dir(settings).unwrap().count(), 0);
    }
}

#[test]
fn the_folder_of_xen_efi_has_all_that_is_named_in_it() {
    let root = copy("debian");
    let line = [
        "--boot-entry",
        "efi",
        "--dir",
        "/efi",
        "--dom0-mem",
        "1G,max:1G",
    ];
    install_entry(root.path(), &line)
        .assert()
        .success()
        .stdout("");
    let cfg = read(root.path(), "efi/xen.cfg");
    for named in cfg.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key, "kernel" | "ramdisk").then(|| value.split(' ').next().unwrap())
    }) {
        assert!(root.path().join("efi").join(named).is_file(), "{named}");
    }
    assert!(root.path().join("efi/xen.efi").is_file());
    assert!(cfg.contains("[safe]\n"));
}

#[test]
fn the_hook_follows_the_newest_kernel() {
    let root = copy("debian");
    write(
        root.path(),
        "etc/default/xen-dom0",
        "XEN_PARAMS_BOOT_ENTRY=efi\nXEN_PARAMS_DIR=/efi\nXEN_PARAMS_ARCH=x86_64\n\
         XEN_DOM0_MEM=1G,max:1G\n",
    );
    write(root.path(), "etc/kernel/cmdline", "root=LABEL=system ro\n");
    hook(
        root.path(),
        &["6.1.0-10-amd64", "/boot/vmlinuz-6.1.0-10-amd64"],
    )
    .assert()
    .success()
    .stdout("")
    .stderr("");
    let kernel = "kernel=vmlinuz-6.1.0-10-amd64 root=LABEL=system ro\n";
    assert!(read(root.path(), "efi/xen.cfg").contains(kernel));

    write(root.path(), "boot/vmlinuz-6.1.0-12-amd64", "kernel");
    write(
        root.path(),
        "boot/config-6.1.0-12-amd64",
        "CONFIG_XEN_DOM0=y\n",
    );
    hook(root.path(), &["add", "6.1.0-12-amd64", "/boot/entry"])
        .env("KERNEL_INSTALL_VERBOSE", "1")
        .assert()
        .success()
        .stderr(contains("efi/xen.cfg"));
    assert!(read(root.path(), "efi/xen.cfg").contains("kernel=vmlinuz-6.1.0-12-amd64 "));

    fs::remove_file(root.path().join("boot/vmlinuz-6.1.0-12-amd64")).unwrap();
    hook(root.path(), &["remove", "6.1.0-12-amd64", "/boot/entry"])
        .assert()
        .success();
    assert!(read(root.path(), "efi/xen.cfg").contains(kernel));
}

#[test]
fn the_hook_never_fails_a_kernel_s_package() {
    let root = copy("debian");
    let kernel = ["6.1.0-10-amd64"];
    hook(root.path(), &kernel).assert().success().stderr("");
    write(root.path(), "etc/default/xen-dom0", "XEN_DOM0_MEM=1G\n");
    hook(root.path(), &kernel).assert().success().stderr("");
    write(
        root.path(),
        "etc/default/xen-dom0",
        "XEN_PARAMS_BOOT_ENTRY=efi\nXEN_PARAMS_DIR=/efi\nXEN_PARAMS_ARCH=x86_64\n\
         XEN_BOOT_PARAMS=iomu=1\n",
    );
    hook(root.path(), &kernel).assert().success().stderr(
        "xen-params: XEN_BOOT_PARAMS: iomu=1: Xen has no such option (did you mean iommu?)\n\
         xen-params: the boot entry of Xen was left as it was\n",
    );
    assert!(!root.path().join("efi").exists());
}
