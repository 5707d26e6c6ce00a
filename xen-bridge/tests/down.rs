//! `down`, in namespaces, with `ip -j` as the witness.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::announced::announce;
use common::{Machine, PROGRAM};
use serde_json::Value;

const LEFT: &str = "xen-bridge: bridge xenbr0 is not ours: left as it is\n";

#[test]
fn leaves_the_machine_as_it_was_before_up() {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth1 up");
    let before = machine.state();
    let arguments = "--port eth0 --port eth1 --address 172.16.0.1/16 --address fd00::1/64";
    machine.run(&format!("up {arguments}")).is_silent();
    machine.run("down -v").is(
        0,
        "",
        "xen-bridge: switched port eth0 off\n\
         xen-bridge: removed bridge xenbr0\n",
    );
    machine.is_as(&before, "");
    machine.run("down -v").is_silent();
    machine.is_as(&before, "");
}

#[test]
fn leaves_a_bridge_that_up_did_not_make() {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add xenbr0 type bridge; ip link set xenbr0 up; ip address add 10.0.0.1/8 dev xenbr0; \
         ip link set eth1 master xenbr0",
    );
    let before = machine.state();
    machine.run("up").is_silent();
    for arguments in ["down", "down -n", "down -v --force"] {
        machine.run(arguments).is(0, "", LEFT);
    }
    machine.is_as(&before, "");
}

#[test]
fn takes_back_what_up_added_to_somebody_elses_bridge() {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add xenbr0 type bridge; ip link set xenbr0 up; ip address add 10.0.0.1/8 dev xenbr0; \
         ip link set eth1 master xenbr0",
    );
    // Its hardware address is its lowest port's, and the MTU its smallest.
    machine.ok("ip link set xenbr0 address 02:00:00:00:00:01 mtu 1500");
    let before = machine.state();
    machine
        .run("up --port eth0 --address 172.16.0.1/16 --address fd00::1/64")
        .is_silent();
    let record = machine.record("xenbr0");
    assert_eq!(record["made"], false);
    machine.ok("ip link add vif1.0 type veth; ip link set vif1.0 master xenbr0");
    machine.run("down").fails(
        6,
        "bridge xenbr0 is in use: guest's interface vif1.0 \
         (take it down all the same with --force)",
    );
    machine.ok("ip link delete vif1.0");
    machine.run("down -v").is(
        0,
        "",
        "xen-bridge: took address 172.16.0.1/16 from bridge xenbr0\n\
         xen-bridge: took address fd00::1/64 from bridge xenbr0\n\
         xen-bridge: switched port eth0 off\n\
         xen-bridge: released port eth0 of bridge xenbr0\n",
    );
    machine.is_as(&before, "");
}

#[test]
fn refuses_while_others_use_the_bridge() {
    let machine = Machine::with_cards();
    machine
        .run("up --port eth0 --address 172.16.0.1/16")
        .is_silent();
    machine.ok(
        "ip link set eth1 master xenbr0; ip address add 10.0.0.1/8 dev xenbr0; \
         ip link add vif1.0 type veth peer name guest1; ip link set vif1.0 master xenbr0; \
         ip link add tap1.0 type veth peer name guest2; ip link set tap1.0 master xenbr0",
    );
    let before = machine.state();
    let line = "bridge xenbr0 is in use: guest's interface vif1.0, guest's interface tap1.0, \
                port eth1, address 10.0.0.1/8 (take it down all the same with --force)";
    // Named by number, and that is the order in which they were made.
    machine.run("down").fails(6, line);
    machine.run("down -n").fails(6, line);
    machine.is_as(&before, "");
    machine.run("down --force").is_silent();
    assert_eq!(machine.link("xenbr0"), Value::Null);
    assert_eq!(machine.record("xenbr0"), Value::Null);
    assert_eq!(machine.master("vif1.0"), Value::Null);
}

#[test]
fn leaves_a_new_bridge_of_the_same_name() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    machine.ok("ip link delete xenbr0; ip link add xenbr0 type bridge");
    machine.run("down").is(0, "", LEFT);
    assert_eq!(machine.link("xenbr0")["ifname"], "xenbr0");
    assert_eq!(machine.record("xenbr0"), Value::Null);
}

#[test]
fn leaves_the_bridge_and_the_record_of_another_network_namespace() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    let record = machine.record("xenbr0");
    // Of the same name and number, over there.
    let made = machine.ok(&format!(
        "unshare -n sh -euc 'ip link add xenbr0 index 2 type bridge; {PROGRAM} down 2>&1; \
         ip -o link show xenbr0'"
    ));
    assert!(made.starts_with(LEFT), "{made}");
    assert!(made.contains("\n2: xenbr0"), "{made}");
    assert_eq!(record["ifindex"], 2);
    assert_eq!(machine.record("xenbr0"), record);
    machine.run("down").is_silent();
    assert_eq!(machine.link("xenbr0"), Value::Null);
}

#[test]
fn forgets_a_bridge_that_went_by_other_means() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    machine.ok("ip link delete xenbr0");
    machine.run("down").is_silent();
    assert_eq!(machine.record("xenbr0"), Value::Null);
}

#[test]
fn leaves_a_port_that_has_moved_on() {
    let machine = Machine::with_cards();
    machine.run("up --port eth0").is_silent();
    machine.ok("ip link add other type bridge; ip link set eth0 master other");
    machine.run("down").is_silent();
    assert_eq!(machine.master("eth0"), "other");
    assert!(machine.is_up("eth0"));
}

#[test]
fn remembers_over_several_runs_of_up() {
    let machine = Machine::with_cards();
    let before = machine.state();
    machine.run("up --port eth0").is_silent();
    machine.run("up --address 172.16.0.1/16").is_silent();
    machine
        .run("up --port eth1 --address 10.0.0.1/8")
        .is_silent();
    let record = machine.record("xenbr0");
    assert_eq!(record["made"], true);
    assert_eq!(record["ports"].as_array().unwrap().len(), 2);
    machine.run("down").is_silent();
    machine.is_as(&before, "");
}

#[test]
fn refuses_when_the_record_cannot_be_understood() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    machine.ok("echo '{' > /run/xen-bridge/xenbr0");
    machine.run("down").fails(
        6,
        "/run/xen-bridge/xenbr0: not a record of xen-bridge; \
         remove the file if the bridge is not to be taken down by it",
    );
    machine.run("down --force").is(0, "", LEFT);
    machine.run("up").is_silent();
    assert_eq!(machine.run("up --address 10.0.0.1/8").status, 6);
    machine.run("up --address 10.0.0.1/8 --force").is_silent();
    machine.run("down").is_silent();
    assert_eq!(machine.link("xenbr0")["ifname"], "xenbr0");
}

#[test]
fn does_not_take_what_routers_announce_for_a_user() {
    let machine = Machine::with_cards();
    let before = machine.state();
    machine.run("up --port eth0").is_silent();
    announce(&machine, "fd00:5::ff:fe00:e", "xenbr0");
    let with_it = machine.state();
    machine.run("up --port eth0 --exact").is_silent();
    machine.is_as(&with_it, "exact");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
}
