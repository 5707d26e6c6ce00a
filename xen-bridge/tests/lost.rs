//! The bridge went by other means: what was moved to it is given back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use serde_json::Value;

const MOVE: &str = "up --port eth0 --move-address";

/// A machine whose uplink moved to a bridge, and how it was before.
fn moved() -> (Machine, Vec<String>) {
    let machine = Machine::with_uplink();
    let before = machine.state();
    machine.run(MOVE).is_silent();
    (machine, before)
}

#[test]
fn down_gives_back_what_went_with_the_bridge() {
    let (machine, before) = moved();
    machine.ok("ip link delete xenbr0");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
    machine.ok("ping -c1 -W1 10.0.2.2; ping -c1 -W1 fd00:2::2");
    machine.run("down").is_silent();
    machine.is_as(&before, "twice");
}

#[test]
fn up_moves_again_what_went_with_the_bridge() {
    let (machine, before) = moved();
    machine.ok("ip link delete xenbr0");
    machine.run(MOVE).is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W1 10.0.2.2; ping -c1 -W1 fd00:2::2");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
    // Somebody made another of that name.
    machine.run(MOVE).is_silent();
    machine.ok("ip link delete xenbr0; ip link add xenbr0 type bridge");
    machine.run("up --address 172.16.0.1/16").is_silent();
    machine.ok("ping -c1 -W1 10.0.2.2; ping -c1 -W1 fd00:2::2");
    assert_eq!(
        machine.addresses("xenbr0"),
        ["172.16.0.1/16 172.16.255.255"]
    );
    assert_eq!(machine.record("xenbr0")["back"], Value::Null);
}

#[test]
fn gives_nothing_to_an_uplink_that_serves_another() {
    let (machine, _) = moved();
    machine.ok("ip link delete xenbr0; ip link add br7 type bridge; ip link set eth0 master br7");
    let before = machine.state();
    for arguments in ["down", "down --force", "up"] {
        machine.run(arguments).fails(
            6,
            "port eth0: its addresses went with bridge xenbr0, and it is a port of br7 now: \
             release it to have them back, or remove /run/xen-bridge/xenbr0",
        );
    }
    machine.is_as(&before, "refused");
    machine.ok("ip link set eth0 nomaster");
    machine.run("down").is_silent();
    machine.ok("ping -c1 -W1 10.0.2.2; ping -c1 -W1 fd00:2::2");
}

#[test]
fn leaves_a_bridge_that_was_renamed_and_what_is_known_of_it() {
    let (machine, before) = moved();
    machine.ok("ip link set xenbr0 down; ip link set xenbr0 name br7; ip link set br7 up");
    let renamed = machine.state();
    for arguments in ["down", "down --force", "up"] {
        machine.run(arguments).fails(
            6,
            "bridge xenbr0 is called br7 now: call it xenbr0 again, or remove \
             /run/xen-bridge/xenbr0",
        );
    }
    machine.is_as(&renamed, "refused");
    machine.ok("ip link set br7 down; ip link set br7 name xenbr0; ip link set xenbr0 up");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
}
