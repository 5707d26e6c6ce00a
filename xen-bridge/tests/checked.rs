//! `--check-gateway` where nothing moves: what may cut the host off all the same
//! is checked, or waits for somebody.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::waiting::{NO_GATEWAY, ended, journal_is_gone, start, until_it_waits};
use common::{Machine, Ran};
use serde_json::Value;

const SILENT: &str = "10.0.2.2 did not answer through it in time: everything is as it was before";

/// An administrator's br9 has the uplink, and carries the host.
fn with_bridge() -> Machine {
    let machine = Machine::with_uplink();
    machine.ok("ip address flush dev eth0; ip link add br9 type bridge
        ip link set br9 up; ip link set eth0 master br9; ip link set far1 up
        ip address add 10.0.2.15/24 broadcast + dev br9
        ip route add default via 10.0.2.2
        until ping -c1 -W1 10.0.2.2; do sleep 0.1; done");
    machine
}

#[track_caller]
fn is_put_back(ran: &Ran, what: &str) {
    let has = ran.stderr.contains(SILENT);
    assert_eq!((ran.status, has), (7, true), "{what}: {ran:?}");
}

#[test]
fn puts_back_an_uplink_that_was_released() {
    let machine = with_bridge();
    let before = machine.state();
    for how in ["--confirm 1", "--force"] {
        let arguments =
            format!("up br9 --port eth1 --address 10.0.2.15/24 --exact --check-gateway {how}");
        is_put_back(&machine.run(&arguments), how);
        machine.is_as(&before, how);
        machine.ok("ping -c1 -W3 10.0.2.2");
    }
}

#[test]
fn asks_the_gateway_after_what_may_lose_it() {
    let machine = with_bridge();
    for change in [
        "--mac 02:00:00:00:00:09 --mtu 1400",
        "--port eth1",
        "--stp on",
        "--mcast-snooping off",
    ] {
        let arguments = format!("up br9 {change} --check-gateway --confirm");
        machine.ok("ip -n far address delete 10.0.2.2/24 dev far0");
        let before = machine.state();
        is_put_back(&machine.run(&format!("{arguments} 1")), change);
        machine.is_as(&before, change);
        machine.ok("ip -n far address add 10.0.2.2/24 dev far0");
        machine.run(&format!("{arguments} 30")).is_silent();
        journal_is_gone(&machine);
        assert_ne!(machine.state(), before, "{change}");
    }
    assert_eq!(machine.master("eth1"), "br9");
    machine.ok("ip -n far address delete 10.0.2.2/24 dev far0");
    // This loses nothing.
    machine
        .run("up br9 --ageing 60 --check-gateway")
        .is_silent();
}

#[test]
fn waits_for_somebody_where_there_is_no_gateway_to_ask() {
    let machine = with_bridge();
    machine.ok("ip route delete default");
    let before = machine.state();
    // What only adds to it, or changes its size, has no gateway to lose.
    let ran = machine.run("up br9 --port eth1 --exact --check-gateway");
    let exact = "xen-bridge: port eth0: it is not named, and bridge br9 may be reached over it";
    assert_eq!(
        (ran.status, ran.stderr.starts_with(exact)),
        (6, true),
        "{ran:?}"
    );
    machine.is_as(&before, "refused");
    machine
        .run("up br9 --port eth1 --check-gateway")
        .is_silent();
    assert_eq!(machine.master("eth1"), "br9");
    machine.run("up br9 --mtu 1450 --check-gateway").is_silent();
    assert_eq!(machine.link("br9")["mtu"], 1450);
    machine
        .run("up br9 --port eth1 --exact --force --check-gateway")
        .is_silent();
    assert_eq!(machine.master("eth0"), Value::Null);
    machine.ok("ip link set eth0 master br9");
    let before = machine.state();
    let up = start(&machine, "up br9 --mtu 1400 --check-gateway --confirm 60");
    common::waiting::until("set", || machine.link("br9")["mtu"] == 1400);
    machine.run("restore br9").is_silent();
    assert_eq!(ended(up).status, 7);
    machine.is_as(&before, "restored");
    // Nor is what only guests use anybody's way to the host.
    machine.ok("ip link set eth1 nomaster");
    machine.run("up --check-gateway").is_silent();
    machine.run("up --port eth1 --check-gateway").is_silent();
    assert_eq!(machine.master("eth1"), "xenbr0");
}

#[test]
fn does_not_take_a_forced_port_for_harmless() {
    let machine = Machine::with_uplink();
    let up = start(
        &machine,
        "up --port eth0 --force --check-gateway --confirm 60",
    );
    until_it_waits(&machine);
    machine.run("restore").is_silent();
    assert_eq!(ended(up).status, 7);
    assert_eq!(machine.master("eth0"), Value::Null);
}

#[test]
fn moves_what_has_no_gateway_only_if_somebody_answers_for_it() {
    let machine = Machine::with_uplink();
    machine.ok("ip route delete default; ip -6 route delete default");
    let before = machine.state();
    let arguments = "up --port eth0 --move-address --check-gateway";
    machine.run(arguments).fails(6, NO_GATEWAY);
    machine.is_as(&before, "refused");
    let up = start(&machine, &format!("{arguments} --confirm 60"));
    until_it_waits(&machine);
    machine.run("restore").is_silent();
    assert_eq!(ended(up).status, 7);
    machine.is_as(&before, "restored");
    machine.run(&format!("{arguments} --force")).is_silent();
    machine.ok("ping -c1 -W3 10.0.2.2");
}

#[test]
fn asks_every_gateway_of_a_default_route() {
    let machine = with_bridge();
    machine.ok("ip route delete default
        ip route add default nexthop via 10.0.2.2 dev br9 nexthop via 10.0.2.3 dev br9");
    assert!(
        machine
            .run("show br9")
            .stdout
            .contains("  route default via 10.0.2.2, 10.0.2.3\n"),
    );
    let before = machine.state();
    let ran = machine.run("up br9 --mtu 1400 --check-gateway --confirm 1");
    let silent = "after the change 10.0.2.3 did not answer through it in time";
    let is_blamed = ran.stderr.contains(silent);
    assert_eq!((ran.status, is_blamed), (7, true), "{ran:?}");
    machine.is_as(&before, "put back");
    machine.ok("ip -n far address add 10.0.2.3/24 dev far0");
    machine
        .run("up br9 --mtu 1400 --check-gateway --confirm 20")
        .is_silent();
    // What leads past the bridge is not asked through it.
    machine.ok(
        "ip address add 10.7.0.1/24 dev eth1; ip link set eth1 up; ip link set far1 up
        ip route replace default nexthop via 10.7.0.2 dev eth1 nexthop via 10.0.2.2 dev br9",
    );
    machine
        .run("up br9 --mtu 1300 --check-gateway --confirm 20")
        .is_silent();
}
