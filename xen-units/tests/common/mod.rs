//! What the tests have in common: the program, and roots that are machines.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::fs;
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
