//! The client against the test store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;

use std::thread;
use std::time::{Duration, Instant};

use double::{Double, Manner, Tree};
use xen_storewait::{Access, Deadline, Error, Permission, Refusal, Store};

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// A store with a client, and the folder that holds its socket.
fn pair(tree: Tree) -> (tempfile::TempDir, Double, Store) {
    let folder = tempfile::tempdir().unwrap();
    let double = Double::start_with(&folder.path().join("socket"), Manner::Honest, tree);
    let store = Store::connect(double.path(), soon()).unwrap();
    (folder, double, store)
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Refused { refusal, .. } => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn reads_what_was_written_byte_for_byte() {
    let (_folder, double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    let value: Vec<u8> = (0..=255).collect();
    calls.write("/a/b", &value).unwrap();
    assert_eq!(calls.read("/a/b").unwrap(), value);
    assert_eq!(calls.read("/a").unwrap(), b"");
    assert_eq!(double.value("/a/b").unwrap(), value);
}

#[test]
fn tells_that_a_node_is_not_there() {
    let (_folder, _double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    let error = calls.read("/nothing").unwrap_err();
    assert_eq!(error.to_string(), "read /nothing: no such node (ENOENT)");
    assert_eq!(refusal(error), Refusal::NoEntry);
    assert_eq!(calls.read_if_there("/nothing").unwrap(), None);
}

#[test]
fn makes_lists_and_removes_nodes() {
    let (_folder, _double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    assert_eq!(calls.directory("/").unwrap(), Vec::<Vec<u8>>::new());
    calls.mkdir("/a/b").unwrap();
    calls.mkdir("/a/c").unwrap();
    assert_eq!(calls.directory("/a").unwrap(), [b"b", b"c"]);
    calls.remove("/a/b").unwrap();
    calls.remove("/a/b").unwrap();
    assert_eq!(calls.directory("/a").unwrap(), [b"c"]);
    let error = calls.remove("/x/y").unwrap_err();
    assert_eq!(refusal(error), Refusal::NoEntry);
}

#[test]
fn fetches_a_long_list_in_parts() {
    let (_folder, double, mut store) = pair(Tree::default());
    let names: Vec<String> = (0..2000)
        .map(|number| format!("child-{number:04}"))
        .collect();
    for name in &names {
        double.write(&format!("/many/{name}"), b"");
    }
    let found = store.until(soon()).directory("/many").unwrap();
    assert_eq!(
        found,
        names
            .iter()
            .map(|n| n.clone().into_bytes())
            .collect::<Vec<_>>()
    );
}

#[test]
fn sets_permissions_and_gives_the_path_of_a_domain() {
    let (_folder, _double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    calls.mkdir("/a").unwrap();
    let permissions = [
        Permission {
            access: Access::None,
            domid: 0,
        },
        Permission {
            access: Access::Both,
            domid: 5,
        },
    ];
    calls.set_permissions("/a", &permissions).unwrap();
    assert_eq!(calls.permissions("/a").unwrap(), permissions);
    assert_eq!(calls.domain_path(5).unwrap(), b"/local/domain/5");
}

#[test]
fn refuses_what_would_cost_the_connection_before_it_is_sent() {
    let (_folder, _double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    let error = calls.write("/a", vec![b'x'; 4094]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "write /a: a request of 4097 bytes is too long for the store"
    );
    calls.write("/a", vec![b'x'; 4093]).unwrap();
    assert_eq!(calls.read("/a").unwrap().len(), 4093);
    for path in [
        "",
        "/a\0b",
        &format!("/{}", "x".repeat(3072)),
        &"x".repeat(2049),
    ] {
        let error = calls.read(path).unwrap_err();
        assert_eq!(error.exit_status(), 2, "{error}");
    }
    assert_eq!(refusal(calls.read("x").unwrap_err()), Refusal::Invalid);
}

#[test]
fn gets_events_of_watched_paths_only_and_none_after_unwatch() {
    let (_folder, double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    calls.watch("/a", "one").unwrap();
    let first = calls.next_event().unwrap().unwrap();
    assert_eq!(
        (&first.path[..], &first.token[..]),
        (&b"/a"[..], &b"one"[..])
    );
    double.write("/b", b"");
    double.write("/a/c", b"");
    assert_eq!(calls.next_event().unwrap().unwrap().path, b"/a/c");
    calls.unwatch("/a", "one").unwrap();
    double.write("/a/c", b"");
    let mut brief = store.until(Deadline::after(Duration::from_millis(50)));
    assert_eq!(brief.events().count(), 0);
}

#[test]
fn events_end_with_the_store() {
    let (_folder, double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    calls.watch("/a", "token").unwrap();
    drop(double);
    let errors = calls.events().filter(Result::is_err);
    assert_eq!(errors.take(9).count(), 1);
}

#[test]
fn keeps_events_that_come_between_a_request_and_its_reply() {
    let tree = Tree::with(|tree| tree.chatter = true);
    let (_folder, _double, mut store) = pair(tree);
    let mut calls = store.until(soon());
    calls.watch("/b", "quiet").unwrap();
    calls.write("/a", "1").unwrap();
    assert_eq!(calls.read("/a").unwrap(), b"1");
    for token in ["noise", "quiet", "noise", "noise"] {
        assert_eq!(calls.next_event().unwrap().unwrap().token, token.as_bytes());
    }
}

#[test]
fn commits_a_transaction_as_a_whole_and_tries_again_after_a_conflict() {
    let tree = Tree::with(|tree| tree.conflicts = 2);
    let (_folder, double, mut store) = pair(tree);
    let mut tries = 0;
    let mut calls = store.until(soon());
    calls
        .transaction(|calls| {
            tries += 1;
            calls.write("/a", tries.to_string())?;
            assert_eq!(double.value("/a"), None);
            calls.read("/a")
        })
        .unwrap();
    assert_eq!(tries, 3);
    assert_eq!(double.value("/a").unwrap(), b"3");
}

#[test]
fn leaves_nothing_of_a_transaction_that_fails() {
    let (_folder, double, mut store) = pair(Tree::default());
    let mut calls = store.until(soon());
    let error = calls
        .transaction(|calls| {
            calls.write("/a", "1")?;
            calls.read("/nothing")
        })
        .unwrap_err();
    assert_eq!(refusal(error), Refusal::NoEntry);
    assert_eq!(double.value("/a"), None);
    calls.write("/b", "1").unwrap();
}

#[test]
fn ends_a_transaction_that_never_gets_through_at_the_deadline() {
    let tree = Tree::with(|tree| tree.conflicts = usize::MAX);
    let (_folder, _double, mut store) = pair(tree);
    let started = Instant::now();
    let mut calls = store.until(Deadline::after(Duration::from_millis(100)));
    calls
        .transaction(|calls| calls.write("/a", "1"))
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn does_not_take_a_late_reply_for_that_of_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner::Slow(Duration::from_millis(30));
    let double = Double::start(&folder.path().join("socket"), manner);
    double.write("/a", b"first");
    double.write("/b", b"second");
    let mut store = Store::connect(double.path(), soon()).unwrap();
    let brief = Deadline::after(Duration::from_millis(400));
    let error = store.until(brief).read("/a").unwrap_err();
    // On a busy machine not even its first byte may have come.
    assert!(matches!(error, Error::Late { .. }), "{error}");
    assert_eq!(store.until(soon()).read("/b").unwrap(), b"second");
}

#[test]
fn says_that_the_store_died_and_goes_on_saying_so() {
    let (_folder, double, mut store) = pair(Tree::default());
    drop(double);
    thread::sleep(Duration::from_millis(20));
    for _ in 0..2 {
        let error = store.until(soon()).read("/a").unwrap_err();
        assert!(matches!(error, Error::Died { .. }), "{error}");
    }
}

#[test]
fn is_done_with_a_store_that_gives_wrong_answers() {
    for (manner, what) in [
        (Manner::Garbage, "unknown message type "),
        (
            Manner::GiantLength,
            "a message of 4294967295 bytes, more than 4096",
        ),
        (Manner::WrongKind, "RM in reply to READ"),
        (Manner::WrongNumber, "a reply to request 8, not 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let double = Double::start(&folder.path().join("socket"), manner);
        let mut store = Store::connect(double.path(), soon()).unwrap();
        let error = store.until(soon()).read("/").unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        let error = store.until(soon()).read("/").unwrap_err();
        assert!(matches!(error, Error::Died { .. }), "{error}");
    }
}
