//! What the program takes from its environment.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use double::{Double, Manner};
use program::{program, said};

fn honest() -> (TempDir, Double) {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    let double = Double::start(&root.path().join("run/xenstored/socket"), Manner::Honest);
    (root, double)
}

#[test]
fn takes_its_settings_from_the_environment_and_an_empty_one_as_none() {
    let (root, double) = honest();
    let elsewhere = tempdir().unwrap();
    let with = |variable: &str, value: &Path| {
        let mut program = program(elsewhere.path());
        program.env(variable, value).args(["--timeout", "0"]);
        said(&program.output().unwrap()).2
    };
    assert_eq!(with("XENSTORED_PATH", double.path()), 0);
    assert_eq!(with("XENSTORED_RUNDIR", double.path().parent().unwrap()), 0);
    assert_eq!(with("XENSTORED_PATH", Path::new("")), 7);
    let mut program = program(root.path());
    program
        .env("XEN_STOREWAIT_TIMEOUT", "")
        .env("XEN_DOM0_LOCKED", "");
    program.env("XENSTORED_MAX_OPEN_FDS", "nonsense");
    program.env("XENSTORED_OOM_MEM_THRESHOLD", "nonsense");
    assert_eq!(said(&program.output().unwrap()), ("", "", 0));
}

#[test]
fn a_flag_beats_the_environment() {
    let (root, double) = honest();
    let mut program = program(root.path());
    program
        .env("XENSTORED_PATH", "/nowhere")
        .arg("--socket")
        .arg(double.path());
    assert_eq!(said(&program.output().unwrap()), ("", "", 0));
}

#[test]
fn names_the_variable_that_is_wrong() {
    let (root, _double) = honest();
    let with = |variable: &str, value: &str, flags: &[&str]| {
        let mut program = program(root.path());
        program.env(variable, value).args(flags);
        let output = program.output().unwrap();
        let (_, line, status) = said(&output);
        (line.to_owned(), status)
    };
    let line = |what: &str| format!("xen-storewait: {what}\n");
    let seconds = "a number of seconds expected, such as 2 or 0.5";
    assert_eq!(
        with("XEN_STOREWAIT_TIMEOUT", "soon", &[]),
        (
            line(&format!("XEN_STOREWAIT_TIMEOUT: 'soon': {seconds}")),
            6
        )
    );
    assert_eq!(
        with("XEN_STOREWAIT_RAW", "perhaps", &["--read", "/a"]),
        (
            line("XEN_STOREWAIT_RAW: 'perhaps': value was not a boolean"),
            6
        )
    );
    let flag = format!("invalid value 'soon' for '--timeout <SECONDS>': {seconds} (see --help)");
    assert_eq!(
        with("XEN_STOREWAIT_TIMEOUT", "late", &["--timeout", "soon"]),
        (line(&flag), 2)
    );
    assert_eq!(
        with("XEN_STOREWAIT_TIMEOUT", "late", &["--timeout", "1"]).1,
        0
    );
}

#[test]
fn names_the_variable_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let (root, _double) = honest();
    let bytes = std::ffi::OsStr::from_bytes(b"\xff");
    for variable in [
        "XEN_STOREWAIT_TIMEOUT",
        "XEN_STOREWAIT_DEVICE",
        "XENSTORED_MAX_OPEN_FDS",
        "XENSTORED_OOM_MEM_THRESHOLD",
    ] {
        let mut program = program(root.path());
        program.env(variable, bytes);
        // This one may be of any bytes.
        program.env("XENSTORED_RUNDIR", bytes);
        let line = format!("xen-storewait: {variable}: '\u{fffd}': not UTF-8\n");
        assert_eq!(said(&program.output().unwrap()), ("", line.as_str(), 6));
    }
    let mut program = program(root.path());
    program
        .env("XEN_STOREWAIT_TIMEOUT", bytes)
        .arg("--timeout")
        .arg(bytes);
    assert_eq!(said(&program.output().unwrap()).2, 2);
}

#[test]
fn names_the_variable_that_is_too_long_for_a_socket() {
    let root = tempdir().unwrap();
    let long = format!("/{}", "x".repeat(200));
    for (variable, socket) in [
        ("XENSTORED_PATH", long.clone()),
        ("XENSTORED_RUNDIR", format!("{long}/socket")),
    ] {
        let mut program = program(root.path());
        program.env(variable, &long);
        let line = format!("xen-storewait: {variable}: {socket}: too long for a socket\n");
        assert_eq!(said(&program.output().unwrap()), ("", line.as_str(), 6));
    }
}
