//! What `up` refuses, in namespaces.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use serde_json::Value;

#[test]
fn refuses_a_name_that_is_no_bridge() {
    let machine = Machine::with_cards();
    machine.ok("ip link add mac7 link far0 type macvlan");
    for (name, kind) in [
        ("lo", "the loopback interface"),
        ("eth0", "a veth interface"),
        ("mac7", "a macvlan interface"),
    ] {
        let line = format!("{name} is {kind}, not a bridge");
        for verb in ["up", "up -n", "down", "show"] {
            machine.run(&format!("{verb} {name}")).fails(6, &line);
        }
    }
    machine.ok("test ! -e /run/xen-bridge");
}

#[test]
fn refuses_ports_that_cannot_or_must_not_be() {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add other type bridge; ip link set eth1 master other; ip link set eth0 up; \
         ip address add 10.0.0.5/24 dev eth0; ip address add fd01::5/64 dev eth0 valid_lft 3600 \
         preferred_lft 3600; ip route add default via 10.0.0.1; \
         ip -6 route add 2001:db8::/32 via fd01::1 table 7",
    );
    let before = machine.state();
    machine
        .run("up --port gone")
        .fails(5, "port gone: no such interface");
    machine
        .run("up --port lo")
        .fails(6, "port lo: the loopback interface cannot be a port");
    machine.run("up --port other").fails(
        6,
        "port other: it is a bridge, and a bridge cannot be a port of another",
    );
    machine
        .run("up --port eth1")
        .fails(6, "port eth1: it belongs to bridge other already");
    let refused = machine.run("up --port eth0");
    assert_eq!(refused.status, 6);
    for user in [
        "10.0.0.5/24",
        "fd01::5/64 (for 3",
        "default route via 10.0.0.1",
        "route 2001:db8::/32 via fd01::1",
    ] {
        assert!(refused.stderr.contains(user), "{user}: {}", refused.stderr);
    }
    assert_eq!(refused.stderr.lines().count(), 1);
    machine.is_as(&before, "");
    machine.run("up --port eth0 --force").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn refuses_a_wireless_card() {
    let machine = Machine::new();
    machine.ok("ip link add wlan0 type veth");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/roots/wireless-card");
    machine
        .run(&format!("up -n --port wlan0 --root {root}"))
        .fails(
            6,
            "port wlan0: it is wireless, and a station sends only with its own address \
             (an access point may be a port: --force)",
        );
}

#[test]
fn refuses_an_address_that_is_there_with_another_prefix() {
    let machine = Machine::new();
    machine.run("up --address 10.0.0.1/16").is_silent();
    machine.run("up --address 10.0.0.1/24").fails(
        6,
        "bridge xenbr0: it has 10.0.0.1/16: take that away before adding 10.0.0.1/24",
    );
    machine
        .run("up --address fd00::1/48 --address fd00::1/64")
        .fails(
            2,
            "--address fd00::1/48 and fd00::1/64: one address in two networks (see --help)",
        );
    let machine = Machine::with_uplink();
    machine
        .run("up --port eth0 --move-address --address 10.0.2.15/16")
        .fails(
            6,
            "bridge xenbr0: what moves to it has 10.0.2.15/24: take that away before adding \
             10.0.2.15/16",
        );
}

#[test]
fn tells_the_kernels_own_explanation() {
    let machine = Machine::new();
    // What carries no Ethernet cannot be a port; the kernel knows what does.
    machine.ok("ip tuntap add tun8 mode tun");
    let refused = machine.run("up --port tun8");
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused
            .stderr
            .starts_with("xen-bridge: add port tun8 to bridge xenbr0: Invalid argument"),
        "{refused:?}"
    );
    assert_eq!(machine.link("xenbr0"), Value::Null);
    machine.ok("test ! -e /run/xen-bridge/xenbr0");
}

#[test]
fn heeds_vlan_tags_or_says_that_the_kernel_cannot() {
    let machine = Machine::new();
    machine.ok("ip link add ref type bridge");
    let can = "ip link set ref type bridge vlan_filtering 1 2>&1 && echo yes || true";
    if machine.ok(can) == "yes\n" {
        machine.run("up --vlan-filtering on").is_silent();
        assert_eq!(
            machine.link("xenbr0")["linkinfo"]["info_data"]["vlan_filtering"],
            1
        );
        return;
    }
    let line = "bridge xenbr0: this kernel has no VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)";
    machine.run("up --vlan-filtering on").fails(5, line);
    assert_eq!(machine.link("xenbr0"), Value::Null);
    machine.run("up").is_silent();
    machine.run("up --vlan-filtering on").fails(5, line);
    // Putting back what never was is refused as well, and nothing remains to be.
    let before = machine.state();
    let several = "up --ageing 60 --vlan-filtering on --mcast-snooping off";
    for refused in [several, &format!("{several} --confirm 60")] {
        machine.run(refused).fails(5, line);
        machine.is_as(&before, refused);
        machine.ok("! ls -A /run/xen-bridge | grep unconfirmed");
    }
    machine.run("up --vlan-filtering off").is_silent();
}
