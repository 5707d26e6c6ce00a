//! What is on top of a folder, as the kernel has it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

use xen_mountfs::Mount;

/// Mounts in a namespace of its own, below `$ROOT`, and at the end on `$ROOT/t`.
/// The types of the layers there, and the type of the topmost by statfs(2).
fn after(mounts: &str) -> (Vec<String>, String) {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let script = format!(
        "mount -t tmpfs none \"$ROOT\"; cd \"$ROOT\"; mkdir a t a/t\n{mounts}\n\
         stat -f -c %T \"$ROOT/t\"; cat /proc/self/mountinfo"
    );
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-euc", &script])
        .env("ROOT", &root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let (top, mountinfo) = said.split_once('\n').unwrap();
    let mounts = Mount::parse_all(mountinfo.as_bytes());
    let layers = Mount::layers(&mounts, &root.join(Path::new("t")));
    let types = layers.iter().map(|mount| mount.filesystem.clone());
    (types.collect(), top.to_owned())
}

fn agrees(mounts: &str, layers: &[&str]) {
    let (types, top) = after(mounts);
    assert_eq!(types, layers);
    assert_eq!(*layers.last().unwrap_or(&"tmpfs"), top);
}

#[test]
fn the_later_mount_is_on_top() {
    agrees(
        "mount -t tmpfs a t; mount -t ramfs b t",
        &["tmpfs", "ramfs"],
    );
    agrees("mount -t ramfs a t; mount --bind t t", &["ramfs", "ramfs"]);
}

#[test]
fn what_was_moved_there_is_on_top_though_it_is_older() {
    agrees(
        "mount -t ramfs a a; mount -t tmpfs b t; mount --move a t",
        &["tmpfs", "ramfs"],
    );
    agrees(
        "mount -t tmpfs a a; mount -t ramfs b t; mount --move a t",
        &["ramfs", "tmpfs"],
    );
}

#[test]
fn what_is_below_a_covered_folder_is_not_there() {
    agrees(
        "mount -t ramfs a t; mount -t tmpfs b \"$ROOT\"; mkdir \"$ROOT/t\"",
        &[],
    );
    agrees(
        "mount -t ramfs a t; mount -t tmpfs b \"$ROOT\"; mkdir \"$ROOT/t\"; \
         mount -t ramfs c \"$ROOT/t\"",
        &["ramfs"],
    );
}
