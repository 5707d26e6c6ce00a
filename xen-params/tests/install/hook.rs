//! The hook that writes the boot entry again when a kernel comes or goes.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use predicates::str::{contains, ends_with};

use crate::{add_kernels_beside_modules, copy, read, write};

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
fn the_end_of_a_line_of_another_system_is_shown_in_what_the_hook_says() {
    let root = copy("debian");
    write(
        root.path(),
        "etc/default/xen-dom0",
        "XEN_PARAMS_BOOT_ENTRY=efi\r\nXEN_PARAMS_DIR=/efi\r\n",
    );
    let said = hook(root.path(), &["add", "6.1.0-10-amd64"])
        .assert()
        .success()
        .stderr(contains("XEN_PARAMS_BOOT_ENTRY: invalid value 'efi\\r'"));
    assert!(!said.get_output().stderr.contains(&b'\r'));
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

    // What is still installed may be wanted; what is gone is not.
    let copies = |name: &str| root.path().join("efi").join(name).exists();
    assert!(copies("vmlinuz-6.1.0-10-amd64") && copies("vmlinuz-6.1.0-12-amd64"));
    fs::remove_file(root.path().join("boot/vmlinuz-6.1.0-12-amd64")).unwrap();
    hook(root.path(), &["remove", "6.1.0-12-amd64", "/boot/entry"])
        .assert()
        .success()
        .stderr("");
    assert!(read(root.path(), "efi/xen.cfg").contains(kernel));
    assert!(copies("vmlinuz-6.1.0-10-amd64") && !copies("vmlinuz-6.1.0-12-amd64"));
    assert!(!read(root.path(), "efi/.xen-params").contains("6.1.0-12"));
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

#[test]
fn a_copy_that_somebody_changed_is_left_where_it_is() {
    let root = copy("debian");
    write(
        root.path(),
        "etc/default/xen-dom0",
        "XEN_PARAMS_BOOT_ENTRY=limine\nXEN_PARAMS_DIR=/esp\nXEN_PARAMS_ARCH=x86_64\n",
    );
    for release in ["6.1.0-12-amd64", "6.1.0-13-amd64"] {
        write(root.path(), &format!("boot/vmlinuz-{release}"), release);
        let config = format!("boot/config-{release}");
        write(root.path(), &config, "CONFIG_XEN_DOM0=y\n");
        hook(root.path(), &["add", release]).assert().success();
    }
    write(root.path(), "esp/dom0/vmlinuz-6.1.0-12-amd64", "mine");
    for release in ["6.1.0-12-amd64", "6.1.0-13-amd64"] {
        fs::remove_file(root.path().join(format!("boot/vmlinuz-{release}"))).unwrap();
    }
    hook(root.path(), &["remove", "6.1.0-13-amd64"])
        .assert()
        .success();
    assert_eq!(read(root.path(), "esp/dom0/vmlinuz-6.1.0-12-amd64"), "mine");
    assert!(!root.path().join("esp/dom0/vmlinuz-6.1.0-13-amd64").exists());
}

#[test]
fn settings_that_no_shell_can_read_never_fail_it_either() {
    let root = copy("debian");
    let entry = "XEN_PARAMS_BOOT_ENTRY=efi\nXEN_PARAMS_DIR=/efi\nXEN_PARAMS_ARCH=x86_64\n";
    let left = "xen-params: the boot entry of Xen was left as it was\n";
    for wrong in ["XEN_DOM0_MEM='1G\n", "exit 3\n", "XEN_BOOT_PARAMS=$(\n"] {
        write(
            root.path(),
            "etc/default/xen-dom0",
            &format!("{entry}{wrong}"),
        );
        hook(root.path(), &["6.1.0-10-amd64"])
            .assert()
            .success()
            .stdout("")
            .stderr(ends_with(left));
        assert!(!root.path().join("efi").exists(), "{wrong}");
    }
    let unset = format!("{entry}XEN_DOM0_MEM=$UNSET\n");
    write(root.path(), "etc/default/xen-dom0", &unset);
    hook(root.path(), &["6.1.0-10-amd64"])
        .assert()
        .success()
        .stderr("");
    assert!(root.path().join("efi/xen.cfg").exists());
}

#[test]
fn the_hook_serves_kernels_that_lie_beside_their_modules() {
    let root = copy("debian");
    write(
        root.path(),
        "etc/default/xen-dom0",
        "XEN_PARAMS_BOOT_ENTRY=grub-entry\nXEN_PARAMS_ARCH=x86_64\n",
    );
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    add_kernels_beside_modules(root.path());
    let custom = || read(root.path(), "boot/grub/custom.cfg");
    let kernel = "/usr/lib/modules/6.9.2/vmlinuz";
    hook(root.path(), &["add", "6.9.2", "/boot/0123/6.9.2", kernel])
        .assert()
        .success()
        .stdout("")
        .stderr("");
    assert!(custom().contains(kernel), "{}", custom());
    // It is still there when its going is told.
    hook(
        root.path(),
        &["remove", "6.9.2", "/boot/0123/6.9.2", kernel],
    )
    .assert()
    .success()
    .stderr("");
    assert!(custom().contains("/usr/lib/modules/6.8.1/vmlinuz"));
    assert!(!custom().contains("6.9.2"), "{}", custom());
}
