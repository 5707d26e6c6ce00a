//! How long and with how many system calls the program waits, measured against
//! the test store: `cargo bench -p xen-storewait`. Prints; judges nothing.
//! Wants a machine with nothing else to do, and strace.
#![allow(clippy::unwrap_used, reason = "as in the tests")]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/double/mod.rs"]
mod double;
#[path = "../tests/program/mod.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};
use xen_storewait::{Deadline, Store};

use double::{Double, Manner};
use program::{PROGRAM, program};

/// Of each latency.
const ROUNDS: usize = 31;

fn main() {
    println!("latency: from the store's listen(2) to the exit, ms, {ROUNDS} rounds");
    println!("{:<34} {:>8} {:>8} {:>8}", "", "median", "p90", "max");
    let situations: [(&str, Prepare); 3] = [
        ("the socket appears", |root| make_folder(root)),
        ("a stale socket is replaced", |root| {
            make_folder(root);
            drop(Double::start(&socket(root), Manner::Honest));
        }),
        ("the folder appears, then the socket", |_| {}),
    ];
    for (situation, prepare) in situations {
        println!("{situation}");
        let spinning = rounds(|| latency(prepare, spin));
        row("a client that asks without pause", &spinning);
        let waiting = rounds(|| latency(prepare, wait));
        row("xen-storewait", &waiting);
    }
    println!("the socket appears");
    row(
        "sh: until asked; do sleep 1; done",
        &rounds_of(5, || latency(make_folder, sh_loop)),
    );
    println!("a store is there");
    row("xen-storewait, from start to exit", &rounds(start_to_exit));
    row(
        "true, from start to exit",
        &rounds(|| timed(&mut Command::new("true"))),
    );

    println!(
        "\nsystem calls of a wait of 10 s: its own, those before it (the runtime, the command"
    );
    println!("line) and those after the deadline (closing, saying what was seen)");
    let (sender, receiver) = mpsc::channel();
    for (situation, manner) in situations_that_last() {
        let sender = sender.clone();
        thread::spawn(move || sender.send((situation, system_calls(manner))).unwrap());
    }
    drop(sender);
    let mut counts: Vec<_> = receiver.into_iter().collect();
    counts.sort_unstable();
    for (situation, [before, waiting, after]) in counts {
        println!("{situation:<34} {waiting:>8}   {before} before, {after} after");
    }

    println!("\nend of a wait of 1 s after its deadline, ms: the latest of 5, and what is said");
    for (situation, manner) in faults() {
        let (late, said) = lateness(manner);
        println!("{situation:<34} {:>8.1}  {said}", ms(late));
    }
}

/// With /proc, which tells of mounts.
fn machine() -> TempDir {
    let root = tempdir().unwrap();
    std::os::unix::fs::symlink("/proc", root.path().join("proc")).unwrap();
    root
}

fn make_folder(root: &Path) {
    fs::create_dir_all(root.join("run/xenstored")).unwrap();
}

fn socket(root: &Path) -> PathBuf {
    root.join("run/xenstored/socket")
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn rounds(one: impl FnMut() -> Duration) -> Vec<Duration> {
    rounds_of(ROUNDS, one)
}

fn rounds_of(count: usize, mut one: impl FnMut() -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..count).map(|_| one()).collect();
    times.sort_unstable();
    times
}

fn row(name: &str, times: &[Duration]) {
    let at = |part: usize| ms(times[(times.len() - 1) * part / 100]);
    println!(
        "  {name:<32} {:>8.2} {:>8.2} {:>8.2}",
        at(50),
        at(90),
        at(100)
    );
}

/// Makes what is there before the store is.
type Prepare = fn(&Path);

/// Who waits, ready to be waited for: it returns when the waiting is done.
type Waiter = fn(&Path) -> Box<dyn FnOnce() -> Instant>;

fn latency(prepare: Prepare, waiter: Waiter) -> Duration {
    let root = machine();
    prepare(root.path());
    let done = waiter(root.path());
    thread::sleep(Duration::from_millis(150));
    make_folder(root.path());
    let begun = Instant::now();
    let _double = Double::start(&socket(root.path()), Manner::Honest);
    done() - begun
}

fn wait(root: &Path) -> Box<dyn FnOnce() -> Instant> {
    let mut child = program(root).spawn().unwrap();
    Box::new(move || {
        assert!(child.wait().unwrap().success());
        Instant::now()
    })
}

