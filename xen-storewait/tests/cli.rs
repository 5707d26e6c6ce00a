//! The command line: what is printed, to where, with which status.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;
mod program;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use double::{Double, Manner, Tree};
use program::{program, said};

fn store(manner: Manner, tree: Tree) -> (TempDir, Double) {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/xenstored")).unwrap();
    let socket = root.path().join("run/xenstored/socket");
    let double = Double::start_with(&socket, manner, tree);
    (root, double)
}

fn honest() -> (TempDir, Double) {
    store(Manner::Honest, Tree::default())
}

/// Runs it with words that are split at blanks.
fn run(root: &Path, line: &str) -> Output {
    let words = line.split(' ').filter(|word| !word.is_empty());
    program(root).args(words).output().unwrap()
}

#[test]
fn is_silent_where_a_store_answers() {
    let (root, _double) = honest();
    assert_eq!(said(&run(root.path(), "")), ("", "", 0));
    assert_eq!(said(&run(root.path(), "")), ("", "", 0));
}

#[test]
fn seeds_what_is_missing_and_says_so_once() {
    let (root, double) = honest();
    let output = run(root.path(), "--seed-dom0 -v");
    let (out, err, status) = said(&output);
    assert_eq!((out, status), ("", 0));
    let lines: Vec<&str> = err.lines().collect();
    assert!(lines[0].starts_with("xen-storewait: the store answers on "));
    assert_eq!(
        lines[1..],
        [
            "xen-storewait: wrote /local/domain/0/domid",
            "xen-storewait: wrote /local/domain/0/name"
        ]
    );
    assert_eq!(double.value("/local/domain/0/domid").unwrap(), b"0");
    assert_eq!(double.value("/local/domain/0/name").unwrap(), b"Domain-0");
    double.write("/local/domain/0/name", b"host");
    let output = run(root.path(), "--seed-dom0 -v");
    assert_eq!(said(&output).1.lines().count(), 1);
    assert_eq!(double.value("/local/domain/0/name").unwrap(), b"host");
}

#[test]
fn does_everything_in_the_order_given() {
    let (root, double) = honest();
    let line = "--write /a=1 --read /a --write /a=2=3 --wait /a=2=3 --read /a --seed-dom0 \
                --read /local/domain/0/name";
    let output = run(root.path(), line);
    assert_eq!(said(&output), ("1\n2=3\nDomain-0\n", "", 0));
    assert_eq!(double.value("/a").unwrap(), b"2=3");
}

#[test]
fn prints_values_escaped_or_raw() {
    let (root, double) = honest();
    double.write("/a", b"x\n\\\0\xff");
    let output = run(root.path(), "--read /a");
    assert_eq!(said(&output), ("x\\n\\\\\\x00\\xff\n", "", 0));
    let output = run(root.path(), "--read /a --raw --read /a");
    assert_eq!(output.stdout, b"x\n\\\0\xffx\n\\\0\xff");
}

#[test]
fn says_that_a_node_is_not_there() {
    let (root, _double) = honest();
    let output = run(root.path(), "--read /nothing");
    let line = "xen-storewait: read /nothing: no such node (ENOENT)\n";
    assert_eq!(said(&output), ("", line, 1));
}

#[test]
fn says_that_the_store_does_not_permit_it() {
    let tree = Tree::with(|tree| tree.read_only = Some("/local".to_owned()));
    let (root, _double) = store(Manner::Honest, tree);
    let output = run(root.path(), "--write /local/a=1");
    let line = "xen-storewait: write /local/a: the store does not permit it (EACCES)\n";
    assert_eq!(said(&output), ("", line, 4));
    assert_eq!(said(&run(root.path(), "--seed-dom0")).2, 4);
}

