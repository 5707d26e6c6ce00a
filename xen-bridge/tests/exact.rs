//! `--exact` cuts nobody off who did not ask for it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM};
use serde_json::Value;

const HOW: &str = "--confirm has it put back if that cuts you off, --force takes it all the same";

/// An administrator's bridge br0, over which the host is reached.
fn with_bridge() -> Machine {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add br0 type bridge; ip link set br0 up; ip link set eth0 up
        ip link set eth0 master br0; ip address add 10.9.0.1/24 dev br0
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

/// What `ping -i 0.01` lost of what it sent while that ran.
fn lost_while(machine: &Machine, to: &str, arguments: &str) -> u32 {
    let script = format!(
        "ping -i 0.01 -w 9 -q {to} > /run/ping & ping=$!; sleep 0.5; {PROGRAM} {arguments}
        sleep 0.5; kill -INT $ping; wait $ping || :; cat /run/ping"
    );
    let said = machine.ok(&script);
    let line = said
        .lines()
        .find(|line| line.contains("transmitted"))
        .unwrap();
    let count = |word: &str| -> u32 { word.trim().split(' ').next().unwrap().parse().unwrap() };
    let mut parts = line.split(',');
    let sent = count(parts.next().unwrap());
    sent - count(parts.next().unwrap())
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
fn puts_a_wrong_prefix_length_right() {
    let machine = Machine::with_uplink();
    machine.ok("ip address flush dev eth0; ip link add br0 type bridge
        ip link set br0 up; ip link set eth0 master br0
        ip address add 10.0.2.15/8 broadcast 10.255.255.255 dev br0
        ip address add fd00:2::15/48 dev br0 nodad; ip address change fd00:2::15/48 dev br0
        ip route add default via 10.0.2.2 src 10.0.2.15; ip -6 route add default via fd00:2::2
        until ping -c1 -W1 10.0.2.2 && ping -c1 -W1 fd00:2::2; do sleep 0.1; done");
    let before = machine.state();
    let right = "up br0 --port eth0 --address 10.0.2.15/24 --address fd00:2::15/64";
    machine.run(right).fails(
        6,
        "bridge br0: it has 10.0.2.15/8: take that away before adding 10.0.2.15/24",
    );
    machine.run(&format!("{right} --exact")).fails(
        6,
        &format!(
            "bridge br0: address fd00:2::15/48 is not named, and its default route via \
             fd00:2::2 rests on it; {HOW}"
        ),
    );
    machine.is_as(&before, "refused");
    let ran = machine.run(&format!("{right} --exact --confirm 1"));
    assert_eq!(ran.status, 7, "{ran:?}");
    machine.is_as(&before, "put back");
    let (v4, v6) = ("10.0.2.15/24 10.0.2.255", "fd00:2::15/64 -");
    let arguments = format!("{right} --exact --force");
    assert!(lost_while(&machine, "fd00:2::2", &arguments) <= 3);
    assert_eq!(machine.addresses("br0"), [v4, v6]);
    machine.run(&arguments).is_silent();
    machine.ok("ip route show default | grep 'via 10.0.2.2 .*src 10.0.2.15'
        ip -6 route show default | grep 'via fd00:2::2 '
        ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    // And back again, which is as the bridge was.
    let wrong = "up br0 --port eth0 --address 10.0.2.15/8 --address fd00:2::15/48 --exact --force";
    assert!(lost_while(&machine, "10.0.2.2", wrong) <= 1);
    assert_eq!(
        machine.addresses("br0"),
        ["10.0.2.15/8 10.255.255.255", "fd00:2::15/48 -"]
    );
}

#[test]
fn keeps_an_address_whose_networks_first_one_goes() {
    let machine = Machine::with_uplink();
    machine.ok("ip address flush dev eth0; ip link add br0 type bridge
        ip link set br0 up; ip link set eth0 master br0
        ip address add 10.0.2.15/24 broadcast + dev br0
        ip address add 10.0.2.16/24 broadcast + dev br0
        ip address add 10.0.2.17/24 broadcast + dev br0
        ip route add default via 10.0.2.2 src 10.0.2.16
        until ping -c1 -W1 -I 10.0.2.16 10.0.2.2; do sleep 0.1; done");
    let before = machine.state();
    let one = "up br0 --port eth0 --address 10.0.2.16/24 --exact";
    let ran = machine.run(&format!("{one} --confirm 1"));
    assert_eq!(ran.status, 7, "{ran:?}");
    machine.is_as(&before, "put back");
    let lost = lost_while(&machine, "-I 10.0.2.16 10.0.2.2", &format!("{one} --force"));
    assert!(lost <= 1, "{lost}");
    assert_eq!(machine.addresses("br0"), ["10.0.2.16/24 10.0.2.255"]);
    machine.ok("ip route show default | grep 'via 10.0.2.2 .*src 10.0.2.16'");
    machine.run(&format!("{one} --force")).is_silent();
}

#[test]
fn replaces_an_address_by_another_of_its_network() {
    let machine = Machine::with_uplink();
    machine.ok("ip address flush dev eth0; ip link add br0 type bridge
        ip link set br0 up; ip link set eth0 master br0
        ip address add 10.0.2.15/24 broadcast + dev br0
        ip route add default via 10.0.2.2; ip route add 10.8.0.0/16 via 10.0.2.2
        until ping -c1 -W1 10.0.2.2; do sleep 0.1; done");
    let before = machine.state();
    let other = "up br0 --port eth0 --address 10.0.2.16/24 --exact";
    let ran = machine.run(&format!("{other} --confirm 1"));
    assert_eq!(ran.status, 7, "{ran:?}");
    machine.is_as(&before, "put back");
    machine.run(&format!("{other} --force")).is_silent();
    assert_eq!(machine.addresses("br0"), ["10.0.2.16/24 10.0.2.255"]);
    machine.ok(
        "ip route show default | grep 'via 10.0.2.2 '; ip route show 10.8.0.0/16 | grep via
        ping -c1 -W3 10.0.2.2",
    );
    machine.run(&format!("{other} --force")).is_silent();
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