fn spin(root: &Path) -> Box<dyn FnOnce() -> Instant> {
    let path = socket(root);
    let thread = thread::spawn(move || {
        loop {
            let deadline = Deadline::after(Duration::from_secs(1));
            let store = Store::connect(&path, deadline);
            if store.is_ok_and(|mut store| store.until(deadline).domain_path(0).is_ok()) {
                return Instant::now();
            }
        }
    });
    Box::new(move || thread.join().unwrap())
}

fn sh_loop(root: &Path) -> Box<dyn FnOnce() -> Instant> {
    let script = "until \"$0\" --timeout 0 --socket \"$1\" 2> /dev/null; do sleep 1; done";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, PROGRAM]).arg(socket(root));
    let mut child = shell.spawn().unwrap();
    Box::new(move || {
        assert!(child.wait().unwrap().success());
        Instant::now()
    })
}

fn start_to_exit() -> Duration {
    let root = machine();
    make_folder(root.path());
    let _double = Double::start(&socket(root.path()), Manner::Honest);
    timed(&mut program(root.path()))
}

fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    assert!(command.status().unwrap().success());
    begun.elapsed()
}

/// A root as a store of this manner makes it; `None`: only the folder is there.
fn situation(manner: Option<Manner>) -> (TempDir, Option<Double>) {
    let root = machine();
    make_folder(root.path());
    let double = manner.map(|manner| Double::start(&socket(root.path()), manner));
    (root, double)
}

fn situations_that_last() -> [(&'static str, Option<Manner>); 4] {
    [
        ("no socket", None),
        ("accepts and is silent", Some(Manner::Silent)),
        ("listens and does not accept", Some(Manner::Stopped)),
        ("refuses", Some(Manner::Closing)),
    ]
}

/// Those before the wait, and all.
fn system_calls(manner: Option<Manner>) -> [usize; 3] {
    let (root, double) = situation(manner);
    // One that refuses is one that has died.
    let double = double.filter(|_| manner != Some(Manner::Closing));
    let record = root.path().join("record");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(&record).arg(PROGRAM);
    command
        // No more folders on the way than from the root of a machine.
        .args(["--root", "."])
        .current_dir(root.path())
        .args(["--timeout", "10"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("strace");
    drop(double);
    let record = fs::read_to_string(record).unwrap();
    let calls: Vec<&str> = record.lines().filter(|line| line.contains('(')).collect();
    let first = calls.iter().position(|call| call.contains(" socket("));
    let last = calls.iter().rposition(|call| call.contains(" ppoll("));
    let (before, end) = (first.unwrap(), last.unwrap() + 1);
    [before, end - before, calls.len() - end]
}

fn faults() -> Vec<(&'static str, Option<Manner>)> {
    vec![
        ("no socket", None),
        ("accepts and is silent", Some(Manner::Silent)),
        ("listens and does not accept", Some(Manner::Stopped)),
        (
            "one byte in 100 ms",
            Some(Manner::Slow(Duration::from_millis(100))),
        ),
        ("garbage for a header", Some(Manner::Garbage)),
        ("a length of four gigabytes", Some(Manner::GiantLength)),
        ("another type", Some(Manner::WrongKind)),
        ("another number", Some(Manner::WrongNumber)),
        ("another content", Some(Manner::WrongContent)),
        ("an ERROR", Some(Manner::Refusing("EIO"))),
        ("events without end", Some(Manner::Flooding)),
        ("closes at once", Some(Manner::Closing)),
        ("closes within the header", Some(Manner::ClosingAfter(7))),
        ("closes within the payload", Some(Manner::ClosingAfter(20))),
    ]
}

fn lateness(manner: Option<Manner>) -> (Duration, String) {
    let mut latest = Duration::ZERO;
    let mut said = String::new();
    for _ in 0..5 {
        let (root, _double) = situation(manner);
        let begun = Instant::now();
        let output = program(root.path())
            .args(["--timeout", "1"])
            .output()
            .unwrap();
        latest = latest.max(begun.elapsed().saturating_sub(Duration::from_secs(1)));
        let line = String::from_utf8(output.stderr).unwrap();
        let line = line.replace(root.path().to_str().unwrap(), "");
        said = line.trim().split_once(" s: ").unwrap().1.to_owned();
    }
    (latest, said)
}
