//! The program starts a store, but only where none lives.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use tempfile::{TempDir, tempdir};

use double::device::Device;
use double::{Double, Manner};
use program::{program, said, unshared};

/// A machine without processes.
fn machine() -> TempDir {
    let root = tempdir().unwrap();
    for folder in ["run/xenstored", "proc/self", "proc/sys/fs"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    fs::write(root.path().join("proc/sys/fs/nr_open"), "4096\n").unwrap();
    root
}

fn add_process(root: &Path, pid: u32, executable: &str) {
    let folder = root.join(format!("proc/{pid}"));
    fs::create_dir_all(&folder).unwrap();
    symlink(executable, folder.join("exe")).unwrap();
}

fn launch(root: &Path, flags: &[&str], daemon: &[&str]) -> Output {
    let mut program = program(root);
    program
        .args(["--launch", "-v"])
        .args(flags)
        .arg("--")
        .args(daemon);
    program.output().unwrap()
}

/// The daemon of these tests says that it was started.
const DAEMON: [&str; 3] = ["sh", "-c", "echo started"];

fn starts_nothing_since(root: &Path, why: &str) {
    let why = why.replace("@ROOT@", root.to_str().unwrap());
    let line = format!("xen-storewait: a store lives: {why}\n");
    for flags in [&[][..], &["-n"]] {
        assert_eq!(said(&launch(root, flags, &DAEMON)), ("", line.as_str(), 0));
    }
}

#[test]
fn becomes_the_daemon_with_its_limits_set() {
    let root = machine();
    let script = "ulimit -Hn; ulimit -Sn; echo \"$1\"";
    let daemon = ["sh", "-c", script, "sh", "an argument"];
    let score = || fs::read_to_string(root.path().join("proc/self/oom_score_adj")).unwrap();
    let output = launch(root.path(), &["--max-open-fds", "512"], &daemon);
    assert_eq!(said(&output), ("512\n512\nan argument\n", "", 0));
    assert_eq!(score(), "-500");
    let flags = ["--oom-mem-threshold", "100", "--max-open-fds", "4097"];
    let output = launch(root.path(), &flags, &daemon);
    let capped = "xen-storewait: the daemon may open 4096 files (fs.nr_open), not 4097\n";
    assert_eq!(said(&output), ("4096\n4096\nan argument\n", capped, 0));
    assert_eq!(score(), "-1000");
}

#[test]
fn takes_the_limits_from_the_variables_of_upstream() {
    let root = machine();
    let mut program = program(root.path());
    program.env("XENSTORED_MAX_OPEN_FDS", "700");
    program.env("XENSTORED_OOM_MEM_THRESHOLD", "7");
    program.args(["--launch", "-n", "--", "/usr/sbin/oxenstored", "--no-fork"]);
    let line = "prlimit --nofile=700 choom -n -70 -- /usr/sbin/oxenstored --no-fork\n";
    assert_eq!(said(&program.output().unwrap()), (line, "", 0));
    assert!(!root.path().join("run/xen-dom0.lock").exists());
}

#[test]
fn starts_nothing_where_a_store_process_lives() {
    for executable in [
        "/usr/lib/xen-4.17/bin/xenstored",
        "/usr/sbin/oxenstored (deleted)",
    ] {
        let root = machine();
        add_process(root.path(), 1, "/usr/lib/systemd/systemd");
        add_process(root.path(), 417, executable);
        starts_nothing_since(root.path(), &format!("process 417, {executable}"));
    }
}

#[test]
fn starts_nothing_where_a_store_answers_on_the_socket() {
    let root = machine();
    let socket = root.path().join("run/xenstored/socket");
    let _double = Double::start(&socket, Manner::Honest);
    starts_nothing_since(root.path(), "it answers on @ROOT@/run/xenstored/socket");
}

#[test]
fn starts_nothing_where_a_store_answers_through_the_device() {
    let root = machine();
    let _device = Device::start(root.path(), Manner::Honest);
    starts_nothing_since(root.path(), "it answers on @ROOT@/dev/xen/xenbus");
}

#[test]
fn starts_over_a_stale_socket_and_a_stale_lock() {
    let root = machine();
    drop(Double::start(
        &root.path().join("run/xenstored/socket"),
        Manner::Honest,
    ));
    fs::write(root.path().join("run/xen-dom0.lock"), "").unwrap();
    add_process(root.path(), 1, "/usr/bin/xenstore-ls");
    assert_eq!(
        said(&launch(root.path(), &[], &DAEMON)),
        ("started\n", "", 0)
    );
}

#[test]
fn waits_for_a_silent_device_by_what_the_interrupts_tell() {
    let root = machine();
    let _device = Device::start(root.path(), Manner::Silent);
    let timed = |count: &str| {
        let text = format!("  CPU0\n 48: {count}  xen-dyn  -event  xenbus\n");
        fs::write(root.path().join("proc/interrupts"), text).unwrap();
        let started = Instant::now();
        let output = launch(root.path(), &["--force"], &DAEMON);
        assert_eq!(said(&output).0, "started\n");
        started.elapsed()
    };
    let never_heard = timed("0");
    assert!(never_heard >= Duration::from_millis(200), "{never_heard:?}");
    assert!(never_heard < Duration::from_millis(1200), "{never_heard:?}");
    let once_heard = timed("3");
    assert!(once_heard >= Duration::from_secs(2), "{once_heard:?}");
    assert!(once_heard < Duration::from_secs(3), "{once_heard:?}");
}

#[test]
fn starts_none_after_one_that_died_unless_it_has_to() {
    let root = machine();
    let text = "  CPU0  CPU1\n 48: 0  3  xen-dyn  -event  xenbus\n";
    fs::write(root.path().join("proc/interrupts"), text).unwrap();
    let line = "xen-storewait: the store of this boot has died, and nothing but a reboot makes \
                this a working Dom0 again (--force starts a new, empty one)\n";
    assert_eq!(said(&launch(root.path(), &[], &DAEMON)), ("", line, 6));
    assert_eq!(said(&launch(root.path(), &["-n"], &DAEMON)), ("", line, 6));
    let output = launch(root.path(), &["--force"], &DAEMON);
    assert_eq!(said(&output), ("started\n", "", 0));
}

fn lock(root: &Path) -> Flock<File> {
    let file = File::create(root.join("run/xen-dom0.lock")).unwrap();
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, errno)| errno)
        .unwrap()
}

