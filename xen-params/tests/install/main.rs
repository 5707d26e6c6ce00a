//! `install`, over copies of fake roots.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod at_once;
mod entries;
mod folder;
mod hook;
mod kernels;
mod limine;
mod refusals;
mod system;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use tempfile::TempDir;

/// The hypervisor that is linked to, as the fake root has it.
const TARGET: &str = "/boot/xen-4.17-amd64.gz";

/// A copy of a fake root that may be written.
fn copy(situation: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = format!("{}/tests/roots/{situation}/.", env!("CARGO_MANIFEST_DIR"));
    let status = std::process::Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(copy.path())
        .status();
    assert!(status.unwrap().success());
    copy
}

/// `install` on it, with nothing in the environment.
fn install_entry(root: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("xen-params");
    command
        .env_clear()
        .args(["install", "--arch", "x86_64", "--root"])
        .arg(root)
        .args(arguments);
    command
}

/// The same, with the folder for a link and a line.
fn install(root: &Path, arguments: &[&str]) -> Command {
    let mut command = install_entry(root, &["--dir", "/srv/system"]);
    command.args(arguments);
    command
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Two kernels of a distribution that keeps each beside its modules.
fn add_kernels_beside_modules(root: &Path) {
    for release in ["6.8.1", "6.9.2"] {
        let folder = format!("usr/lib/modules/{release}");
        write(root, &format!("{folder}/vmlinuz"), "kernel");
        write(root, &format!("{folder}/config"), "CONFIG_XEN_DOM0=y\n");
        write(root, &format!("boot/initramfs-{release}.img"), "x");
    }
}
