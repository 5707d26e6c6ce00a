//! The uplink's card was replaced by another of its name since its addresses
//! moved to the bridge.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use serde_json::Value;

const MOVE: &str = "up --port eth0 --move-address";

/// Another card is eth0, and leads to the same far end.
fn replace(machine: &Machine) {
    machine.ok("ip link delete eth0
        ip link add eth0 address 02:00:00:00:00:0e type veth peer name far0
        ip link set far0 netns far; ip -n far link set far0 up
        ip -n far address add 10.0.2.2/24 dev far0
        ip -n far address add fd00:2::2/64 dev far0 nodad");
}

const GONE: &str = "port eth0: it is gone, and address 192.168.7.1/32, address 10.0.2.15/24, \
    address 10.4.0.1/24, address 10.0.2.16/24, address fe80::5/64, address fd00:2::15/64";
const REMEDY: &str = "of bridge xenbr0 would go back to it: add a card of that name \
    (xen-bridge up --port), or have it lost with xen-bridge down --force\n";
const REMEDY_WITHOUT_BRIDGE: &str = "of bridge xenbr0 would go back to it: it takes a card of \
    that name, or have it lost with xen-bridge down --force\n";

#[track_caller]
fn refuses(machine: &Machine, arguments: &str) {
    // The carrier goes with the card when it likes.
    let state = || -> Vec<String> {
        let lines = machine.state().into_iter();
        lines
            .map(|it| it.replace(",\"linkdown\"", "").replace("\"linkdown\"", ""))
            .collect()
    };
    let before = state();
    let ran = machine.run(arguments);
    assert_eq!((ran.status, ran.stderr.lines().count()), (6, 1), "{ran:?}");
    let line = ran.stderr.strip_prefix("xen-bridge: ").unwrap();
    let remedy = match machine.link("xenbr0") {
        Value::Null => REMEDY_WITHOUT_BRIDGE,
        _ => REMEDY,
    };
    assert!(line.starts_with(GONE) && line.ends_with(remedy), "{ran:?}");
    common::same(&state(), &before, arguments);
}

#[test]
fn gives_back_to_the_card_that_took_the_uplinks_place() {
    for arguments in ["up --port eth0", MOVE] {
        let machine = Machine::with_uplink();
        // The kernel's own follow from the addresses.
        let state = || {
            let state = machine.state().into_iter();
            let lines = state.filter(|it| !it.contains("\"ifindex\"") && it.contains("eth0"));
            lines.collect::<Vec<_>>()
        };
        let before = state();
        assert!(before.len() > 10, "{before:?}");
        machine.run(MOVE).is_silent();
        replace(&machine);
        refuses(&machine, "down");
        refuses(&machine, "down -n");
        machine.run(arguments).is_silent();
        machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
        machine.run("down").is_silent();
        common::same(&state(), &before, arguments);
        machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
        assert_eq!(machine.link("xenbr0"), Value::Null);
        assert_eq!(machine.record("xenbr0"), Value::Null);
    }
}

#[test]
fn gives_nothing_back_by_force_where_the_card_is_gone() {
    let machine = Machine::with_uplink();
    machine.run(MOVE).is_silent();
    machine.ok("ip link delete eth0");
    refuses(&machine, "down");
    machine
        .run("down --force -v")
        .is(0, "", "xen-bridge: removed bridge xenbr0\n");
    assert_eq!(machine.link("xenbr0"), Value::Null);
    assert_eq!(machine.record("xenbr0"), Value::Null);
}

#[test]
fn gives_back_to_another_card_what_went_with_the_bridge() {
    let machine = Machine::with_uplink();
    machine.run(MOVE).is_silent();
    machine.ok("ip link delete xenbr0; ip link delete eth0");
    refuses(&machine, "down");
    // It may be about to come.
    refuses(&machine, "up --port eth0");
    machine.ok("ip link add eth0 type veth peer name far0");
    replace(&machine);
    machine.ok("ip link set eth0 up");
    machine.run("down").is_silent();
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    assert_eq!(machine.record("xenbr0"), Value::Null);
}

#[test]
fn goes_on_without_what_went_with_bridge_and_card() {
    for arguments in ["up --port eth1", "up"] {
        let machine = Machine::with_uplink();
        machine.run(MOVE).is_silent();
        machine.ok("ip link delete xenbr0; ip link delete eth0");
        let printed = machine.run(&format!("{arguments} -n"));
        assert!(
            printed.stdout.starts_with("ip link add name xenbr0"),
            "{printed:?}"
        );
        printed.is(0, &printed.stdout, "");
        let ran = machine.run(arguments);
        assert_eq!((ran.status, ran.stderr.lines().count()), (0, 1), "{ran:?}");
        let begins = "xen-bridge: port eth0: it is gone, and so is address 192.168.7.1/32, address \
                      10.0.2.15/24, ";
        let is_said = ran.stderr.starts_with(begins) && ran.stderr.ends_with(" of bridge xenbr0\n");
        assert!(is_said, "{ran:?}");
        machine.run(arguments).is_silent();
        machine.run("down").is_silent();
        assert_eq!(machine.link("xenbr0"), Value::Null);
        assert_eq!(machine.record("xenbr0"), Value::Null);
    }
}