#[test]
fn waits_for_another_start_and_says_who_holds_it_up() {
    let root = machine();
    let held = lock(root.path());
    let started = Instant::now();
    let output = launch(root.path(), &["--timeout", "0.3"], &DAEMON);
    let line = format!(
        "xen-storewait: lock {}/run/xen-dom0.lock: held by another start for more than 0.3 s\n",
        root.path().display()
    );
    assert_eq!(said(&output), ("", line.as_str(), 7));
    assert!(started.elapsed() < Duration::from_millis(1300));
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        drop(held);
    });
    assert_eq!(
        said(&launch(root.path(), &[], &DAEMON)),
        ("started\n", "", 0)
    );
    release.join().unwrap();
}

#[test]
fn does_not_wait_where_the_caller_holds_the_lock() {
    let root = machine();
    let _held = lock(root.path());
    let mut program = program(root.path());
    program
        .env("XEN_DOM0_LOCKED", "1")
        .args(["--launch", "--"])
        .args(DAEMON);
    assert_eq!(said(&program.output().unwrap()), ("started\n", "", 0));
}

#[test]
fn hands_the_daemon_no_lock_neither_its_own_nor_the_callers() {
    let root = machine();
    let script = r#"
        exec 9> "$ROOT/run/xen-dom0.lock"
        flock 9
        XEN_DOM0_LOCKED=1 "$PROGRAM" --root "$ROOT" --launch -- ls -l /proc/self/fd
        exec 9>&-
        "$PROGRAM" --root "$ROOT" --launch -- ls -l /proc/self/fd"#;
    let output = unshared(root.path(), script);
    let (out, err, status) = said(&output);
    assert_eq!((err, status), ("", 0));
    assert_eq!(out.matches("/proc/").count(), 2, "{out}");
    assert!(!out.contains("xen-dom0.lock"), "{out}");
}

