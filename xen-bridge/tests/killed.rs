//! Whoever is killed, and wherever: everything is put back, or can be.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::waiting::{
    MOVE, UNCONFIRMED, ended, journal_is_gone, kill_with_its_watcher, start, until, until_it_waits,
};
use common::{Machine, PROGRAM, running};

/// Every system call that the program makes for these arguments, in order, by
/// its name and number among those of that name: from its first socket on, for
/// until then it has done nothing.
fn calls(machine: &Machine, arguments: &str) -> Vec<(String, usize)> {
    let trace = machine.ok(&format!(
        "strace -qq -o /run/trace {PROGRAM} {arguments}; cat /run/trace"
    ));
    let mut counts = BTreeMap::new();
    let mut calls = vec![];
    for (name, _) in trace.lines().filter_map(|line| line.split_once('(')) {
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        calls.push((name.to_owned(), *count));
    }
    let first = calls.iter().position(|(name, _)| name == "socket");
    let mut calls = calls.split_off(first.unwrap());
    calls.retain(|(name, _)| !LOOKING.contains(&name.as_str()));
    calls
}

/// What leaves all as it was, so that to be killed at it is to be killed at
/// the next: what is opened to be written is written after that.
const LOOKING: [&str; 8] = [
    "openat",
    "read",
    "statx",
    "mmap",
    "munmap",
    "prlimit64",
    "rt_sigprocmask",
    "sigaltstack",
];

/// Kills it as it begins that call; `false`: it ended before that.
fn kill_at(machine: &Machine, (call, n): &(String, usize), arguments: &str) -> bool {
    let fault = format!("inject={call}:signal=KILL:when={n}");
    let mut command = machine.command("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM]);
    let status = command.args(arguments.split_whitespace()).status();
    !status.unwrap().success()
}

/// Does that to every fourth call in each of four machines at a time.
fn at_every_call(arguments: &str, check: impl Fn(&Machine, &[String], &(String, usize)) + Sync) {
    let share = |number: usize| {
        let machine = Machine::with_uplink();
        let before = machine.state();
        if arguments == "down" {
            machine.run(WATCHED).is_silent();
        }
        let calls = calls(&machine, arguments);
        machine.run("down").is_silent();
        assert!(calls.len() > 40, "{calls:?}");
        for call in calls.iter().skip(number).step_by(4) {
            check(&machine, &before, call);
        }
    };
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..4)
            .map(|number| scope.spawn(move || share(number)))
            .collect();
        for share in shares {
            share.join().unwrap();
        }
    });
}

/// What is left for somebody to put back; one that is empty was put back.
fn journal(machine: &Machine) -> String {
    machine.ok("find /run/xen-bridge -name '.unconf*' -size +0 2> /dev/null || :")
}

fn until_nobody_watches(machine: &Machine, what: &str) {
    // To look through all processes takes longer than to put everything back.
    let is_gone = |_| {
        std::thread::sleep(Duration::from_millis(10));
        journal(machine).is_empty()
    };
    if !(0..10).any(is_gone) {
        until(what, || journal(machine).is_empty() || !running(machine));
    }
}

/// Watched over, waiting, and confirming itself.
const WATCHED: &str = "up --port eth0 --move-address --confirm 30 --check-gateway";

#[test]
fn is_put_back_wherever_up_is_killed() {
    at_every_call(WATCHED, |machine, before, call| {
        let what = format!("{call:?}");
        let killed = kill_at(machine, call, WATCHED);
        until_nobody_watches(machine, &what);
        if !killed || machine.state() != before {
            // It stays only if it was kept: the gateway answered.
            assert_eq!(journal(machine), "", "{what}");
            machine.ok("ping -c1 -W3 10.0.2.2; ip route show default | grep -q xenbr0");
            machine.run("down").is_silent();
        }
        // What is left of a journal is the next one's to remove.
        machine.run("restore").is_silent();
        machine.is_as(before, &what);
        assert_eq!(journal(machine), "", "{what}");
    });
}

#[test]
fn is_put_back_by_the_next_up_or_down_or_restore_where_both_are_killed() {
    for (next, said) in [
        ("restore", ""),
        (
            "down",
            "xen-bridge: put back a change of bridge xenbr0 that was left half-way\n",
        ),
        ("up br7", ""),
        (
            "up",
            "xen-bridge: put back a change of bridge xenbr0 that was left half-way\n",
        ),
    ] {
        let machine = Machine::with_uplink();
        let before = machine.state();
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        kill_with_its_watcher(&machine, up);
        machine.run("confirm").fails(
            6,
            "bridge xenbr0: the change was left half-way: put it back with xen-bridge restore xenbr0",
        );
        machine.run(next).is(0, "", said);
        if next == "up br7" {
            // Another's.
            machine.run("down br7").is_silent();
            assert_eq!(machine.master("eth0"), "xenbr0");
            machine.run("restore").is_silent();
        }
        machine.run("down");
        machine.is_as(&before, next);
    }
}

