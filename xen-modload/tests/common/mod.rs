//! What the tests of the program share.

use std::path::PathBuf;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;

/// The folder that stands for a machine.
pub fn root(situation: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/roots")
        .join(situation)
}

/// The program with an environment that names nothing.
pub fn program() -> Command {
    let mut command = cargo_bin_cmd!("xen-modload");
    command.env_clear();
    command
}

/// The program below that root.
pub fn modload(situation: &str, args: &[&str]) -> Command {
    let mut command = program();
    command.arg("--root").arg(root(situation)).args(args);
    command
}

/// Runs it and compares all three: standard output, standard error, status.
#[track_caller]
pub fn check(mut command: Command, stdout: &str, stderr: &str, status: i32) {
    let output = command.output().expect("the program can be run");
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status));
}