#[test]
fn says_that_the_daemon_is_not_there_or_not_to_be_run() {
    let root = machine();
    let output = launch(root.path(), &[], &["/nowhere/xenstored"]);
    let line = "xen-storewait: start /nowhere/xenstored: No such file or directory (os error 2)\n";
    assert_eq!(said(&output), ("", line, 5));
    let output = launch(root.path(), &[], &["no-such-xenstored"]);
    let line = "xen-storewait: start no-such-xenstored: No such file or directory (os error 2)\n";
    assert_eq!(said(&output), ("", line, 5));
    // Found out before anything was set for it.
    assert!(!root.path().join("proc/self/oom_score_adj").exists());
    let output = launch(root.path(), &[], &[""]);
    let line = "xen-storewait: --launch: the name of the daemon is empty (see --help)\n";
    assert_eq!(said(&output), ("", line, 2));
    let daemon = root.path().join("xenstored");
    fs::write(&daemon, "").unwrap();
    let daemon = daemon.to_str().unwrap();
    let output = launch(root.path(), &[], &[daemon]);
    let line = format!("xen-storewait: start {daemon}: Permission denied (os error 13)\n");
    assert_eq!(said(&output), ("", line.as_str(), 4));
}

#[test]
fn says_which_setting_of_the_daemon_cannot_be_used() {
    let root = machine();
    for (flags, line) in [
        (
            ["--max-open-fds", "many"],
            "--max-open-fds (XENSTORED_MAX_OPEN_FDS) \"many\": a number or \"unlimited\" expected",
        ),
        (
            ["--max-open-fds", "0"],
            "--max-open-fds (XENSTORED_MAX_OPEN_FDS) \"0\": at least 1 expected",
        ),
        (
            ["--oom-mem-threshold", "101"],
            "--oom-mem-threshold (XENSTORED_OOM_MEM_THRESHOLD) \"101\": a percentage from 0 to 100 expected",
        ),
    ] {
        let output = launch(root.path(), &flags, &DAEMON);
        let line = format!("xen-storewait: {line}\n");
        assert_eq!(said(&output), ("", line.as_str(), 6));
    }
}

#[test]
fn is_not_permitted_to_raise_a_limit() {
    let root = machine();
    // Root of a namespace of its own has no such right over the machine.
    let script = r#"
        ulimit -n 64
        exec "$PROGRAM" --root "$ROOT" --max-open-fds 512 --launch -- true"#;
    let output = unshared(root.path(), script);
    let line = "xen-storewait: allow 512 open files: Operation not permitted (os error 1)\n";
    assert_eq!(said(&output), ("", line, 4));
}

#[test]
fn is_not_permitted_as_somebody_else() {
    let folder = tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), mode).unwrap();
    let program_copy = folder.path().join("xen-storewait");
    program::copy(program::PROGRAM, &program_copy);
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups"])
        .arg(&program_copy)
        .args(["--launch", "--", "true"])
        .output()
        .unwrap();
    let (out, err, status) = said(&output);
    assert_eq!((out, status), ("", 4), "{err}");
    assert!(
        err.starts_with("xen-storewait: lock /run/xen-dom0.lock: "),
        "{err}"
    );
}

fn with_a_binary() -> TempDir {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("bin")).unwrap();
    program::copy("/bin/sleep", &root.path().join("bin/xenstored"));
    root
}

