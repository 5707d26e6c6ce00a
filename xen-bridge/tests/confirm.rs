//! A change that is put back if nobody confirms it, or whoever made it dies.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Machine, PROGRAM, Ran, running};
use serde_json::Value;

const MOVE: &str = "up --port eth0 --move-address --mtu 1300 --address 172.16.0.1/16";
const UNCONFIRMED: &str = "xen-bridge: done; put back in 60 s, unless this comes before: \
                           xen-bridge confirm xenbr0\n";

fn start(machine: &Machine, arguments: &str) -> Child {
    let mut command = machine.command(PROGRAM);
    command.args(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The change is done and waits.
fn until_it_waits(machine: &Machine) {
    until("it waits", || {
        let found = machine.run("show --json").stdout;
        let report: Value = serde_json::from_str(&found).unwrap_or(Value::Null);
        report["unconfirmed"] == true && machine.run("down -n").status != 1 && is_free(machine)
    });
}

/// Nobody has the lock.
fn is_free(machine: &Machine) -> bool {
    let lock = "/run/xen-bridge/.lock-for-all-bridges";
    machine.ok(&format!(
        "cat /proc/locks | grep -c \":$(stat -c %i {lock}) \" || true"
    )) == "0\n"
}

fn journal_is_gone(machine: &Machine) {
    machine.ok("test -z \"$(find /run/xen-bridge -name '.[uw]*')\"");
}

#[test]
fn keeps_what_is_confirmed() {
    let machine = Machine::with_uplink();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    let line = "bridge xenbr0: a change waits for xen-bridge confirm xenbr0, or restore xenbr0";
    machine.run("up").fails(6, line);
    machine.run("down").fails(6, line);
    machine.run("confirm").is_silent();
    ended(up).is(0, "", UNCONFIRMED);
    journal_is_gone(&machine);
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W1 10.0.2.2");
    machine
        .run("confirm")
        .fails(5, "bridge xenbr0: no change waits to be confirmed");
    machine.run("restore").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn puts_everything_back_in_time_if_nobody_confirms() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let begun = Instant::now();
    let ran = machine.run(&format!("{MOVE} --confirm 2"));
    let took = begun.elapsed();
    assert_eq!(ran.status, 7, "{ran:?}");
    assert!(ran.stderr.ends_with(
        "xen-bridge: bridge xenbr0: nobody confirmed the change in time: \
         everything is as it was before\n"
    ));
    assert!(
        took.as_millis() >= 2000 && took.as_millis() < 4000,
        "{took:?}"
    );
    machine.is_as(&before, "put back");
    journal_is_gone(&machine);
    machine.ok("ping -c1 -W1 10.0.2.2; ping -c1 -W1 fd00:2::2");
}

#[test]
fn puts_a_bridge_that_was_there_back_as_it_was() {
    let machine = Machine::with_uplink();
    machine.ok(
        "ip link add xenbr0 address 02:00:00:00:00:bb type bridge forward_delay 400 stp_state 0; \
         ip address add 172.17.0.1/16 dev xenbr0; ip link set xenbr0 mtu 1450; \
         ip link set xenbr0 up; ip link set eth1 master xenbr0; ip link set eth1 up; \
         ip route add 10.30.0.0/16 via 172.17.0.2",
    );
    let before = machine.state();
    let everything = "--ageing 20 --stp off --mcast-snooping off --forward-delay 0 --exact";
    let up = start(&machine, &format!("{MOVE} {everything} --confirm 60"));
    until_it_waits(&machine);
    assert_eq!(machine.master("eth1"), Value::Null);
    machine.run("restore").is_silent();
    assert_eq!(ended(up).status, 7);
    machine.is_as(&before, "restored");
}

#[test]
fn puts_back_on_a_signal_but_not_when_the_terminal_is_closed() {
    for signal in ["TERM", "INT"] {
        let machine = Machine::with_uplink();
        let before = machine.state();
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        until_it_waits(&machine);
        machine.ok(&format!("kill -HUP {}", up.id()));
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(machine.master("eth0"), "xenbr0");
        machine.ok(&format!("kill -{signal} {}", up.id()));
        let ran = ended(up);
        let line = format!("xen-bridge: stopped by SIG{signal}: everything is as it was before\n");
        ran.is(1, "", &format!("{UNCONFIRMED}{line}"));
        machine.is_as(&before, signal);
    }
}

#[test]
fn survives_the_terminal_that_started_it() {
    let machine = Machine::with_uplink();
    // A terminal of its own, closed while the change waits; then confirmed.
    let inner = format!("{PROGRAM} {MOVE} --confirm 60");
    let script =
        format!("timeout -s KILL 2 script -qec '{inner}' /dev/null < /dev/null > /dev/null || :");
    machine.ok(&script);
    until_it_waits(&machine);
    machine.run("confirm").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn confirms_by_itself_where_the_gateway_answers() {
    let machine = Machine::with_uplink();
    let begun = Instant::now();
    machine
        .run(&format!("{MOVE} --check-gateway --confirm 30"))
        .is_silent();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(machine.master("eth0"), "xenbr0");
    journal_is_gone(&machine);
}

#[test]
fn puts_back_where_the_gateway_is_silent() {
    let machine = Machine::with_uplink();
    machine.ok("ip -n far address delete 10.0.2.2/24 dev far0");
    let before = machine.state();
    let ran = machine.run(&format!("{MOVE} --check-gateway --confirm 3"));
    ran.fails(
        7,
        "bridge xenbr0: 10.0.2.2 did not answer through it after the change in time: \
         everything is as it was before",
    );
    machine.is_as(&before, "put back");
    // Where nothing moves there is nothing to check.
    machine
        .run("up --check-gateway --confirm 9 br7")
        .is_silent();
    machine.ok("ip route delete default");
    machine.ok("ip -6 route delete default");
    machine.run(&format!("{MOVE} --check-gateway")).fails(
        6,
        "bridge xenbr0: --check-gateway: no default route over a gateway moves to it",
    );
}

#[test]
fn is_put_back_by_the_watcher_wherever_up_is_killed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let mut kills = 0;
    for call in [
        "sendto", "recvfrom", "fsync", "rename", "openat", "poll", "unlink",
    ] {
        for n in 1..400 {
            let fault = format!("inject={call}:signal=KILL:when={n}");
            let mut command = machine.command("timeout");
            // -I: strace's own waiting is of no interest.
            command.args([
                "-s",
                "KILL",
                "1.5",
                "strace",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                &fault,
            ]);
            command.args([PROGRAM, "up", "--port", "eth0", "--move-address"]);
            let killed = !command.output().unwrap().status.success();
            if !killed {
                break;
            }
            kills += 1;
            let journal = "find /run/xen-bridge -name '.unconf*' 2>/dev/null || :";
            until(&format!("{call} {n}: put back"), || {
                machine.ok(journal).is_empty() || !running(&machine)
            });
            // Whether watched over or not yet: nothing is changed. What is
            // left of a journal is the next one's to remove.
            machine.is_as(&before, &format!("{call} {n}"));
            machine.run("restore").is_silent();
            assert_eq!(machine.ok(journal), "");
        }
        // The last of them was not hit: the change stays.
        machine.run("down").is_silent();
        machine.is_as(&before, call);
    }
    eprintln!("killed {kills} times");
    assert!(kills > 60, "{kills}");
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
        until_it_waits(&machine);
        // The watcher first, and stopped before that, or it would put back.
        let watcher = machine.ok(&format!("pgrep -P {}", up.id()));
        let watcher = watcher.trim();
        machine.ok(&format!(
            "kill -STOP {0}; kill -KILL {watcher} {0}",
            up.id()
        ));
        assert_ne!(ended(up).status, 0);
        machine.ok(&format!(
            "while grep -q 'State:.[^Z]' /proc/{watcher}/status; do sleep 0.02; done 2> /dev/null"
        ));
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
fn puts_back_whatever_request_fails() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    for call in ["sendto", "recvfrom"] {
        for n in 1..400 {
            let fault = format!("inject={call}:error=EIO:when={n}");
            let mut command = machine.command("strace");
            command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM]);
            command.args(["up", "--port", "eth0", "--move-address"]);
            let ran: Ran = command.output().unwrap().into();
            if ran.status == 0 {
                machine.run("down").is_silent();
                break;
            }
            assert_eq!((ran.status, ran.stderr.lines().count()), (1, 1), "{ran:?}");
            machine.is_as(&before, &format!("{call} {n}: {ran:?}"));
        }
    }
}