#[test]
fn waits_for_a_value_and_for_absence() {
    let (root, double) = honest();
    double.write("/b", b"");
    let mut program = program(root.path());
    let line = "--wait /a --wait /a=on --wait !/b --read /a --timeout 20";
    let waiting = program.args(line.split(' ')).spawn().unwrap();
    for value in ["off", "almost", "on"] {
        thread::sleep(Duration::from_millis(50));
        double.write("/a", value.as_bytes());
    }
    thread::sleep(Duration::from_millis(50));
    double.write("/b/c", b"1");
    double.remove("/b");
    let changed = Instant::now();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("on\n", "", 0));
    assert!(changed.elapsed() < Duration::from_millis(500));
}

#[test]
fn says_how_a_node_is_that_was_waited_for_in_vain() {
    let (root, double) = honest();
    double.write("/a", b"no\n");
    for (wait, seen) in [
        ("/a=yes", "/a: it is \"no\\n\""),
        ("!/a", "the absence of /a: it is \"no\\n\""),
        ("/b", "/b: not there"),
    ] {
        let started = Instant::now();
        let output = run(root.path(), &format!("--timeout 1 --wait {wait}"));
        let line = format!("xen-storewait: wait for {seen} after 1 s\n");
        assert_eq!(said(&output), ("", line.as_str(), 7));
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn says_what_it_waited_for_when_the_store_dies() {
    let (root, double) = honest();
    double.write("/first", b"");
    let mut program = program(root.path());
    let line = "--timeout 20 --wait /first --wait !/first --wait /second";
    let waiting = program.args(line.split(' ')).spawn().unwrap();
    thread::sleep(Duration::from_millis(200));
    let path = double.path().to_path_buf();
    drop(double);
    let line = format!(
        "xen-storewait: wait for the absence of /first: the store closed the connection on {}\n",
        path.display()
    );
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(said(&output), ("", line.as_str(), 1));
}

#[test]
fn has_one_deadline_over_everything() {
    let (root, _double) = store(Manner::SilentAfterTheFirst, Tree::default());
    let started = Instant::now();
    let output = run(root.path(), "--timeout 1 --read /a --read /b");
    assert_eq!(
        said(&output),
        ("", "xen-storewait: read /a: no answer in time\n", 7)
    );
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn looks_once_at_a_node_where_no_time_is_given() {
    let (root, double) = honest();
    double.write("/a", b"1");
    let output = run(root.path(), "--timeout 0 --wait /a=1 --wait !/b");
    assert_eq!(said(&output), ("", "", 0));
    let started = Instant::now();
    let output = run(root.path(), "--timeout 0 --wait !/a");
    let line = "xen-storewait: wait for the absence of /a: it is \"1\"\n";
    assert_eq!(said(&output), ("", line, 7));
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn tells_in_one_line_what_is_wrong_with_the_arguments() {
    let root = tempdir().unwrap();
    for (line, what) in [
        (
            "--timeout soon",
            "a number of seconds expected, such as 2 or 0.5",
        ),
        ("--timeout -1", "a number of seconds expected"),
        ("--timeout 5s", "a number of seconds expected"),
        ("--timeout 1000000001", "at most 1000000000 seconds"),
        ("--write =1", "\"\": no path of the store: it is empty"),
        ("--wait !", "\"\": no path of the store: it is empty"),
        ("--write /a", "--write /a: PATH=VALUE expected"),
        ("--wait !/a=1", "--wait !/a=1: ! goes with a path alone"),
        ("--read", "a value is required for '--read <PATH>'"),
        ("--launch", "<DAEMON>"),
        ("-- xenstored", "--launch"),
        ("--launch --read /a -- xenstored", "cannot be used with"),
        ("--frobnicate", "unexpected argument '--frobnicate' found"),
    ] {
        let output = run(root.path(), line);
        let (out, err, status) = said(&output);
        assert_eq!((out, status), ("", 2), "{line}: {err}");
        assert_eq!(err.lines().count(), 1, "{line}: {err}");
        assert!(
            err.starts_with("xen-storewait: ") && err.contains(what),
            "{line}: {err}"
        );
    }
}

#[test]
fn is_not_in_time_where_another_transaction_is_always_first() {
    let tree = Tree::with(|tree| tree.conflicts = usize::MAX);
    let (root, _double) = store(Manner::Honest, tree);
    for timeout in ["0", "0.3"] {
        let output = run(root.path(), &format!("--seed-dom0 --timeout {timeout}"));
        // Or a request was just on its way.
        let (out, line, status) = said(&output);
        assert_eq!((out, line.lines().count(), status), ("", 1, 7), "{line}");
    }
}

#[test]
fn refuses_a_path_or_a_value_that_no_store_takes() {
    // Without a store to ask.
    let root = tempdir().unwrap();
    let output = run(root.path(), &format!("--read /{}", "x".repeat(4000)));
    assert_eq!(said(&output).2, 2);
    let output = run(root.path(), &format!("--write /a={}", "x".repeat(4096)));
    let line = "xen-storewait: write /a: a request of 4099 bytes is too long for the store\n";
    assert_eq!(said(&output), ("", line, 2));
    let line = format!("--device --write /a={}", "x".repeat(4078));
    let output = run(root.path(), &line);
    let line = "xen-storewait: write /a: a request of 4081 bytes is too long for the store\n";
    assert_eq!(said(&output), ("", line, 2));
    let long = format!("--socket /{} --timeout 1", "x".repeat(200));
    assert_eq!(said(&run(root.path(), &long)).2, 2);
}

#[test]
fn is_not_permitted_to_connect_as_somebody_else() {
    let (root, double) = honest();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(root.path(), mode).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(double.path(), mode).unwrap();
    let program_copy = root.path().join("xen-storewait");
    program::copy(program::PROGRAM, &program_copy);
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups"])
        .arg(&program_copy)
        .arg("--socket")
        .arg(double.path())
        .output()
        .unwrap();
    let line = format!(
        "xen-storewait: connect to {}: Permission denied (os error 13)\n",
        double.path().display()
    );
    assert_eq!(said(&output), ("", line.as_str(), 4));
}

#[test]
fn takes_the_second_socket_where_the_first_is_not_permitted() {
    let (root, first) = honest();
    let second = root.path().join("var/run/xenstored/socket");
    fs::create_dir_all(second.parent().unwrap()).unwrap();
    let _second = Double::start(&second, Manner::Honest);
    let set_mode = |path: &Path, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(path, mode).unwrap();
    };
    set_mode(root.path(), 0o755);
    set_mode(&second, 0o666);
    set_mode(first.path(), 0o600);
    let program_copy = root.path().join("xen-storewait");
    program::copy(program::PROGRAM, &program_copy);
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--clear-groups"])
        .arg(&program_copy)
        .arg("--root")
        .arg(root.path())
        .output()
        .unwrap();
    assert_eq!(said(&output), ("", "", 0));
}

#[test]
fn says_that_standard_output_is_full_or_closed() {
    let (root, double) = honest();
    double.write("/a", b"1");
    let mut program = program(root.path());
    program.args(["--read", "/a"]);
    program.stdout(File::create("/dev/full").unwrap());
    let line = "xen-storewait: write to standard output: No space left on device (os error 28)\n";
    assert_eq!(said(&program.output().unwrap()), ("", line, 1));
    let (reader, writer) = nix::unistd::pipe().unwrap();
    drop(reader);
    program.stdout(writer);
    let line = "xen-storewait: write to standard output: Broken pipe (os error 32)\n";
    assert_eq!(said(&program.output().unwrap()), ("", line, 1));
    let (mut writer, _reader) = std::os::unix::net::UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[0; 4096]).is_ok() {}
    program.stdout(std::os::fd::OwnedFd::from(writer));
    let line = "xen-storewait: write to standard output: \
                Resource temporarily unavailable (os error 11)\n";
    assert_eq!(said(&program.output().unwrap()), ("", line, 1));
}
