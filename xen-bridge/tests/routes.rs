//! Routes move and come back whatever they rest on, with `ip -j` as the witness.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, same};

const MOVE: &str = "up --port eth0 --move-address";

/// A machine whose `eth0` is up and has what the script gives it; the far end
/// has 10.0.2.2/24 and fd00:2::2/64.
fn with_uplink_of(script: &str) -> Machine {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth0 address 02:00:00:00:00:0e up
        mkdir -p /run/netns; ip netns add far; ip link set far0 netns far
        ip -n far link set lo up; ip -n far link set far0 up
        ip -n far address add 10.0.2.2/24 dev far0
        ip -n far address add fd00:2::2/64 dev far0 nodad");
    machine.ok(script);
    machine.ok("while ip -6 address show dev eth0 | grep -q tentative \
        || ip -n far -6 address show dev far0 | grep -q tentative; do sleep 0.1; done");
    machine
}

/// All routes through an interface but for its name and the kernel's own for
/// every interface.
fn routes(machine: &Machine, name: &str) -> Vec<String> {
    let mut lines = vec![];
    for family in ["-4", "-6"] {
        let table = machine.ip(&format!("{family} -N route show table all"));
        for route in table.as_array().unwrap() {
            let mut route = route.clone();
            if route["expires"].is_u64() {
                route["expires"] = "it does".into();
            }
            let line = route.to_string();
            let is_usual = line.contains("\"table\":\"255\"") || line.contains("fe80::/64");
            if line.contains(&format!("\"dev\":\"{name}\""))
                && !is_usual
                && !line.contains("ff00::/8")
            {
                lines.push(line.replace(name, "LINK").replace("\"linkdown\"", ""));
            }
        }
    }
    lines.sort();
    lines
}

/// The routes move, come back with `down`, and come back by themselves.
#[track_caller]
fn move_and_come_back(script: &str, reached: &[&str]) {
    let machine = with_uplink_of(script);
    let before = routes(&machine, "eth0");
    let reach = || {
        for address in reached {
            machine.ok(&format!("ping -c1 -W3 {address}"));
        }
    };
    reach();
    machine.run(MOVE).is_silent();
    same(&routes(&machine, "xenbr0"), &before, "moved");
    same(&routes(&machine, "eth0"), &[], "left");
    reach();
    machine.run("down").is_silent();
    same(&routes(&machine, "eth0"), &before, "down");
    reach();
    let ran = machine.run(&format!("{MOVE} --confirm 1"));
    assert_eq!(ran.status, 7, "{ran:?}");
    same(&routes(&machine, "eth0"), &before, "put back");
    reach();
}

#[test]
fn gives_back_a_gateway_that_only_a_route_leads_to() {
    move_and_come_back(
        "ip -n far route add 10.5.0.2 dev far0; ip -n far route add fd00:5::2 dev far0
        ip address add 10.5.0.2/32 dev eth0; ip route add 10.0.2.2 dev eth0
        ip route add default via 10.0.2.2
        ip address add fd00:5::2/128 dev eth0 nodad; ip -6 route add fd00:2::2 dev eth0
        ip -6 route add default via fd00:2::2",
        &["10.0.2.2", "fd00:2::2"],
    );
}

/// NetworkManager's usual form.
#[test]
fn moves_the_routes_that_a_manager_makes_in_the_kernels_stead() {
    for (gateway, gateway6) in [
        ("", ""),
        (
            "ip route add default via 10.0.2.2 dev eth0 proto static metric 100",
            "ip -6 route add default via fd00:2::2 dev eth0 proto static metric 100",
        ),
    ] {
        move_and_come_back(
            &format!(
                "ip address add 10.0.2.15/24 broadcast + dev eth0 noprefixroute
                ip route add 10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 metric 100
                {gateway}
                ip address add fd00:2::15/64 dev eth0 noprefixroute nodad
                ip -6 route add fd00:2::/64 dev eth0 proto kernel metric 100
                {gateway6}"
            ),
            &["10.0.2.2", "fd00:2::2"],
        );
    }
}

#[test]
fn moves_them_beside_those_of_the_kernel_and_from_other_tables() {
    move_and_come_back(
        "ip address add 10.0.2.15/24 broadcast + dev eth0 metric 50
        ip route add 10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 metric 100
        ip route add 10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 table 77
        ip address add 192.168.7.1 peer 192.168.7.2/32 dev eth0
        ip address add fd00:2::15/64 dev eth0 nodad
        ip -6 route add fd00:2::/64 dev eth0 proto kernel table 77",
        &["10.0.2.2", "fd00:2::2"],
    );
}