#[test]
fn changes_nothing_where_the_watcher_cannot_be_armed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    for (call, errno) in [
        ("bind", "EIO"),
        ("clone3", "EAGAIN"),
        ("fsync", "EIO"),
        ("listen", "EIO"),
    ] {
        let fault = format!("inject={call}:error={errno}");
        let trace = machine
            .command("strace")
            .args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM])
            .args(["up", "--port", "eth0", "--move-address"])
            .output();
        let ran: Ran = trace.unwrap().into();
        if call == "clone3" && ran.status == 0 {
            // This libc starts programs otherwise.
            machine.run("down").is_silent();
            continue;
        }
        assert_eq!(ran.status, 1, "{call}: {ran:?}");
        machine.is_as(&before, call);
        journal_is_gone(&machine);
    }
}

#[test]
fn a_hundred_at_once_move_it_once() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let arguments = "up --port eth0 --move-address";
    let all: Vec<_> = (0..100).map(|_| start(&machine, arguments)).collect();
    for up in all {
        ended(up).is_silent();
    }
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W1 10.0.2.2");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
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
fn goes_on_with_down_wherever_that_is_killed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    for call in ["sendto", "unlink"] {
        for n in 1..100 {
            machine.run("up --port eth0 --move-address").is_silent();
            let moved = machine.state();
            let fault = format!("inject={call}:signal=KILL:when={n}");
            let mut command = machine.command("strace");
            command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM, "down"]);
            let killed = !command.output().unwrap().status.success();
            let journal = "find /run/xen-bridge -name '.unconf*' 2>/dev/null || :";
            until(&format!("{call} {n}: gone on"), || {
                machine.ok(journal).is_empty() || !running(&machine)
            });
            // All or nothing.
            if machine.state() == moved {
                machine.run("down");
            }
            machine.is_as(&before, &format!("{call} {n}"));
            if !killed {
                break;
            }
        }
    }
}
