//! Roots that are made for a test, and the program's dry run below them.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

pub const MODULES: &str = "lib/modules/6.1.0-test";

pub fn write(root: &TempDir, path: &str, content: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().expect("the test machine can be made"))
        .expect("the test machine can be made");
    fs::write(path, content).expect("the test machine can be made");
}

/// A root with these lines in modules.dep.
pub fn root(dep: &str) -> TempDir {
    let root = TempDir::new().expect("the test machine can be made");
    write(&root, &format!("{MODULES}/modules.dep"), dep);
    root
}

pub fn program(root: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xen-modload"));
    command.env_clear().args(["-n", "--root"]).arg(root.path());
    command
}

/// One line on standard error, that status, and no answer.
#[track_caller]
pub fn assert_refused(output: &Output, line: &str, status: i32) {
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("xen-modload: {line}\n")
    );
    assert!(output.stdout.is_empty());
    assert_eq!(output.status.code(), Some(status));
}
