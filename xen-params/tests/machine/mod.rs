//! A machine to install on: a copy of a fake root.

use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use tempfile::TempDir;

/// A copy of a fake root that may be written.
pub fn copy(situation: &str) -> TempDir {
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
pub fn install(root: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("xen-params");
    command
        .env_clear()
        .args(["install", "--arch", "x86_64", "--root"])
        .arg(root)
        .args(arguments);
    command
}
