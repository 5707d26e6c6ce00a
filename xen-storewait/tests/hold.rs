//! The program stays connected, and ends when the store does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Output};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use tempfile::{TempDir, tempdir};

use double::{Double, Manner};
use program::{program, said};

struct Held {
    root: TempDir,
    manager: UnixDatagram,
}

/// A folder with the socket of a service manager.
fn held() -> Held {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    let manager = UnixDatagram::bind(root.path().join("notify")).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    Held { root, manager }
}

impl Held {
    fn store(&self, manner: Manner) -> Double {
        Double::start(&self.root.path().join("run/xenstored/socket"), manner)
    }

    fn hold(&self, timeout: &str, watchdog: &str) -> Child {
        let mut program = program(self.root.path());
        program.args(["--hold", "--timeout", timeout]);
        program.env("NOTIFY_SOCKET", self.root.path().join("notify"));
        program.env("WATCHDOG_USEC", watchdog);
        program.spawn().unwrap()
    }

    fn heard(&self) -> String {
        let mut buffer = [0; 256];
        let count = self.manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }
}

#[test]
fn is_ready_when_the_store_answers_and_ends_as_soon_as_it_dies() {
    let held = held();
    let child = held.hold("20", "");
    thread::sleep(Duration::from_millis(100));
    let double = held.store(Manner::Honest);
    assert_eq!(held.heard(), "READY=1\nSTATUS=the store answers");
    thread::sleep(Duration::from_millis(100));
    drop(double);
    let died = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(
        died.elapsed() < Duration::from_millis(500),
        "{:?}",
        died.elapsed()
    );
    assert_eq!(said(&output), ("", death(&held).as_str(), 1));
}

#[test]
fn ends_when_the_store_falls_silent() {
    let held = held();
    let _double = held.store(Manner::SilentAfterTheFirst);
    let started = Instant::now();
    let output = held.hold("0.6", "").wait_with_output().unwrap();
    let line = format!(
        "xen-storewait: {}/run/xenstored/socket: the store has been silent for 0.6 s\n",
        held.root.path().display()
    );
    assert_eq!(said(&output), ("", line.as_str(), 7));
    assert!(started.elapsed() >= Duration::from_millis(600));
    assert!(started.elapsed() < Duration::from_millis(2000));
}

#[test]
fn does_not_call_a_store_silent_since_it_was_stopped_itself() {
    let held = held();
    let double = held.store(Manner::Honest);
    let child = held.hold("2", "");
    assert!(held.heard().starts_with("READY=1"));
    thread::sleep(Duration::from_millis(300));
    let process = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    kill(process, Signal::SIGSTOP).unwrap();
    thread::sleep(Duration::from_secs(3));
    kill(process, Signal::SIGCONT).unwrap();
    // It sleeps on for what was left of a second, and then asks.
    thread::sleep(Duration::from_millis(1500));
    drop(double);
    assert_eq!(said(&end_of(child)), ("", death(&held).as_str(), 1));
}

/// The store may have been stopped with it, as in a cgroup that was frozen.
#[test]
fn asks_again_where_it_was_stopped_while_it_waited_for_the_answer() {
    let held = held();
    let _double = held.store(Manner::SilentAfterTheFirst);
    let child = held.hold("2", "");
    assert!(held.heard().starts_with("READY=1"));
    // It asks after a second.
    thread::sleep(Duration::from_millis(1500));
    let process = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    kill(process, Signal::SIGSTOP).unwrap();
    thread::sleep(Duration::from_secs(2));
    kill(process, Signal::SIGCONT).unwrap();
    let continued = Instant::now();
    assert_eq!(said(&end_of(child)).2, 7);
    assert!(continued.elapsed() >= Duration::from_millis(900));
}

#[test]
fn keeps_the_watchdog_quiet_for_as_long_as_the_store_answers() {
    let held = held();
    let double = held.store(Manner::Honest);
    let child = held.hold("20", "200000");
    assert!(held.heard().starts_with("READY=1"));
    let started = Instant::now();
    for _ in 0..4 {
        assert_eq!(held.heard(), "WATCHDOG=1");
    }
    assert!(started.elapsed() >= Duration::from_millis(200));
    drop(double);
    assert_eq!(said(&child.wait_with_output().unwrap()).2, 1);
}

/// What it says at its end, which must come.
fn end_of(mut child: Child) -> Output {
    let latest = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && Instant::now() < latest {
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait_with_output().unwrap()
}

fn death(held: &Held) -> String {
    format!(
        "xen-storewait: hold: the store closed the connection on {}/run/xenstored/socket\n",
        held.root.path().display()
    )
}

#[test]
fn ends_with_the_store_though_nobody_reads_what_it_tells() {
    let held = held();
    let double = held.store(Manner::Honest);
    let child = held.hold("20", "20000");
    // The queue of a manager holds ten by default.
    thread::sleep(Duration::from_secs(1));
    drop(double);
    assert_eq!(said(&end_of(child)), ("", death(&held).as_str(), 1));
    assert!(held.heard().starts_with("READY=1"));
}

#[test]
fn is_ready_as_soon_as_the_manager_can_hear_it() {
    let held = held();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    let mut queued = 0;
    while other
        .send_to(b"other", held.root.path().join("notify"))
        .is_ok()
    {
        queued += 1;
    }
    let double = held.store(Manner::Honest);
    let child = held.hold("20", "20000");
    thread::sleep(Duration::from_millis(300));
    for _ in 0..queued {
        assert_eq!(held.heard(), "other");
    }
    while !held.heard().starts_with("READY=1") {}
    drop(double);
    assert_eq!(said(&end_of(child)).2, 1);
}

#[test]
fn stays_while_the_store_lives_though_the_manager_is_gone() {
    let held = held();
    let double = held.store(Manner::Honest);
    let child = held.hold("20", "20000");
    assert!(held.heard().starts_with("READY=1"));
    fs::remove_file(held.root.path().join("notify")).unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(double);
    assert_eq!(said(&end_of(child)), ("", death(&held).as_str(), 1));
}

#[test]
fn says_in_one_line_that_there_is_no_manager() {
    let held = held();
    let _double = held.store(Manner::Honest);
    let mut program = program(held.root.path());
    program.args(["--hold", "--timeout", "20"]);
    program.env("NOTIFY_SOCKET", "/nowhere/no\nsocket");
    let line =
        "xen-storewait: notify /nowhere/no\\nsocket: No such file or directory (os error 2)\n";
    assert_eq!(said(&end_of(program.spawn().unwrap())), ("", line, 1));
}

#[test]
fn ends_where_no_store_comes() {
    let held = held();
    let output = held.hold("0.3", "").wait_with_output().unwrap();
    assert_eq!(said(&output).2, 7);
}
