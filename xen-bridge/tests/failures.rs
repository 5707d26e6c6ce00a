//! What is left when something fails half-way: what was there before.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM, Ran};
use serde_json::Value;

const BUSY: &str = "up --port eth0 --port eth1 --mtu 1400 --mac 00:16:3e:00:00:01 --stp on \
                    --address 172.16.0.1/16 --address fd00::1/64";

/// Has the N-th of that system call fail.
fn run_with_fault(machine: &Machine, call: &str, errno: &str, n: usize, arguments: &str) -> Ran {
    let fault = format!("inject={call}:error={errno}:when={n}");
    let mut command = machine.command("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM]);
    command.args(arguments.split_whitespace());
    command.output().unwrap().into()
}

/// Runs with a fault at the first, second, third ... such call, until none is
/// hit; gives how many were.
fn at_each(
    machine: &Machine,
    call: &str,
    errno: &str,
    mut check: impl FnMut(usize, &Ran),
) -> usize {
    for n in 1..60 {
        let ran = run_with_fault(machine, call, errno, n, BUSY);
        if ran.status == 0 {
            return n - 1;
        }
        assert_eq!(ran.stdout, "");
        assert_eq!(ran.stderr.lines().count(), 1, "{call} {n}: {ran:?}");
        check(n, &ran);
    }
    panic!("{call}: no end");
}

#[test]
fn leaves_no_half_made_bridge_whatever_request_fails() {
    for (call, errno) in [
        ("sendto", "EIO"),
        ("recvfrom", "EIO"),
        ("recvfrom", "ENOBUFS"),
    ] {
        let machine = Machine::with_cards();
        let before = machine.state();
        let hit = at_each(&machine, call, errno, |n, ran| {
            assert_eq!(ran.status, 1, "{call} {n}: {ran:?}");
            machine.is_as(&before, &format!("{call} {n}: {ran:?}"));
            machine.ok("test ! -e /run/xen-bridge/xenbr0");
        });
        // Look at bridge and ports with addresses and routes; make, number, two
        // ports and up, MTU, two addresses.
        assert!(hit >= 17, "{call}: {hit}");
        machine.run("down").is_silent();
        machine.is_as(&before, "");
    }
}

#[test]
fn leaves_somebody_elses_bridge_as_it_was_whatever_request_fails() {
    for call in ["sendto", "recvfrom"] {
        let machine = Machine::with_cards();
        machine.ok("ip link add xenbr0 type bridge forward_delay 0; \
             ip link set xenbr0 address 02:00:00:00:00:01; ip link set xenbr0 mtu 1300; \
             ip link set eth1 up; ip address add 10.0.0.1/8 dev xenbr0");
        let before = machine.state();
        let hit = at_each(&machine, call, "EIO", |n, ran| {
            machine.is_as(&before, &format!("{call} {n}: {ran:?}"));
        });
        assert!(hit >= 20, "{call}: {hit}");
    }
}

#[test]
fn leaves_no_half_made_bridge_when_the_record_cannot_be_written() {
    for (call, errno) in [
        ("openat", "ENOSPC"),
        ("write", "ENOSPC"),
        ("fsync", "EIO"),
        ("rename", "EIO"),
        ("mkdir", "EROFS"),
        ("fcntl", "EIO"),
    ] {
        let machine = Machine::with_cards();
        let before = machine.state();
        for n in 1..12 {
            let ran = run_with_fault(&machine, call, errno, n, BUSY);
            if ran.status == 0 {
                machine.run("down").is_silent();
            }
            machine.is_as(&before, &format!("{call} {n}: {ran:?}"));
        }
    }
}

/// Killed as it begins the N-th of that system call.
fn run_and_kill(machine: &Machine, call: &str, n: usize, arguments: &str) {
    let fault = format!("inject={call}:signal=KILL:when={n}");
    let mut command = machine.command("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM]);
    command.args(arguments.split_whitespace());
    let _ = command.output().unwrap();
}

#[test]
fn leaves_no_bridge_without_an_owner_wherever_up_is_killed() {
    let machine = Machine::with_cards();
    let before = machine.state();
    let mut intents = 0;
    for call in ["recvfrom", "fsync", "rename"] {
        for n in 1..20 {
            run_and_kill(&machine, call, n, BUSY);
            let there = machine.link("xenbr0") != Value::Null;
            if there && machine.record("xenbr0")["ifindex"] == 0 {
                intents += 1;
                // Its owner goes on with it,
                machine.run(BUSY).is_silent();
                let record = machine.record("xenbr0");
                assert_eq!(record["made"], true);
                assert_eq!(record["ports"].as_array().unwrap().len(), 2);
                machine.run("down").is_silent();
                run_and_kill(&machine, call, n, BUSY);
            }
            // or takes it down.
            machine.run("down").is_silent();
            machine.is_as(&before, &format!("{call} {n}"));
        }
    }
    assert!(intents >= 2, "{intents}");
}

#[test]
fn leaves_a_bridge_that_somebody_made_where_ours_was_about_to_be() {
    for arguments in ["up", "up --port eth0 --move-address"] {
        let machine = Machine::with_uplink();
        // Killed when the intent is kept and before the bridge is made.
        let request = machine.ok(&format!(
            "strace -qq -o /run/trace -e trace=sendto,rename {PROGRAM} {arguments}; \
             {PROGRAM} down; grep -n 'rename.*xenbr0\")' /run/trace | head -1"
        ));
        let lines: usize = request.split(':').next().unwrap().parse().unwrap();
        let sent = format!("head -{lines} /run/trace | grep -c sendto");
        let sent: usize = machine.ok(&sent).trim().parse().unwrap();
        run_and_kill(&machine, "sendto", sent + 1, arguments);
        if arguments == "up" {
            machine.ok("grep -qx 'ifindex 0' /run/xen-bridge/xenbr0");
        }
        // Who watches over it puts it back, and forgets the intent.
        machine.ok("sleep 0.5; ip link add xenbr0 type bridge; ip link set xenbr0 up");
        let report: Value = serde_json::from_str(&machine.run("show --json").stdout).unwrap();
        assert_eq!(report["made_by_xen_bridge"], false, "{arguments}");
        machine.run("restore").is_silent();
        assert_eq!(machine.run("down").status, 0);
        assert_eq!(machine.link("xenbr0")["ifname"], "xenbr0", "{arguments}");
        machine.ok("ping -c1 -W3 10.0.2.2");
    }
}

#[test]
fn completes_an_intent_even_where_nothing_else_is_to_be_done() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    machine.ok(
        r#"printf 'name xenbr0\nifindex 0\nmade yes\n' > /run/xen-bridge/xenbr0
        echo '{' > /run/xen-bridge/.unfinished-record"#,
    );
    machine.run("up").is_silent();
    assert_eq!(
        machine.record("xenbr0")["ifindex"],
        machine.link("xenbr0")["ifindex"]
    );
    machine.ok("test ! -e /run/xen-bridge/.unfinished-record");
    machine.run("down").is_silent();
    assert_eq!(machine.link("xenbr0"), Value::Null);
}

#[test]
fn takes_everything_down_in_a_second_run_whatever_request_fails() {
    for call in ["sendto", "recvfrom"] {
        let machine = Machine::with_cards();
        let before = machine.state();
        for n in 1..12 {
            machine.run(BUSY).is_silent();
            let _ = run_with_fault(&machine, call, "EIO", n, "down");
            machine.run("down").is_silent();
            machine.is_as(&before, &format!("{call} {n}"));
        }
    }
}

#[test]
fn says_so_without_privilege() {
    let machine = Machine::with_cards();
    let unprivileged = |arguments: &str| -> Ran {
        let mut command = machine.command("setpriv");
        command.args([
            "--bounding-set=-net_admin",
            "--inh-caps=-net_admin",
            PROGRAM,
        ]);
        command.args(arguments.split_whitespace());
        command.output().unwrap().into()
    };
    unprivileged("up").fails(
        4,
        "make bridge xenbr0: Operation not permitted (os error 1)",
    );
    unprivileged("down").is_silent();
    unprivileged("show").fails(5, "xenbr0: no such bridge");
    machine.run("up").is_silent();
    unprivileged("up").is_silent();
    unprivileged("up --stp on").fails(
        4,
        "set bridge xenbr0: stp on: Operation not permitted (os error 1)",
    );
    unprivileged("down").fails(
        4,
        "remove bridge xenbr0: Operation not permitted (os error 1)",
    );
    assert_eq!(unprivileged("show").status, 0);
    assert_ne!(machine.record("xenbr0"), Value::Null);
    machine.ok("rm -r /run/xen-bridge; ip link delete xenbr0; mount -o remount,ro /run");
    machine.run("up").fails(
        1,
        "make bridge xenbr0: take the lock in /run/xen-bridge: \
         Read-only file system (os error 30)",
    );
}

#[test]
fn tells_a_full_disk_and_a_closed_pipe() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    for arguments in ["show", "show --json", "up -n --stp on", "down -n", "--help"] {
        let script =
            format!("{PROGRAM} {arguments} 2>/run/error >/dev/full || echo $?; cat /run/error");
        assert_eq!(
            machine.ok(&script),
            "1\nxen-bridge: write to standard output: No space left on device (os error 28)\n",
            "{arguments}"
        );
    }
    let script = format!(
        "set +e; {{ {PROGRAM} show 2>/dev/null; echo $? >/run/status; }} | true; cat /run/status"
    );
    assert!(["0\n", "1\n"].contains(&machine.ok(&script).as_str()));
}