#[test]
fn lets_nobody_read_a_journal_and_lock_it() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    kill_with_its_watcher(&machine, up);
    let journal = journal(&machine);
    let journal = journal.trim();
    machine.ok(&format!("test $(stat -c %a {journal}) = 600"));
    machine.run("restore").is_silent();
    machine.is_as(&before, "restored");
}

#[test]
fn puts_back_itself_when_the_watcher_is_killed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    machine.ok(&format!("kill -KILL $(pgrep -P {})", up.id()));
    ended(up).is(
        1,
        "",
        &format!("{UNCONFIRMED}xen-bridge: the watcher is dead: everything is as it was before\n"),
    );
    machine.is_as(&before, "put back");
}

#[test]
fn leaves_a_bridge_that_somebody_made_after_up_was_killed() {
    let machine = Machine::with_uplink();
    let mut command = machine.command("strace");
    // Killed after the journal is written and before anything is done.
    let fault = "inject=bind:signal=KILL:when=1";
    command.args(["-qq", "-o", "/dev/null", "-e", fault, PROGRAM]);
    command.args(["up", "--port", "eth0", "--move-address"]);
    assert!(!command.output().unwrap().status.success());
    assert!(
        !machine
            .ok("find /run/xen-bridge -name '.unconf*'")
            .is_empty()
    );
    machine.ok("ip link add xenbr0 type bridge");
    machine.run("restore").is_silent();
    journal_is_gone(&machine);
    assert_eq!(machine.link("xenbr0")["ifname"], "xenbr0");
}

#[test]
fn a_watcher_that_comes_late_leaves_the_next_change_alone() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let bind = ("bind".to_owned(), 1);
    assert!(kill_at(&machine, &bind, "up --port eth0 --move-address"));
    assert_ne!(journal(&machine), "");
    // It has opened the journal, and stops for a while before it locks it.
    let mut command = machine.command("strace");
    command.args(["-qq", "-o", "/dev/null"]);
    command.args(["-e", "inject=fcntl:delay_enter=2000000:when=1"]);
    let mut late = command.args([PROGRAM, "watch"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    machine.run("restore").is_silent();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    assert!(late.wait().unwrap().success());
    machine.run("confirm").is_silent();
    ended(up).is(0, "", UNCONFIRMED);
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
}

#[test]
fn is_gone_on_with_wherever_down_is_killed() {
    at_every_call("down", |machine, before, call| {
        let what = format!("{call:?}");
        machine.run(WATCHED).is_silent();
        let moved = machine.state();
        kill_at(machine, call, "down");
        until_nobody_watches(machine, &what);
        // All or nothing.
        if machine.state() != before {
            machine.is_as(&moved, &what);
        }
        let again = machine.run("down");
        assert_eq!(again.status, 0, "{what}: {again:?}");
        machine.is_as(before, &what);
        assert_eq!(journal(machine), "", "{what}");
    });
}

#[test]
fn is_put_back_by_another_wherever_who_puts_it_back_is_killed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let arguments = format!("{MOVE} --confirm 60");
    let half_way = || kill_with_its_watcher(&machine, start(&machine, &arguments));
    half_way();
    let calls = calls(&machine, "restore");
    assert!(calls.len() > 40, "{calls:?}");
    machine.is_as(&before, "restored");
    for call in &calls {
        half_way();
        assert!(kill_at(&machine, call, "restore"), "{call:?}");
        machine.run("restore").is_silent();
        machine.is_as(&before, &format!("{call:?}"));
        assert_eq!(journal(&machine), "", "{call:?}");
    }
}

#[test]
fn down_puts_back_first_what_it_is_asked_for_by_another_name() {
    let machine = Machine::with_uplink();
    machine.run("up").is_silent();
    machine
        .ok("ip link property add dev xenbr0 altname balt; ip address add 10.66.0.1/24 dev xenbr0");
    kill_with_its_watcher(&machine, start(&machine, &format!("{MOVE} --confirm 60")));
    machine.run("down balt").is(
        6,
        "",
        "xen-bridge: put back a change of bridge xenbr0 that was left half-way\n\
         xen-bridge: bridge xenbr0 is in use: address 10.66.0.1/24 (take it down all the same with \
         --force)\n",
    );
    assert_eq!(machine.master("eth0"), serde_json::Value::Null);
    machine.ok("ping -c1 -W3 10.0.2.2");
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    machine.run("down balt").fails(
        6,
        "bridge xenbr0: a change waits for xen-bridge confirm xenbr0, or restore xenbr0",
    );
    machine.run("restore").is_silent();
    assert_eq!(ended(up).status, 7);
}
