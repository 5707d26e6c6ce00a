//! In whatever way a store appears, the program wakes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Backlog, listen};
use tempfile::tempdir;

use double::{Double, Manner, bind_socket};
use program::{program, said, unshared};

fn with_socket_folder() -> tempfile::TempDir {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    root
}

/// The table of mounts is read below the root, too.
fn with_proc(root: &Path) {
    std::os::unix::fs::symlink("/proc", root.join("proc")).unwrap();
}

/// Waits while `meanwhile` is done, and ends soon after it.
fn wakes_after<T>(root: &Path, meanwhile: impl FnOnce() -> T) {
    let waiting = program(root).args(["--timeout", "20"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(200));
    let _kept = meanwhile();
    let done = Instant::now();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", "", 0));
    assert!(
        done.elapsed() < Duration::from_millis(700),
        "{:?}",
        done.elapsed()
    );
}

#[test]
fn wakes_when_the_socket_appears() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || Double::start(&path, Manner::Honest));
}

#[test]
fn wakes_when_the_folders_appear_one_by_one() {
    let root = tempdir().unwrap();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || {
        for folder in ["run", "run/xenstored"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            thread::sleep(Duration::from_millis(30));
        }
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_the_folders_appear_all_at_once() {
    let root = tempdir().unwrap();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_the_folder_was_removed_and_made_again() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || {
        fs::remove_dir(path.parent().unwrap()).unwrap();
        thread::sleep(Duration::from_millis(50));
        fs::create_dir(path.parent().unwrap()).unwrap();
        thread::sleep(Duration::from_millis(50));
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_a_folder_with_a_socket_is_moved_into_place() {
    let root = tempdir().unwrap();
    fs::create_dir(root.path().join("run")).unwrap();
    let aside = root.path().join("aside");
    fs::create_dir(&aside).unwrap();
    wakes_after(root.path(), || {
        let double = Double::start(&aside.join("socket"), Manner::Honest);
        fs::rename(&aside, root.path().join("run/xenstored")).unwrap();
        double
    });
}

#[test]
fn wakes_when_a_folder_further_up_was_moved_away_and_made_again() {
    let root = with_socket_folder();
    with_proc(root.path());
    fs::create_dir_all(root.path().join("var/run")).unwrap();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || {
        fs::rename(root.path().join("run"), root.path().join("old")).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        thread::sleep(Duration::from_millis(50));
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_a_link_on_the_way_leads_elsewhere() {
    let root = tempdir().unwrap();
    with_proc(root.path());
    for folder in ["one/xenstored", "two/xenstored", "var/run"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    std::os::unix::fs::symlink("one", root.path().join("run")).unwrap();
    let path = root.path().join("two/xenstored/socket");
    wakes_after(root.path(), || {
        std::os::unix::fs::symlink("two", root.path().join("new")).unwrap();
        fs::rename(root.path().join("new"), root.path().join("run")).unwrap();
        thread::sleep(Duration::from_millis(50));
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_the_end_of_a_link_on_the_way_appears() {
    let root = tempdir().unwrap();
    with_proc(root.path());
    let end = root.path().join("one/two");
    std::os::unix::fs::symlink(&end, root.path().join("run")).unwrap();
    let path = end.join("xenstored/socket");
    wakes_after(root.path(), || {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        thread::sleep(Duration::from_millis(50));
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn ends_in_a_circle_of_links() {
    let root = tempdir().unwrap();
    with_proc(root.path());
    std::os::unix::fs::symlink("run", root.path().join("run")).unwrap();
    let output = program(root.path()).args(["--timeout", "0.3"]).output();
    let (_, line, status) = said(output.as_ref().unwrap());
    assert_eq!(status, 7, "{line}");
}

/// Both the store and this program may have been stopped, as with a machine.
#[test]
fn looks_once_more_where_it_slept_longer_than_asked_for() {
    let root = with_socket_folder();
    with_proc(root.path());
    let mut program = program(root.path());
    let waiting = program.args(["--timeout", "1"]).spawn().unwrap();
    let process = nix::unistd::Pid::from_raw(waiting.id().try_into().unwrap());
    thread::sleep(Duration::from_millis(300));
    kill(process, Signal::SIGSTOP).unwrap();
    thread::sleep(Duration::from_millis(1200));
    let _double = Double::start(&root.path().join("run/xenstored/socket"), Manner::Honest);
    kill(process, Signal::SIGCONT).unwrap();
    assert_eq!(said(&waiting.wait_with_output().unwrap()), ("", "", 0));
}

#[test]
fn finds_a_socket_that_is_only_below_var_run() {
    let root = tempdir().unwrap();
    let path = root.path().join("var/run/xenstored/socket");
    wakes_after(root.path(), || {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn takes_var_run_as_a_link() {
    let root = with_socket_folder();
    fs::create_dir(root.path().join("var")).unwrap();
    std::os::unix::fs::symlink("../run", root.path().join("var/run")).unwrap();
    let path = root.path().join("run/xenstored/socket");
    wakes_after(root.path(), || Double::start(&path, Manner::Honest));
}

#[test]
fn finds_a_socket_that_is_a_link_to_one_that_comes_and_goes() {
    let root = with_socket_folder();
    fs::create_dir(root.path().join("aside")).unwrap();
    let path = root.path().join("aside/real");
    std::os::unix::fs::symlink(&path, root.path().join("run/xenstored/socket")).unwrap();
    let mut program = program(root.path());
    let waiting = program.args(["--timeout", "20"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(200));
    drop(Double::start(&path, Manner::Closing));
    thread::sleep(Duration::from_millis(200));
    fs::remove_file(&path).unwrap();
    thread::sleep(Duration::from_millis(1200));
    let _double = Double::start(&path, Manner::Honest);
    assert_eq!(said(&waiting.wait_with_output().unwrap()), ("", "", 0));
}

#[test]
fn wakes_when_a_stale_socket_is_replaced() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    drop(Double::start(&path, Manner::Honest));
    wakes_after(root.path(), || Double::start(&path, Manner::Honest));
}

#[test]
fn wakes_soon_when_a_store_listens_long_after_it_was_bound() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let bound = bind_socket(&path);
    let waiting = program(root.path())
        .args(["--timeout", "20"])
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    // Nothing tells of this but another try, after half a second at most.
    listen(&bound, Backlog::new(1).unwrap()).unwrap();
    let listener = std::os::unix::net::UnixListener::from(bound);
    let (stream, _) = listener.accept().unwrap();
    let tree = std::sync::Arc::default();
    let writer = Box::new(stream.try_clone().unwrap());
    thread::spawn(move || double::serve(stream, writer, Manner::Honest, &tree));
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", "", 0));
}

#[test]
fn leaves_a_silent_store_when_another_has_taken_its_socket() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let silent = Double::start(&path, Manner::Silent);
    wakes_after(root.path(), || {
        (Double::start(&path, Manner::Honest), silent)
    });
}

#[test]
fn wakes_when_a_stopped_store_is_killed_and_another_started() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let stopped = Double::start(&path, Manner::Stopped);
    wakes_after(root.path(), || {
        drop(stopped);
        thread::sleep(Duration::from_millis(50));
        Double::start(&path, Manner::Honest)
    });
}

#[test]
fn wakes_when_a_fresh_file_system_covers_the_folder() {
    let root = with_socket_folder();
    let script = r#"
        "$PROGRAM" --root "$ROOT" --socket "$ROOT/run/xenstored/socket" --timeout 20 & waiting=$!
        sleep 0.2
        mount -t tmpfs tmpfs "$ROOT/run"
        mkdir "$ROOT/run/xenstored"
        sleep 0.1
        mount --bind "$ROOT/ready" "$ROOT/run/xenstored"
        wait $waiting"#;
    fs::create_dir(root.path().join("ready")).unwrap();
    with_proc(root.path());
    let _double = Double::start(&root.path().join("ready/socket"), Manner::Honest);
    let started = Instant::now();
    let output = unshared(root.path(), script);
    assert_eq!(said(&output), ("", "", 0));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn finds_a_fresh_file_system_though_proc_is_not_mounted() {
    let root = with_socket_folder();
    let script = r#"
        "$PROGRAM" --root "$ROOT" --timeout 20 & waiting=$!
        sleep 0.2
        mount --bind "$ROOT/ready" "$ROOT/run"
        wait $waiting"#;
    fs::create_dir_all(root.path().join("ready/xenstored")).unwrap();
    let path = root.path().join("ready/xenstored/socket");
    let _double = Double::start(&path, Manner::Honest);
    let started = Instant::now();
    let output = unshared(root.path(), script);
    assert_eq!(said(&output), ("", "", 0));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn waits_without_watches_where_the_kernel_gives_none() {
    let root = with_socket_folder();
    let script = r#"
        echo 0 > /proc/sys/user/max_inotify_instances
        (sleep 0.4; ln "$ROOT/ready" "$ROOT/run/xenstored/socket") &
        exec "$PROGRAM" --root "$ROOT" --timeout 20"#;
    let _double = Double::start(&root.path().join("ready"), Manner::Honest);
    let started = Instant::now();
    let output = unshared(root.path(), script);
    assert_eq!(said(&output), ("", "", 0));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn leaves_a_silent_store_without_watches_too() {
    let root = with_socket_folder();
    let script = r#"
        echo 0 > /proc/sys/user/max_inotify_instances
        (sleep 0.4; ln -f "$ROOT/ready" "$ROOT/run/xenstored/socket") &
        exec "$PROGRAM" --root "$ROOT" --timeout 20"#;
    let _silent = Double::start(&root.path().join("run/xenstored/socket"), Manner::Silent);
    let _double = Double::start(&root.path().join("ready"), Manner::Honest);
    let output = unshared(root.path(), script);
    assert_eq!(said(&output), ("", "", 0));
}

#[test]
fn says_how_a_node_is_that_never_rests() {
    let root = with_socket_folder();
    let double = Double::start(&root.path().join("run/xenstored/socket"), Manner::Honest);
    let lines: Vec<String> = thread::scope(|scope| {
        let (ended, is_ended) = std::sync::mpsc::channel::<()>();
        let double = &double;
        scope.spawn(move || {
            let pause = Duration::from_micros(300);
            while is_ended.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                double.write("/fast", b"again");
            }
        });
        let arguments = ["--timeout", "1", "--wait", "/fast=never"];
        let spawn = |_| program(root.path()).args(arguments).spawn().unwrap();
        let waiting: Vec<_> = (0..8).map(spawn).collect();
        let outputs = waiting
            .into_iter()
            .map(|one| one.wait_with_output().unwrap());
        let lines = outputs.map(|output| said(&output).1.to_owned()).collect();
        drop(ended);
        lines
    });
    for line in lines {
        let expected = "xen-storewait: wait for /fast: it is \"again\" after 1 s\n";
        assert_eq!(line, expected);
    }
}

#[test]
fn lets_a_hundred_wait_at_once() {
    let root = with_socket_folder();
    let path = root.path().join("run/xenstored/socket");
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            program(root.path())
                .args(["--timeout", "30"])
                .spawn()
                .unwrap()
        })
        .collect();
    let _double = Double::start(&path, Manner::Honest);
    for one in waiting {
        let output = one.wait_with_output().unwrap();
        assert_eq!(said(&output), ("", "", 0));
    }
}
