//! Runs the program.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_xen-storewait");

/// What the program heeds of its environment.
const VARIABLES: [&str; 12] = [
    "XEN_STOREWAIT_TIMEOUT",
    "XEN_STOREWAIT_DEVICE",
    "XEN_STOREWAIT_RAW",
    "XENSTORED_PATH",
    "XENSTORED_RUNDIR",
    "XENSTORED_MAX_OPEN_FDS",
    "XENSTORED_OOM_MEM_THRESHOLD",
    "XEN_DOM0_LOCKED",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
];

/// The program over a folder as root, its output caught.
pub fn program(root: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("--root").arg(root);
    clean(&mut command);
    command
}

/// A script in namespaces of its own (users, mounts, processes), in which it
/// is root; `$PROGRAM` and `$ROOT` are set.
pub fn unshared(root: &Path, script: &str) -> Output {
    let mut command = Command::new("unshare");
    command
        .args(["-rmpf", "--mount-proc", "sh", "-euc", script])
        .env("PROGRAM", PROGRAM)
        .env("ROOT", root);
    clean(&mut command);
    command.output().unwrap()
}

fn clean(command: &mut Command) {
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// Standard output, standard error and the status.
pub fn said(output: &Output) -> (&str, &str, i32) {
    (
        std::str::from_utf8(&output.stdout).unwrap(),
        std::str::from_utf8(&output.stderr).unwrap(),
        output.status.code().unwrap_or(-1),
    )
}

/// By cp: a file open for writing here may be so in another test's child as
/// well, and is busy then.
pub fn copy(from: &str, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}
