//! Several modules at once: the same answers, and no two that should wait for
//! each other.

mod machine;

use std::fs;

use machine::Machine;

const FOUR: &str = "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\nkernel/c.ko:\nkernel/d.ko:\n\
    kernel/drivers/watchdog/w.ko:\n";

const LOADS: &[&str] = &["finit_module:retval=0"];

#[test]
fn several_jobs_give_the_answers_of_one() {
    let machine = Machine::new(FOUR);
    fs::remove_file(
        machine
            .root
            .path()
            .join(&machine.modules)
            .join("kernel/d.ko"),
    )
    .unwrap();
    let run = |jobs: &str| machine.run(LOADS, &["-v", "--jobs", jobs, "b", "c", "a", "w", "d"]);
    let (one, four) = (run("1"), run("4"));
    assert!(
        one.stderr
            .starts_with("xen-modload: loaded a\nxen-modload: loaded b\n")
    );
    assert_eq!(four.stderr, one.stderr);
    assert_eq!(four.status, one.status);
    assert_eq!(four.calls.matches(" finit_module(").count(), 4);
}

#[test]
fn only_modules_that_have_nothing_to_do_with_each_other_are_loaded_at_once() {
    let machine = Machine::new(FOUR);
    // strace tells of a call that is not over when the next one comes.
    let overlaps = |names: &[&str]| {
        let slow = ["finit_module:retval=0:delay_enter=200000"];
        let outcome = machine.run(&slow, &[&["--jobs", "2"], names].concat());
        assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
        let mut calls = outcome.calls.lines();
        calls.any(|line| line.contains(" finit_module(") && line.ends_with("<unfinished ...>"))
    };
    assert!(overlaps(&["b", "c"]));
    assert!(!overlaps(&["b", "a"]));
    assert!(!overlaps(&["c", "w"]));
    machine.write("etc/modprobe.d/a.conf", b"softdep c pre: d\n");
    assert!(!overlaps(&["b", "c"]));
    let proc = "install c echo c 1 0 - Live 0x0 > /proc/modules\n";
    machine.write("etc/modprobe.d/a.conf", proc.as_bytes());
    assert!(!overlaps(&["b", "c"]));
}

#[test]
fn where_no_thread_can_be_made_one_does_all_the_work() {
    let machine = Machine::new(FOUR);
    let inject = ["finit_module:retval=0", "clone3:error=EAGAIN"];
    let outcome = machine.run(&inject, &["-v", "--jobs", "3", "c", "a", "d"]);
    assert_eq!(
        outcome.stderr,
        "xen-modload: loaded c\nxen-modload: loaded a\nxen-modload: loaded d\n"
    );
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("", Some(0)));
}

#[test]
fn what_was_done_before_they_stop_is_said() {
    let machine = Machine::new("kernel/a.ko:\nkernel/b.ko.xz:\nkernel/c.ko.xz:\n");
    // Packed, they are loaded by another call, which has another answer.
    for file in ["kernel/b.ko.xz", "kernel/c.ko.xz"] {
        let file = machine.modules.join(file);
        machine.write(
            file.to_str().unwrap(),
            include_bytes!("compressed/module.xz"),
        );
    }
    machine.write("proc/self/status", b"Name:\tx\nCapEff:\t0000000000000000\n");
    // The first is refused while the others are under way.
    let inject = [
        "finit_module:error=EPERM:delay_enter=500000",
        "init_module:retval=0",
    ];
    let outcome = machine.run(&inject, &["-v", "--jobs", "2", "a", "b", "c"]);
    assert_eq!(
        outcome.stderr,
        "xen-modload: loaded b\n\
         xen-modload: loaded c\n\
         xen-modload: load a: not permitted: this process lacks CAP_SYS_MODULE\n"
    );
    assert_eq!(outcome.status, Some(4));
}
