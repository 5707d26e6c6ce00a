//! The program and the kernel's device.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use double::device::Device;
use double::{Double, Manner, bind_socket};
use program::{PROGRAM, program, said};

/// A root under Xen, with a folder for the socket.
fn under_xen() -> TempDir {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("proc/xen")).unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    root
}

fn leave_stale_socket(root: &Path) {
    drop(Double::start(
        &root.join("run/xenstored/socket"),
        Manner::Honest,
    ));
}

#[test]
fn asks_through_the_device_if_told_so() {
    let root = under_xen();
    let _device = Device::start(root.path(), Manner::Honest);
    let mut program = program(root.path());
    let arguments = "--device --write /a=1 --read /a --wait /a=1";
    let output = program.args(arguments.split(' ')).output().unwrap();
    assert_eq!(said(&output), ("1\n", "", 0));
}

#[test]
fn waits_through_the_device_in_a_process_of_its_own() {
    let root = under_xen();
    let device = Device::start(root.path(), Manner::Honest);
    let mut program = program(root.path());
    let arguments = "--device --timeout 20 --write /a=1 --wait /a=2";
    let waiting = program.args(arguments.split(' ')).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    device.write("/a", b"2");
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", "", 0));
}

#[test]
fn the_other_process_does_not_outlive_the_one_that_waits() {
    let root = under_xen();
    let _device = Device::start(root.path(), Manner::Honest);
    let mut program = program(root.path());
    let arguments = "--device --timeout 60 --wait /a";
    let mut waiting = program.args(arguments.split(' ')).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", waiting.id());
    let latest = Instant::now() + Duration::from_secs(20);
    let mut other = String::new();
    while other.is_empty() {
        other = fs::read_to_string(&children).unwrap().trim().to_owned();
        assert!(Instant::now() < latest);
    }
    thread::sleep(Duration::from_secs(1));
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    // Whoever inherits it may leave it as a zombie, which has no executable.
    while fs::read_link(format!("/proc/{other}/exe")).is_ok() {
        assert!(Instant::now() < latest);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn says_what_was_there_instead_through_the_device() {
    let root = under_xen();
    let _device = Device::start(root.path(), Manner::Honest);
    let mut program = program(root.path());
    let arguments = "--device --timeout 1 --write /a=1 --wait /a=2";
    let output = program.args(arguments.split(' ')).output().unwrap();
    let line = "xen-storewait: wait for /a: it is \"1\" after 1 s\n";
    assert_eq!(said(&output), ("", line, 7));
}

#[test]
fn does_not_wait_for_a_watch_that_hangs_in_the_kernel() {
    let root = under_xen();
    let _device = Device::start(root.path(), Manner::Honest);
    // Each process greets, looks and then watches, which only the other one does.
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(root.path().join("dev/xen/xenbus").canonicalize().unwrap())
        .args(["-e", "inject=write:signal=SIGSTOP:when=3"])
        .arg(PROGRAM)
        .arg("--root")
        .arg(root.path());
    let arguments = "--device --timeout 1 --wait /a";
    let started = Instant::now();
    let output = strace.args(arguments.split(' ')).output().unwrap();
    let line = "xen-storewait: watch /a: no answer in time\n";
    assert_eq!(said(&output), ("", line, 7));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn says_that_nobody_answers_through_the_device() {
    let root = under_xen();
    let _device = Device::start(root.path(), Manner::Silent);
    let started = Instant::now();
    let mut program = program(root.path());
    let output = program
        .args(["--device", "--timeout", "0.5"])
        .output()
        .unwrap();
    let expected = format!(
        "xen-storewait: no answer from the store within 0.5 s: {}/dev/xen/xenbus: \
         listening, but silent\n",
        root.path().display()
    );
    assert_eq!(said(&output), ("", expected.as_str(), 7));
    assert!(started.elapsed() < Duration::from_millis(1500));
}

#[test]
fn writes_into_no_file_that_has_the_name_of_the_device() {
    let root = under_xen();
    let file = root.path().join("dev/xen/xenbus");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "").unwrap();
    let mut program = program(root.path());
    let output = program.args(["--device", "--timeout", "0"]).output();
    let line = format!(
        "xen-storewait: no answer from the store: {}: this is not a character device\n",
        file.display()
    );
    assert_eq!(said(output.as_ref().unwrap()), ("", line.as_str(), 7));
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[test]
fn waits_for_the_device_to_appear() {
    let root = under_xen();
    let mut program = program(root.path());
    let waiting = program
        .args(["--device", "--timeout", "20"])
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    let _device = Device::start(root.path(), Manner::Honest);
    let started = Instant::now();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", "", 0));
    assert!(started.elapsed() < Duration::from_millis(700));
}

#[test]
fn says_that_the_socket_of_a_living_store_was_replaced() {
    for timeout in ["0", "0.5"] {
        let root = under_xen();
        leave_stale_socket(root.path());
        let _device = Device::start(root.path(), Manner::Honest);
        let started = Instant::now();
        let mut program = program(root.path());
        let output = program.args(["--timeout", timeout]).output().unwrap();
        let (out, line, status) = said(&output);
        assert_eq!((out, status), ("", 7));
        let expected = format!(
            "{0}/run/xenstored/socket: a store lives, its socket was replaced \
             ({0}/dev/xen/xenbus answers, the socket refuses)\n",
            root.path().display()
        );
        assert!(line.ends_with(&expected), "{line}");
        assert!(started.elapsed() < Duration::from_millis(1500));
    }
}

#[test]
fn does_not_believe_in_a_store_because_the_device_opens() {
    let root = under_xen();
    leave_stale_socket(root.path());
    let _device = Device::start(root.path(), Manner::Silent);
    let mut program = program(root.path());
    let output = program.args(["--timeout", "0.5"]).output().unwrap();
    let (_, line, status) = said(&output);
    assert!(
        line.ends_with("nobody listens on this socket (stale, refused)\n"),
        "{line}"
    );
    assert_eq!(status, 7);
}

#[test]
fn does_not_take_what_the_device_told_for_the_next_socket() {
    let root = under_xen();
    leave_stale_socket(root.path());
    let _device = Device::start(root.path(), Manner::Honest);
    let mut program = program(root.path());
    let waiting = program.args(["--timeout", "4"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(400));
    fs::remove_file(root.path().join("dev/xen/xenbus")).unwrap();
    fs::remove_file(root.path().join("run/xenstored/socket")).unwrap();
    thread::sleep(Duration::from_millis(300));
    // Bound, and nobody listens.
    let _next = bind_socket(&root.path().join("run/xenstored/socket"));
    let output = waiting.wait_with_output().unwrap();
    let (_, line, status) = said(&output);
    assert!(
        line.ends_with("nobody listens on this socket (stale, refused)\n"),
        "{line}"
    );
    assert_eq!(status, 7);
}
