//! A route whose gateway is out of reach can neither move nor be put back; it
//! keeps nothing else from it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use common::waiting::{journal_is_gone, kill_with_its_watcher, start};

const MOVE: &str = "up --port eth0 --move-address";

/// A machine with a route over a gateway that was on its link once.
fn with_a_dead_route() -> Machine {
    let machine = Machine::with_uplink();
    machine.ok(
        "ip address add 10.66.0.1/24 dev eth0; ip route add 10.67.0.0/16 via 10.66.0.9
        ip address delete 10.66.0.1/24 dev eth0",
    );
    machine
}

#[test]
fn puts_all_back_where_a_dead_route_does_not_move() {
    let machine = with_a_dead_route();
    let before = machine.state();
    for arguments in [MOVE.to_owned(), format!("{MOVE} --confirm 30")] {
        let ran = machine.run(&arguments);
        let line = "xen-bridge: give route 10.67.0.0/16 via 10.66.0.9 to bridge xenbr0: \
                    Network is unreachable (os error 101)";
        assert_eq!((ran.status, ran.stderr.lines().count()), (1, 1), "{ran:?}");
        assert!(ran.stderr.starts_with(line), "{ran:?}");
        assert!(!ran.stderr.contains("and then"), "{ran:?}");
        machine.is_as(&before, &arguments);
        journal_is_gone(&machine);
    }
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    machine.ok("ip route delete 10.67.0.0/16");
    machine.run(MOVE).is_silent();
}

#[test]
fn puts_all_else_back_where_a_route_dies_meanwhile() {
    for next in ["restore", "up", "down"] {
        let machine = Machine::with_uplink();
        machine.ok("ip address add 10.66.0.1/24 dev eth0
            ip route add 10.67.0.0/16 via 10.66.0.9");
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        kill_with_its_watcher(&machine, up);
        machine.ok("ip route add unreachable 10.66.0.9 scope host");
        let ran = machine.run(next);
        let lost = "xen-bridge: do ip route prepend 10.67.0.0/16 via 10.66.0.9 dev eth0 \
                    proto 3 scope 0: No route to host (os error 113)";
        assert!(ran.stderr.starts_with(lost), "{next}: {ran:?}");
        match next {
            "restore" => assert_eq!(ran.status, 1, "{ran:?}"),
            _ => assert_eq!(ran.status, 0, "{ran:?}"),
        }
        journal_is_gone(&machine);
        machine.run("restore").is_silent();
        machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    }
}

#[test]
fn keeps_what_is_to_be_put_back_while_the_uplink_is_down() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    kill_with_its_watcher(&machine, up);
    machine.ok("ip link set eth0 down");
    let ran = machine.run("restore");
    assert_eq!((ran.status, ran.stderr.lines().count()), (1, 1), "{ran:?}");
    assert!(
        ran.stderr.contains("Network is down (os error 100)"),
        "{ran:?}"
    );
    let says = " (/run/xen-bridge/.unconfirmed-";
    assert!(ran.stderr.contains(says), "{ran:?}");
    let says = "-xenbr0 keeps what is to be put back: xen-bridge restore xenbr0 tries again)\n";
    assert!(ran.stderr.ends_with(says), "{ran:?}");
    machine.ok("ip link set eth0 up");
    machine.run("restore").is_silent();
    journal_is_gone(&machine);
    machine.is_as(&before, "restored");
}

#[test]
fn says_once_which_route_down_could_not_give_back() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    machine.ok("ip address add 10.66.0.1/24 dev eth0
        ip route add 10.67.0.0/16 via 10.66.0.9");
    machine.run(MOVE).is_silent();
    machine.ok("ip route add unreachable 10.66.0.9 scope host");
    let ran = machine.run("down");
    let line = "xen-bridge: do ip route prepend 10.67.0.0/16 via 10.66.0.9 dev eth0 proto 3 scope 0: \
                No route to host (os error 113)";
    assert_eq!((ran.status, ran.stderr.lines().count()), (1, 1), "{ran:?}");
    assert!(ran.stderr.starts_with(line), "{ran:?}");
    assert!(ran.stderr.ends_with(": all else is done\n"), "{ran:?}");
    assert!(!ran.stderr.contains("and then"), "{ran:?}");
    machine.ok("ip route delete unreachable 10.66.0.9; ip address delete 10.66.0.1/24 dev eth0");
    machine.is_as(&before, "down");
    journal_is_gone(&machine);
}
