//! What the system allows: rights, room, and the marker of a needed reboot, in
//! a namespace of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command as Process;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

use crate::{TARGET, copy, names};

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

#[test]
fn an_entry_for_grub_names_the_disk_that_its_root_is_mounted_from() {
    let told = in_namespace(
        r#"mkdir -p /srv/dev/disk/by-uuid /srv/root
        for node in null urandom; do
            touch /srv/dev/$node
            mount --bind /dev/$node /srv/dev/$node
        done
        ln -s ../../urandom /srv/dev/disk/by-uuid/0000-0001
        ln -s ../../null /srv/dev/disk/by-uuid/0000-0002
        mount --rbind /srv/dev /dev
        mount -t tmpfs /dev/null /srv/root
        mkdir -p /srv/root/boot/grub
        cp "$X" /srv/root/boot
        touch /srv/root/boot/vmlinuz-6
        $P install --root /srv/root --boot-entry grub-entry --kernel boot/vmlinuz-6 \
            --ramdisk none --linux-cmdline ro smt=0
        grep -h search /srv/root/boot/grub/custom.cfg | sort -u"#,
    );
    assert_eq!(
        told,
        format!(
            "\tsearch --no-floppy --set=root --file {TARGET}\n\
             \tsearch --no-floppy --set=root --fs-uuid 0000-0002\n"
        )
    );
}
