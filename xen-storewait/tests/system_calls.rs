//! While it waits the program sleeps in the kernel: the system calls of ten
//! seconds are counted by strace, from socket(2) to the last sleep.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use double::device::Device;
use double::{Double, Manner};
use program::PROGRAM;

/// As on every machine: /var/run leads to /run, and /proc is there.
fn machine() -> TempDir {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    fs::create_dir(root.path().join("var")).unwrap();
    symlink("../run", root.path().join("var/run")).unwrap();
    symlink("/proc", root.path().join("proc")).unwrap();
    root
}

fn calls_of_ten_seconds(root: &Path) -> usize {
    calls_meanwhile(root, "10", || ())
}

/// Of so many seconds in vain, while something is done.
fn calls_meanwhile<T>(root: &Path, seconds: &str, meanwhile: impl FnOnce() -> T) -> usize {
    calls_of(&[PROGRAM], root, seconds, meanwhile)
}

/// The same where the program is started by other words.
fn calls_of<T>(start: &[&str], root: &Path, seconds: &str, meanwhile: impl FnOnce() -> T) -> usize {
    let record = root.join("record");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&record);
    // No more folders on the way than from the root of a machine.
    strace.args(start).args(["--root", "."]).current_dir(root);
    let strace = strace.args(["--timeout", seconds]).stderr(Stdio::null());
    let mut waiting = strace.spawn().unwrap();
    let _kept = meanwhile();
    assert_eq!(waiting.wait().unwrap().code(), Some(7));
    let record = fs::read_to_string(record).unwrap();
    let calls: Vec<&str> = record.lines().collect();
    let first = calls.iter().position(|call| call.contains(" socket("));
    let last = calls.iter().rposition(|call| call.contains(" ppoll("));
    last.unwrap() + 1 - first.unwrap()
}

#[test]
fn sleeps_where_there_is_no_socket() {
    let root = machine();
    let calls = calls_of_ten_seconds(root.path());
    assert!(calls <= 25, "{calls}");
}

#[test]
fn sleeps_where_a_store_is_silent() {
    let root = machine();
    let _double = Double::start(&root.path().join("run/xenstored/socket"), Manner::Silent);
    let calls = calls_of_ten_seconds(root.path());
    assert!(calls <= 25, "{calls}");
}

#[test]
fn tries_now_and_then_where_a_socket_refuses() {
    let root = machine();
    drop(Double::start(
        &root.path().join("run/xenstored/socket"),
        Manner::Honest,
    ));
    let calls = calls_of_ten_seconds(root.path());
    assert!(calls <= 60, "{calls}");
}

#[test]
fn tries_now_and_then_where_the_device_tells_nothing_either() {
    let root = machine();
    drop(Double::start(
        &root.path().join("run/xenstored/socket"),
        Manner::Honest,
    ));
    let _device = Device::start(root.path(), Manner::Silent);
    let calls = calls_of_ten_seconds(root.path());
    assert!(calls <= 60, "{calls}");
}

#[test]
fn looks_but_now_and_then_where_the_kernel_gives_no_watches() {
    let root = machine();
    let script = "echo 0 > /proc/sys/user/max_inotify_instances; exec \"$@\"";
    let start = ["unshare", "-r", "sh", "-euc", script, "sh", PROGRAM];
    let calls = calls_of(&start, root.path(), "10", || ());
    assert!(calls <= 80, "{calls}");
}

#[test]
fn sleeps_where_a_silent_store_comes_while_the_device_answers() {
    let root = machine();
    let path = root.path().join("run/xenstored/socket");
    drop(Double::start(&path, Manner::Honest));
    // Its answer takes as long as the wait, and begins where the socket refuses.
    let slow = Manner::Slow(Duration::from_millis(100));
    let _device = Device::start(root.path(), slow);
    let calls = calls_meanwhile(root.path(), "3", || {
        thread::sleep(Duration::from_millis(700));
        Double::start(&path, Manner::Silent)
    });
    assert!(calls <= 80, "{calls}");
}
