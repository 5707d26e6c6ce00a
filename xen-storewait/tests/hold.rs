//! The program stays connected, and ends when the store does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

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
    let line = format!(
        "xen-storewait: hold: the store closed the connection on {}/run/xenstored/socket\n",
        held.root.path().display()
    );
    assert_eq!(said(&output), ("", line.as_str(), 1));
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

#[test]
fn ends_where_no_store_comes() {
    let held = held();
    let output = held.hold("0.3", "").wait_with_output().unwrap();
    assert_eq!(said(&output).2, 7);
}
