//! The kernel and the ramdisk that an entry names where none is named.

use std::fs;

use predicates::str::contains;

use crate::{add_kernels_beside_modules, copy, install_entry, read, write};

/// `install` of a GRUB entry.
const ENTRY: [&str; 3] = ["--boot-entry", "grub-entry", "smt=0"];

#[test]
fn each_distribution_s_ramdisk_is_found() {
    for (kernel, ramdisk) in [
        ("/boot/vmlinuz-lts", "/boot/initramfs-lts"),
        ("/boot/vmlinuz-4.19.0+1", "/boot/initrd-4.19.0+1.img"),
        (
            "/boot/kernel-6.1.0-gentoo",
            "/boot/initramfs-6.1.0-gentoo.img",
        ),
        (
            "/boot/vmlinuz-6.4.0-1-default",
            "/boot/initrd-6.4.0-1-default",
        ),
        ("/usr/lib/modules/6.8.1/vmlinuz", "/boot/0123/6.8.1/initrd"),
    ] {
        let root = copy("debian");
        fs::create_dir_all(root.path().join("boot/grub")).unwrap();
        write(root.path(), "etc/machine-id", "0123\n");
        for file in [kernel, ramdisk] {
            write(root.path(), file.trim_start_matches('/'), "a file");
        }
        install_entry(root.path(), &ENTRY)
            .args(["--kernel", kernel])
            .assert()
            .success()
            .stderr("");
        let custom = read(root.path(), "boot/grub/custom.cfg");
        assert!(
            custom.contains(&format!("module2 {kernel} placeholder ")),
            "{custom}"
        );
        assert!(
            custom.contains(&format!("--nounzip {ramdisk}\n")),
            "{custom}"
        );
    }
}

#[test]
fn an_entry_without_a_ramdisk_is_told_of_unless_that_was_asked_for() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    write(root.path(), "boot/vmlinuz-custom", "kernel");
    let named = ["--kernel", "/boot/vmlinuz-custom"];
    let warning = "xen-params: warning: /boot/vmlinuz-custom: found no ramdisk for it, so the \
                   entry has none (name one with --ramdisk, or none)\n";
    install_entry(root.path(), &ENTRY)
        .args(named)
        .assert()
        .success()
        .stderr(warning);
    assert!(!read(root.path(), "boot/grub/custom.cfg").contains("nounzip"));
    install_entry(root.path(), &ENTRY)
        .args(named)
        .args(["--ramdisk", "none"])
        .assert()
        .success()
        .stderr("");
}

#[test]
fn a_kernel_beside_its_modules_is_found_and_one_that_goes_is_passed_over() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    add_kernels_beside_modules(root.path());
    write(root.path(), "usr/lib/modules/6.10.0/vmlinuz", "kernel");
    let custom = || read(root.path(), "boot/grub/custom.cfg");
    install_entry(root.path(), &ENTRY)
        .assert()
        .success()
        .stderr("");
    assert!(custom().contains("'Xen with Linux 6.9.2'"), "{}", custom());
    assert!(custom().contains("\tmodule2 /usr/lib/modules/6.9.2/vmlinuz "));
    assert!(custom().contains("--nounzip /boot/initramfs-6.9.2.img\n"));
    install_entry(root.path(), &ENTRY)
        .args(["--without-kernel", "6.9.2"])
        .assert()
        .success();
    assert!(custom().contains("'Xen with Linux 6.8.1'"), "{}", custom());
    fs::remove_dir_all(root.path().join("usr/lib/modules/6.8.1")).unwrap();
    for file in fs::read_dir(root.path().join("boot")).unwrap() {
        let path = file.unwrap().path();
        if path.display().to_string().contains("config-") {
            fs::remove_file(path).unwrap();
        }
    }
    install_entry(root.path(), &ENTRY)
        .args(["--without-kernel", "6.9.2"])
        .assert()
        .code(5)
        .stderr(contains("no kernel with CONFIG_XEN_DOM0=y there"));
}

#[test]
fn a_relative_name_is_one_below_the_root_whatever_the_loader() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    let named = [
        ["--kernel", "boot/vmlinuz-6.1.0-9-amd64"],
        ["--ramdisk", "boot/initrd.img-6.1.0-9-amd64"],
    ];
    install_entry(root.path(), &ENTRY)
        .args(named.as_flattened())
        .assert()
        .success();
    let custom = read(root.path(), "boot/grub/custom.cfg");
    assert!(
        custom.contains("\tmodule2 /boot/vmlinuz-6.1.0-9-amd64 placeholder "),
        "{custom}"
    );
    assert!(custom.contains("\tmodule2 --nounzip /boot/initrd.img-6.1.0-9-amd64\n"));
    install_entry(root.path(), &["--boot-entry", "efi", "--dir", "efi"])
        .args(named.as_flattened())
        .assert()
        .success();
    let cfg = read(root.path(), "efi/xen.cfg");
    assert!(cfg.contains("\nkernel=vmlinuz-6.1.0-9-amd64 "), "{cfg}");
    assert!(
        cfg.contains("\nramdisk=initrd.img-6.1.0-9-amd64\n"),
        "{cfg}"
    );
}

#[test]
fn neither_a_kernel_set_aside_nor_an_early_one_is_the_newest() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    for release in ["6.13.0", "6.13.0.old", "6.13.0-rc2", "6.14.0.old"] {
        write(root.path(), &format!("boot/vmlinuz-{release}"), "kernel");
        let config = format!("boot/config-{release}");
        write(root.path(), &config, "CONFIG_XEN_DOM0=y\n");
    }
    let xen = root.path().join("boot/xen-4.17-amd64.gz");
    for release in ["4.20", "4.20-rc"] {
        fs::copy(&xen, root.path().join(format!("boot/xen-{release}.gz"))).unwrap();
    }
    write(root.path(), "boot/initrd.img-6.13.0", "ramdisk");
    install_entry(root.path(), &ENTRY)
        .assert()
        .success()
        .stderr("");
    let custom = read(root.path(), "boot/grub/custom.cfg");
    assert!(custom.contains(" /boot/vmlinuz-6.13.0 "), "{custom}");
    assert!(custom.contains(" /boot/xen-4.20.gz "), "{custom}");
}
