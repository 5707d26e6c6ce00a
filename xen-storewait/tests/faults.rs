//! For each fault of a store the program ends at the deadline and says what it
//! saw last.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{Backlog, listen};
use tempfile::tempdir;

use double::{Double, Manner, bind_socket};
use program::{program, said};

/// Runs it over the folder as root, with half a second to go.
fn half_a_second(root: &Path) -> (Output, Duration) {
    let started = Instant::now();
    let mut program = program(root);
    let output = program.args(["--timeout", "0.5"]).output().unwrap();
    (output, started.elapsed())
}

/// The status, the line, and that the deadline was kept. Machines that test
/// are busy, so there is much room upwards; downwards there is none.
fn ends_in_time_with(root: &Path, line: &str) {
    let (output, time) = half_a_second(root);
    let line = line.replace("@ROOT@", root.to_str().unwrap());
    let expected =
        format!("xen-storewait: no answer from the store within 0.5 s: {line}; not under Xen\n");
    assert_eq!(said(&output), ("", expected.as_str(), 7));
    assert!(time >= Duration::from_millis(500), "{time:?}");
    assert!(time < Duration::from_millis(1500), "{time:?}");
}

fn with_socket_folder() -> tempfile::TempDir {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    root
}

fn faulty(manner: Manner, line: &str) {
    let root = with_socket_folder();
    let double = Double::start(&root.path().join("run/xenstored/socket"), manner);
    let line = format!("@ROOT@/run/xenstored/socket: {line}");
    ends_in_time_with(root.path(), &line);
    // After 1, 2, 4 … 256 ms: nobody is helped by more.
    let tries = double.accepted();
    assert!(tries <= 10, "{tries} tries");
}

#[test]
fn says_that_neither_socket_nor_folder_is_there() {
    let root = tempdir().unwrap();
    ends_in_time_with(
        root.path(),
        "@ROOT@/run/xenstored/socket: not there, nor is its folder",
    );
}

#[test]
fn says_that_the_socket_is_not_there() {
    let root = with_socket_folder();
    ends_in_time_with(root.path(), "@ROOT@/run/xenstored/socket: not there");
}

#[test]
fn says_that_the_socket_is_stale() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    drop(Double::start(&path, Manner::Honest));
    ends_in_time_with(
        root.path(),
        "@ROOT@/run/xenstored/socket: nobody listens on this socket (stale, refused)",
    );
}

#[test]
fn says_that_it_is_no_socket() {
    let root = with_socket_folder();
    fs::write(root.path().join("run/xenstored/socket"), "").unwrap();
    ends_in_time_with(
        root.path(),
        "@ROOT@/run/xenstored/socket: this is not a socket",
    );
}

#[test]
fn says_that_a_store_is_silent() {
    faulty(Manner::Silent, "listening, but silent");
}

#[test]
fn says_that_a_stopped_store_is_silent() {
    // The kernel itself takes the first connections into the queue.
    faulty(Manner::Stopped, "listening, but silent");
}

#[test]
fn says_that_the_queue_of_a_stopped_store_is_full() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let double = Double::start(&path, Manner::Stopped);
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            program(root.path())
                .args(["--timeout", "3"])
                .spawn()
                .unwrap()
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    ends_in_time_with(
        root.path(),
        "@ROOT@/run/xenstored/socket: listening, but it accepts no connection",
    );
    drop(double);
    let _new = Double::start(&path, Manner::Honest);
    for one in waiting {
        let output = one.wait_with_output().unwrap();
        assert_eq!(said(&output), ("", "", 0));
    }
}

#[test]
fn says_how_little_a_slow_store_has_answered() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let _double = Double::start(&path, Manner::Slow(Duration::from_millis(150)));
    let (output, time) = half_a_second(root.path());
    let (_, line, status) = said(&output);
    assert_eq!(status, 7);
    assert!(
        line.contains("socket: listening, but too slow (only "),
        "{line}"
    );
    assert!(line.contains(" bytes of an answer)"), "{line}");
    assert!(time < Duration::from_millis(1500), "{time:?}");
}

