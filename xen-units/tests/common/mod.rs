//! What the tests have in common: the program, and roots that are machines.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

pub fn root(situation: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/roots")
        .join(situation)
}

/// The program with nothing set in its environment.
pub fn xen_units() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("xen-units");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("XEN") || text == "QEMU_XEN" {
            command.env_remove(name);
        }
    }
    command
}

pub fn command_of(situation: &str, name: &str) -> Command {
    let mut command = xen_units();
    command
        .args(["command", name, "--bin-dir", "/usr/bin", "--root"])
        .arg(root(situation));
    command
}

/// `generate` for systemd, as an administrator does.
pub fn generate(root: &Path) -> Command {
    generate_to("/etc", root)
}

/// `generate` for systemd to this folder below the root.
pub fn generate_to(output: &str, root: &Path) -> Command {
    generate_for("systemd", output, root)
}

/// `generate` for an init system to this folder below the root.
pub fn generate_for(init: &str, output: &str, root: &Path) -> Command {
    let mut command = xen_units();
    command
        .args(["generate", "--init", init, "--output", output])
        .args(["--bin-dir", "/usr/bin", "--root"])
        .arg(root);
    command
}

/// A root of one's own, a copy of the situation's.
pub fn copy_of(situation: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::process::Command::new("cp")
        .arg("-a")
        .arg(root(situation).join("."))
        .arg(folder.path())
        .status()
        .unwrap();
    folder
}

/// Every file below a folder with its text, by its path in it.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// Writes a file, and makes the folders that it is in.
pub fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The program as nobody runs it, who may not read everything, and the folder
/// with a copy of it that anybody can reach.
pub fn unprivileged() -> (tempfile::TempDir, Command) {
    let command = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups", "--"]);
        command
    };
    let is_root = command().arg("true").output().unwrap().status.success();
    assert!(is_root, "this test has to be run as root");
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("xen-units");
    // Copied by cp: a file open for writing here may be so in another test's
    // child as well, and is busy then.
    Command::new("cp")
        .arg(assert_cmd::cargo::cargo_bin!("xen-units"))
        .arg(&program)
        .assert()
        .success();
    let mut command = command();
    command.arg(program);
    (folder, command)
}
