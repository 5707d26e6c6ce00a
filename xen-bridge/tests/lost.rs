//! The bridge went by other means: what was moved to it is given back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use common::waiting::{ended, journal_is_gone, start, until_it_waits};
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
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    machine.run("down").is_silent();
    machine.is_as(&before, "twice");
}

#[test]
fn up_moves_again_what_went_with_the_bridge() {
    let (machine, before) = moved();
    machine.ok("ip link delete xenbr0");
    machine.run(MOVE).is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
    // Somebody made another of that name.
    machine.run(MOVE).is_silent();
    machine.ok("ip link delete xenbr0; ip link add xenbr0 type bridge");
    machine.run("up --address 172.16.0.1/16").is_silent();
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
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
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
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

#[test]
fn puts_back_what_went_with_the_bridge_and_leaves_the_one_that_has_its_name() {
    let machine = Machine::with_uplink();
    for remade in [
        "address 02:00:00:00:00:bb type bridge",
        "address 02:00:00:00:00:bb type bridge stp_state 0 forward_delay 0",
    ] {
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        until_it_waits(&machine);
        machine.ok(&format!(
            "ip link delete xenbr0; ip link add xenbr0 {remade}; ip link set eth0 nomaster"
        ));
        let theirs = machine.link("xenbr0");
        machine.run("restore").is_silent();
        assert_eq!(ended(up).status, 7);
        assert_eq!(machine.link("xenbr0"), theirs, "{remade}");
        machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
        machine.ok("ip link delete xenbr0");
        journal_is_gone(&machine);
        assert_eq!(machine.record("xenbr0"), Value::Null);
    }
}

#[test]
fn leaves_how_a_bridge_that_has_the_name_by_now_heeds_routers() {
    let conf = "/proc/sys/net/ipv6/conf";
    let machine = Machine::with_uplink();
    machine.ok(&format!(
        "ip link add xenbr0 type bridge; echo 2 > {conf}/eth0/accept_ra; \
         echo 0 > {conf}/xenbr0/accept_ra"
    ));
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    machine.ok(&format!(
        "ip link delete xenbr0; ip link add xenbr0 type bridge; \
         echo 1 > {conf}/xenbr0/accept_ra"
    ));
    machine.run("restore").is_silent();
    assert_eq!(ended(up).status, 7);
    assert_eq!(machine.ok(&format!("cat {conf}/xenbr0/accept_ra")), "1\n");
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
}

#[test]
fn prints_no_more_than_what_gives_back_what_went_with_the_bridge() {
    let (machine, _) = moved();
    let gives_back = machine.run("down -n").stdout;
    machine.ok("ip link delete xenbr0");
    let lost = machine.state();
    let printed = machine.run(&format!("{MOVE} -n"));
    assert!(printed.stdout.contains("10.0.2.15/24"), "{printed:?}");
    assert!(gives_back.starts_with(&printed.stdout), "{printed:?}");
    printed.is(
        0,
        &printed.stdout,
        "xen-bridge: this gives back what went with bridge xenbr0, and what comes after depends \
         on it: have it done by xen-bridge down xenbr0, and run this again\n",
    );
    machine.is_as(&lost, "printed");
    machine.run("down").is_silent();
    let printed = machine.run(&format!("{MOVE} -n"));
    printed.is(0, include_str!("golden/move.txt"), "");
}