#[test]
fn moves_a_route_over_several_gateways_of_one_uplink() {
    move_and_come_back(
        "ip address add 10.0.2.15/24 broadcast + dev eth0
        ip route add 10.0.9.9 dev eth0
        ip route add default nexthop via 10.0.2.2 dev eth0 weight 3 nexthop via 10.0.9.9 dev eth0
        ip route add 10.8.0.0/16 metric 7 mtu 1400 nexthop via 10.0.2.2 dev eth0 \
            nexthop via 10.9.9.9 dev eth0 onlink
        ip address add fd00:2::15/64 dev eth0 nodad
        ip -6 route add default nexthop via fd00:2::2 dev eth0 nexthop via fd00:2::3 dev eth0",
        &["10.0.2.2", "fd00:2::2"],
    );
}

#[test]
fn refuses_an_uplink_without_addresses_whose_routes_cannot_move() {
    for (script, words) in [
        (
            "ip nexthop add id 1 via inet6 fe80::1 dev eth0; ip route add default nhid 1",
            "default route via inet6 fe80::1",
        ),
        (
            "ip link set eth1 up; ip route add 10.50.0.0/16 nexthop dev eth0 nexthop dev eth1",
            "route 10.50.0.0/16",
        ),
    ] {
        let machine = with_uplink_of(&format!("ip address add 10.99.0.2/32 dev lo; {script}"));
        let before = machine.state();
        assert_eq!(machine.run("up --port eth0").status, 6);
        machine.run(MOVE).fails(
            6,
            &format!(
                "port eth0: its {words} leads through several interfaces or a next-hop object, \
                 which cannot be moved (take it away first)"
            ),
        );
        machine.is_as(&before, "refused");
        machine.run(&format!("{MOVE} --force")).is_silent();
        machine.run(MOVE).is_silent();
        machine.run("down").is_silent();
        machine.is_as(&before, "down");
    }
}

#[test]
fn prints_all_of_a_route_that_a_command_can_say() {
    let script = "ip address add 10.0.2.15/24 broadcast + dev eth0
        ip address add 10.0.2.99/32 dev eth0
        ip route add default via 10.0.2.2 tos 0x10 realm 3/5 src 10.0.2.99 initcwnd 30 \
            advmss 1400 mtu lock 1300 rtt 640 rttvar 32 rto_min 5ms quickack 1 features ecn \
            congctl reno window 9000 ssthresh 7 cwnd lock 8 reordering 4 hoplimit 9 \
            initrwnd 11 fastopen_no_cookie 1
        ip route add local 10.66.0.0/16 dev eth0 table 100
        ip route add 10.67.0.0/16 nexthop via 10.0.2.2 dev eth0 weight 3 realm 4 \
            nexthop via 10.9.9.9 dev eth0 onlink
        ip address add fd00:2::15/64 dev eth0 nodad
        ip -6 route add default via fd00:2::2 dev eth0 pref high expires 900 initcwnd 30
        ip -6 route add fd00:9::/48 nexthop via fd00:2::2 dev eth0 nexthop via fd00:2::3 dev eth0";
    let (ours, theirs) = (with_uplink_of(script), with_uplink_of(script));
    let before = routes(&ours, "eth0");
    theirs.ok(&theirs.run(&format!("{MOVE} -n")).stdout);
    ours.run(MOVE).is_silent();
    same(&routes(&ours, "xenbr0"), &before, "ours");
    same(&routes(&theirs, "xenbr0"), &before, "theirs");
    theirs.ok(&ours.run("down -n").stdout);
    ours.run("down").is_silent();
    same(&routes(&ours, "eth0"), &before, "ours back");
    same(&routes(&theirs, "eth0"), &before, "theirs back");
}

#[test]
fn says_where_a_command_cannot_say_all_of_a_route() {
    let machine = with_uplink_of(
        "ip address add fd00:2::15/64 dev eth0 nodad
        ip -6 route add fd00:9::/48 from fd00:8::/48 via fd00:2::2 dev eth0",
    );
    let printed = machine.run(&format!("{MOVE} -n")).stdout;
    assert!(
        printed.contains(
            "ip -6 route prepend fd00:9::/48 via fd00:2::2 dev xenbr0 proto 3 metric 1024 \
             # and more, see ip -d route\n"
        ),
        "{printed}"
    );
}

#[test]
fn moves_what_somebody_put_into_the_kernels_table() {
    let machine = Machine::with_uplink();
    machine.ok("ip route add local 10.90.0.0/24 dev eth0
        ip route add broadcast 10.91.0.255 dev eth0 table local
        ip -n far route add 10.90.0.0/24 via 10.0.2.15");
    let answers = "ip netns exec far ping -c1 -W3 10.90.0.7";
    machine.ok(answers);
    let before = machine.state();
    let put_back = machine.run("up --port eth0 --move-address --confirm 1");
    assert_eq!(put_back.status, 7, "{put_back:?}");
    machine.is_as(&before, "put back");
    machine.run("up --port eth0 --move-address").is_silent();
    machine.ok(answers);
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
    machine.ok(answers);
}
