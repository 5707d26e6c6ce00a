//! What IPv6 routers announce is heard on the bridge, and what only looks as
//! if they had is moved like any other address.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use common::announced::announce;
use common::waiting::{ended, start, until_it_waits};

const MOVE: &str = "up --port eth0 --move-address";
const CONF: &str = "/proc/sys/net/ipv6/conf";

fn accept_ra(machine: &Machine, name: &str) -> String {
    machine.ok(&format!("cat {CONF}/{name}/accept_ra"))
}

#[test]
fn heeds_routers_on_a_bridge_that_would_be_made_deaf() {
    let machine = Machine::with_uplink();
    for (default, uplink, bridge) in [("0", "1", "1\n"), ("1", "0", "0\n"), ("0", "2", "2\n")] {
        machine.ok(&format!(
            "echo {default} > {CONF}/default/accept_ra; echo {uplink} > {CONF}/eth0/accept_ra"
        ));
        machine.run(MOVE).is_silent();
        assert_eq!(accept_ra(&machine, "xenbr0"), bridge, "{default} {uplink}");
        machine.run("down").is_silent();
    }
    // What forwards heeds them only if it always does.
    machine.ok(&format!(
        "echo 1 > {CONF}/default/accept_ra; echo 1 > {CONF}/default/forwarding; \
         echo 1 > {CONF}/eth0/accept_ra; echo 0 > {CONF}/eth0/forwarding"
    ));
    machine.run(MOVE).is_silent();
    assert_eq!(accept_ra(&machine, "xenbr0"), "2\n");
}

#[test]
fn heeds_routers_on_a_bridge_that_is_there_until_all_is_put_back() {
    let machine = Machine::with_uplink();
    machine.ok(&format!(
        "ip link add xenbr0 address 02:00:00:00:00:bb type bridge; ip link set xenbr0 up; \
         echo 2 > {CONF}/eth0/accept_ra; echo 0 > {CONF}/xenbr0/accept_ra"
    ));
    let before = machine.state();
    assert_eq!(machine.run(&format!("{MOVE} --confirm 1")).status, 7);
    assert_eq!(accept_ra(&machine, "xenbr0"), "0\n");
    machine.is_as(&before, "put back");
    machine.run(MOVE).is_silent();
    assert_eq!(accept_ra(&machine, "xenbr0"), "2\n");
    machine.run("down").is_silent();
    assert_eq!(accept_ra(&machine, "xenbr0"), "0\n");
    // A bridge that is there is not made deaf.
    machine.ok(&format!(
        "echo 0 > {CONF}/eth0/accept_ra; echo 1 > {CONF}/xenbr0/accept_ra"
    ));
    machine.run(MOVE).is_silent();
    assert_eq!(accept_ra(&machine, "xenbr0"), "1\n");
}

#[test]
fn moves_a_lease_that_looks_as_if_a_router_had_announced_it() {
    let machine = Machine::with_uplink();
    machine
        .ok("ip address add fd00:5::ff:fe00:e/64 dev eth0 valid_lft 3600 preferred_lft 600 nodad");
    is_a_lease(&machine);
}

#[test]
fn moves_what_a_router_announced_where_routers_are_no_longer_heeded() {
    let machine = Machine::with_uplink();
    announce(&machine, "fd00:5::ff:fe00:e", "eth0");
    machine.ok(&format!(
        "echo 0 > {CONF}/eth0/accept_ra; ip -6 route add default via fe80::99 dev eth0 proto ra metric 1024 expires 1800"
    ));
    is_a_lease(&machine);
    let route = "ip -6 route show default proto ra | grep -q 'via fe80::99 dev xenbr0'";
    machine.ok(route);
}

/// It is refused, and with force moved.
fn is_a_lease(machine: &Machine) {
    let ran = machine.run(MOVE);
    assert_eq!(ran.status, 6, "{ran:?}");
    let line = "xen-bridge: port eth0: its address fd00:5::ff:fe00:e/64 goes in 3";
    assert!(ran.stderr.starts_with(line), "{ran:?}");
    let ran = machine.run(&format!("{MOVE} --force"));
    assert_eq!(ran.status, 0, "{ran:?}");
    let line = "xen-bridge: address fd00:5::ff:fe00:e/64 of bridge xenbr0 goes in 3";
    assert!(ran.stderr.starts_with(line), "{ran:?}");
    machine.ok("ip address show dev xenbr0 | grep -q 'fd00:5::ff:fe00:e/64'");
}

#[test]
fn leaves_no_way_to_a_network_out_of_the_uplink() {
    let machine = Machine::with_uplink();
    // The kernel keeps the route of each of these networks with the interface.
    announce(&machine, "fd00:5::ff:fe00:e", "eth0");
    machine.ok("ip address add fd00:2::16/64 dev eth0 nodad noprefixroute
        while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.1; done");
    let connected = |name: &str| machine.ok(&format!("ip -6 route show proto kernel dev {name}"));
    let had = connected("eth0");
    assert!(had.contains("fd00:5::/64") && had.contains("fd00:2::/64"));
    machine.run(MOVE).is_silent();
    let left = connected("eth0");
    assert!(!left.contains("fd00"), "{left}");
    machine.ok("ping -c1 -W3 fd00:2::2");
    machine.run("down").is_silent();
    assert!(connected("eth0").contains("fd00:5::/64"));
    assert_eq!(machine.run(&format!("{MOVE} --confirm 1")).status, 7);
    assert!(connected("eth0").contains("fd00:5::/64"));
    machine.ok("ping -c1 -W3 fd00:2::2");
}

/// A machine whose default route a router announced; `echo` has it announced
/// again on the bridge, as a router that was asked does.
fn with_a_router(machine: &Machine) -> String {
    machine.ok("ip route delete default; ip -6 route delete default
        ip -n far address add fe80::99/64 dev far0 nodad
        ip -6 route add default via fe80::99 dev eth0 proto ra metric 1024 expires 1800");
    "ip -6 route add default via fe80::99 dev xenbr0 proto ra metric 1024 expires 1800".to_owned()
}

#[test]
fn confirms_by_itself_where_the_router_answers_and_is_heard_again() {
    let machine = Machine::with_uplink();
    let announce = with_a_router(&machine);
    let up = start(&machine, &format!("{MOVE} --check-gateway --confirm 30"));
    until_it_waits(&machine);
    machine.ok(&announce);
    ended(up).is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn puts_back_where_the_router_is_not_heard_again() {
    let machine = Machine::with_uplink();
    with_a_router(&machine);
    machine
        .run(&format!("{MOVE} --check-gateway --confirm 5"))
        .fails(
            7,
            "bridge xenbr0: after the change fe80::99 did not answer through it in time: \
         everything is as it was before",
        );
    machine.ok("ip -6 route show default | grep -q 'via fe80::99 dev eth0'");
}
