//! `--exact` cuts nobody off who did not ask for it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use serde_json::Value;

const HOW: &str = "--confirm has it put back if that cuts you off, --force takes it all the same";

/// An administrator's bridge br0, over which the host is reached.
fn with_bridge() -> Machine {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add br0 type bridge; ip link set br0 up; ip link set eth0 up
        ip link set eth0 master br0; ip address add 10.9.0.1/24 broadcast + dev br0
        ip route add default via 10.9.0.254",
    );
    machine
}

#[test]
fn leaves_what_the_host_is_reached_by() {
    let machine = with_bridge();
    let before = machine.state();
    machine.run("up br0 --exact").fails(
        6,
        &format!(
            "port eth0: it is not named, and bridge br0 may be reached over it (default route \
             via 10.9.0.254); {HOW}"
        ),
    );
    machine.run("up br0 --exact --port eth0").fails(
        6,
        &format!(
            "bridge br0: address 10.9.0.1/24 is not named, and its default route via 10.9.0.254 \
             rests on it; {HOW}"
        ),
    );
    machine.is_as(&before, "refused");
    machine
        .run("up br0 --exact --port eth0 --address 10.9.0.1/24")
        .is_silent();
    machine.is_as(&before, "named");
    machine.ok("ip route delete default");
    machine.run("up br0 --exact").fails(
        6,
        &format!(
            "port eth0: it is not named, and bridge br0 may be reached over it (its address); {HOW}"
        ),
    );
    machine.run("up br0 --exact --port eth0").fails(
        6,
        &format!(
            "bridge br0: address 10.9.0.1/24 is not named, and it may be reached by it; {HOW}"
        ),
    );
    machine.run("up br0 --exact --force").is_silent();
    assert_eq!(machine.master("eth0"), Value::Null);
}

#[test]
fn says_what_is_not_put_back_of_a_port_that_was_released() {
    let machine = with_bridge();
    machine.ok("bridge link set dev eth0 cost 42");
    let ran = machine.run("up br0 --exact --confirm 1");
    assert_eq!(ran.status, 7, "{ran:?}");
    assert!(
        ran.stderr.ends_with(
            "xen-bridge: bridge br0: nobody confirmed the change in time: everything is as it \
             was before, but for what port eth0 was set to (bridge link, bridge vlan, bridge \
             fdb)\n"
        ),
        "{ran:?}"
    );
    machine.ok("ip route show default | grep -q 10.9.0.254");
}

#[test]
fn knows_a_port_that_was_named_by_its_alternative_name() {
    let machine = Machine::with_uplink();
    machine.ok("ip link property add dev eth0 altname enp9s0; \
         ip link property add dev eth1 altname enp8s0");
    machine
        .run("up --port enp9s0 --move-address --exact")
        .is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
    // Where nothing moves, a second run would release it without a word.
    for _ in 0..2 {
        machine.run("up br7 --port enp8s0 --exact").is_silent();
        assert_eq!(machine.master("eth1"), "br7");
    }
}

#[test]
fn leaves_what_the_host_is_reached_by_also_on_a_bridge_of_ours() {
    let machine = Machine::with_cards();
    machine
        .run("up --port eth0 --address 10.9.0.1/24")
        .is_silent();
    let before = machine.state();
    machine
        .run("up --port eth1 --address 10.9.0.1/24 --exact")
        .fails(
            6,
            &format!(
                "port eth0: it is not named, and bridge xenbr0 may be reached over it (its \
                 address); {HOW}"
            ),
        );
    machine
        .run("up --port eth0 --address 10.9.0.2/24 --exact")
        .fails(
            6,
            &format!(
                "bridge xenbr0: address 10.9.0.1/24 is not named, and it may be reached by it; \
                 {HOW}"
            ),
        );
    machine.is_as(&before, "refused");
    machine
        .run("up --port eth1 --address 10.9.0.1/24 --exact --force")
        .is_silent();
    assert_eq!(machine.master("eth0"), Value::Null);
    // Over a bridge that has none nobody reaches the host.
    machine.run("up br7 --port eth0").is_silent();
    machine.run("up br7 --exact").is_silent();
    assert_eq!(machine.master("eth0"), Value::Null);
}

#[test]
fn goes_on_by_force_where_the_record_cannot_be_read() {
    let machine = Machine::with_cards();
    machine
        .run("up --port eth0 --address 10.9.0.1/24")
        .is_silent();
    machine.ok("echo nonsense > /run/xen-bridge/xenbr0");
    let ran = machine.run("up --exact --confirm 9");
    assert_eq!((ran.status, ran.stderr.lines().count()), (6, 1), "{ran:?}");
    machine.run("up --exact --force").is_silent();
    assert_eq!(machine.addresses("xenbr0"), Vec::<String>::new());
    assert_eq!(machine.master("eth0"), Value::Null);
}