/// With the kernel's own `/proc`, in a process namespace of its own.
#[test]
fn two_starts_at_once_are_one() {
    let root = with_a_binary();
    let script = r#"
        mount -t tmpfs tmpfs /run
        for start in 1 2 3 4 5; do
            "$PROGRAM" -v --max-open-fds 256 --oom-mem-threshold 0 \
                --launch -- "$ROOT/bin/xenstored" 3 &
        done
        sleep 1
        for exe in /proc/[0-9]*/exe; do readlink "$exe" || :; done | grep -c "bin/xenstored$"
        kill $!
        wait"#;
    let output = unshared(root.path(), script);
    let (out, err, _) = said(&output);
    assert_eq!(out, "1\n", "{err}");
    assert_eq!(err.matches("a store lives: process ").count(), 4, "{err}");
}

#[test]
fn two_starts_at_once_are_one_though_the_daemon_is_a_script() {
    let root = with_a_binary();
    let script = r#"
        mount -t tmpfs tmpfs /run
        echo 'sleep 0.5; exec "$ROOT/bin/xenstored" 3' > /run/daemon
        # One that ended long ago, with the number of another process.
        echo '1 7' > /run/xen-storewait.started
        for start in 1 2 3 4 5; do
            "$PROGRAM" -v --max-open-fds 256 --oom-mem-threshold 0 --launch -- sh /run/daemon &
        done
        sleep 1.5
        for exe in /proc/[0-9]*/exe; do readlink "$exe" || :; done | grep -c "bin/xenstored$"
        kill $!
        wait"#;
    let output = unshared(root.path(), script);
    let (out, err, _) = said(&output);
    assert_eq!(out, "1\n", "{err}");
    assert_eq!(
        err.matches(", was started as the store\n").count(),
        4,
        "{err}"
    );
}

/// As in the unit of the store, over one that was started by other means.
#[test]
fn finds_a_store_that_hides_its_executable() {
    let root = with_a_binary();
    let script = r#"
        mount -t tmpfs tmpfs /run
        "$ROOT/bin/xenstored" 20 & store=$!
        setpriv --bounding-set -sys_ptrace "$PROGRAM" -v --launch -- echo started
        kill $store"#;
    let output = unshared(root.path(), script);
    let line = "xen-storewait: a store lives: process 3, xenstored\n";
    assert_eq!(said(&output), ("", line, 0));
}

/// Its executable is hidden too, and it is a store no longer.
#[test]
fn takes_no_zombie_for_a_store() {
    let root = with_a_binary();
    let script = r#"
        mount -t tmpfs tmpfs /run
        sh -c '"$ROOT/bin/xenstored" 0 & exec sleep 20' & parent=$!
        sleep 0.5
        export XENSTORED_MAX_OPEN_FDS=256 XENSTORED_OOM_MEM_THRESHOLD=0
        setpriv --bounding-set -sys_ptrace "$PROGRAM" --launch -- echo started
        kill $parent"#;
    let output = unshared(root.path(), script);
    assert_eq!(said(&output), ("started\n", "", 0));
}

/// A script can outlive the store that it started.
#[test]
fn starts_by_force_where_what_was_started_as_the_store_is_none() {
    let root = tempdir().unwrap();
    let script = r#"
        mount -t tmpfs tmpfs /run
        export XENSTORED_MAX_OPEN_FDS=256 XENSTORED_OOM_MEM_THRESHOLD=0
        "$PROGRAM" --launch -- sleep 20 & started=$!
        sleep 0.5
        "$PROGRAM" -v --launch --force -- echo soon
        touch -d '1 minute ago' /run/xen-storewait.started
        for force in '' --force; do "$PROGRAM" -v --launch $force -- echo forced; done
        kill $started"#;
    let output = unshared(root.path(), script);
    let (out, err, status) = said(&output);
    assert_eq!((out, status), ("forced\n", 0), "{err}");
    assert_eq!(
        err.matches("was started as the store\n").count(),
        2,
        "{err}"
    );
}