#[test]
fn says_what_was_wrong_with_the_answer() {
    faulty(
        Manner::Garbage,
        "wrong answer: unknown message type 759714643",
    );
    faulty(
        Manner::GiantLength,
        "wrong answer: a message of 4294967295 bytes, more than 4096",
    );
    faulty(
        Manner::WrongKind,
        "wrong answer: RM in reply to GET_DOMAIN_PATH",
    );
    faulty(
        Manner::WrongNumber,
        "wrong answer: a reply to request 8, not 1",
    );
    faulty(
        Manner::WrongContent,
        "wrong answer: the path of domain 0 is \"/local/domain/7\"",
    );
    faulty(
        Manner::Flooding,
        "wrong answer: an event that nobody asked for",
    );
    faulty(
        Manner::Refusing("EIO"),
        "wrong answer: the store answers EIO",
    );
}

#[test]
fn says_that_the_connection_is_closed_before_the_answer_is_whole() {
    let line = "closes the connection without an answer";
    faulty(Manner::Closing, line);
    // An answer is 16 bytes of header and 16 of payload: after each of them.
    let bytes: Vec<usize> = (0..32).collect();
    for some in bytes.chunks(8) {
        thread::scope(|scope| {
            for bytes in some {
                scope.spawn(|| faulty(Manner::ClosingAfter(*bytes), line));
            }
        });
    }
}

#[test]
fn tries_once_where_no_time_is_given() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let one_try = || {
        let started = Instant::now();
        let mut program = program(root.path());
        let output = program.args(["--timeout", "0"]).output().unwrap();
        assert!(started.elapsed() < Duration::from_millis(1000));
        output
    };
    let line = format!(
        "xen-storewait: no answer from the store: {}: not there; not under Xen\n",
        path.display()
    );
    assert_eq!(said(&one_try()), ("", line.as_str(), 7));
    let _double = Double::start(&path, Manner::Honest);
    assert_eq!(said(&one_try()), ("", "", 0));
}

#[test]
fn gives_a_store_that_listens_a_second_where_no_time_is_given() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let one_try = || {
        let started = Instant::now();
        let mut program = program(root.path());
        let output = program.args(["--timeout", "0"]).output().unwrap();
        (output, started.elapsed())
    };
    // 32 bytes.
    let slow = Double::start(&path, Manner::Slow(Duration::from_millis(10)));
    let (output, time) = one_try();
    assert_eq!(said(&output), ("", "", 0));
    assert!(time >= Duration::from_millis(300), "{time:?}");
    drop(slow);
    let _silent = Double::start(&path, Manner::Silent);
    let (output, time) = one_try();
    let line = format!(
        "xen-storewait: no answer from the store: {}: listening, but silent; not under Xen\n",
        path.display()
    );
    assert_eq!(said(&output), ("", line.as_str(), 7));
    assert!(time >= Duration::from_secs(1), "{time:?}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

#[test]
fn waits_in_the_queue_of_a_busy_store_where_no_time_is_given() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let bound = bind_socket(&path);
    listen(&bound, Backlog::new(1).unwrap()).unwrap();
    let queued: Vec<_> = (0..2)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    let waiting = program(root.path())
        .args(["--timeout", "0"])
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    let listener = UnixListener::from(bound);
    for _ in 0..3 {
        let (stream, _) = listener.accept().unwrap();
        let tree = std::sync::Arc::default();
        let writer = Box::new(stream.try_clone().unwrap());
        thread::spawn(move || double::serve(stream, writer, Manner::Honest, &tree));
    }
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", "", 0));
    drop(queued);
}

#[test]
fn does_not_say_not_under_xen_where_it_is() {
    let root = with_socket_folder();
    fs::create_dir_all(root.path().join("proc/xen")).unwrap();
    let (output, _) = half_a_second(root.path());
    let (_, line, _) = said(&output);
    assert!(line.ends_with("socket: not there\n"), "{line}");
}
