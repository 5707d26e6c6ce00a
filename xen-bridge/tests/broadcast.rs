//! Addresses with another broadcast address than their network's.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM, Ran};

/// A bridge of somebody else's with these addresses, whose default route and
/// another interface's route rest on 10.0.0.9.
fn with_bridge(addresses: &str) -> Machine {
    let machine = Machine::with_cards();
    machine.ok("ip link add br9 type bridge; ip link set br9 up
        ip link set eth0 master br9; ip link set eth0 up; ip link set eth1 up");
    machine.ok(addresses);
    machine.ok("ip route add default via 10.0.0.1 dev br9
        ip route add 10.8.0.0/16 dev eth1 src 10.0.0.9
        ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:77 dev br9");
    machine
}

#[test]
fn gives_a_named_address_its_networks_broadcast() {
    for wrong in ["", "broadcast 10.0.0.0"] {
        for more in ["", " --confirm 60"] {
            let machine = with_bridge(&format!(
                "ip address add 10.0.0.9/24 {wrong} dev br9
                ip address add 192.168.7.1/24 broadcast + dev br9"
            ));
            let kept = || {
                let neighbor = "ip neigh show dev br9 nud permanent";
                machine.ok(&format!(
                    "ip route show | sed 's/linkdown//' | sort; {neighbor}"
                ))
            };
            let before = kept();
            assert_eq!(before.lines().count(), 5, "{before}");
            let up = format!("up br9 --address 10.0.0.9/24{more}");
            let mut command = machine.command(PROGRAM);
            let run = command.args(up.split(' ')).spawn().unwrap();
            if !more.is_empty() {
                let confirm =
                    format!("until {PROGRAM} confirm br9 2> /dev/null; do sleep 0.1; done");
                machine.ok(&confirm);
            }
            assert!(run.wait_with_output().unwrap().status.success());
            let mut has = machine.addresses("br9");
            has.sort();
            assert_eq!(
                has,
                ["10.0.0.9/24 10.0.0.255", "192.168.7.1/24 192.168.7.255"]
            );
            assert_eq!(kept(), before);
            machine.run("up br9 --address 10.0.0.9/24").is_silent();
            // What it was is nobody's: it is not given back.
            machine.run("down br9").is(
                0,
                "",
                "xen-bridge: bridge br9 is not ours: left as it is\n",
            );
        }
    }
}

#[test]
fn puts_a_wrong_broadcast_back() {
    let machine = with_bridge("ip address add 10.0.0.9/24 broadcast 10.0.0.0 dev br9");
    let before = machine.state();
    let up = "up br9 --address 10.0.0.9/24";
    assert_eq!(machine.run(&format!("{up} --confirm 1")).status, 7);
    machine.is_as(&before, "not confirmed");
    // Killed at every request, and restored.
    for nth in 1..40 {
        let mut command = machine.command("strace");
        let kill = format!("inject=sendto:signal=KILL:when={nth}");
        command.args(["-qq", "-o", "/dev/null", "-e", &kill, PROGRAM]);
        let ran: Ran = command.args(up.split(' ')).output().unwrap().into();
        if ran.status == 0 {
            assert!(nth > 5, "{nth}");
            return;
        }
        machine.ok(
            "n=0; while ls /run/xen-bridge/.unconfirmed* 2> /dev/null >&2; do \
            n=$((n + 1)); test $n -lt 100; sleep 0.1; done",
        );
        if machine.addresses("br9") == ["10.0.0.9/24 10.0.0.255"] {
            // It was all done but for the answer.
            return;
        }
        machine.is_as(&before, &format!("killed at request {nth}"));
    }
    unreachable!("never done");
}

#[test]
fn says_so_where_others_would_go_with_the_address() {
    for (script, has, cidr) in [
        (
            "10.0.0.9/24 dev br9; ip address add 10.0.0.8/24 dev br9",
            "no broadcast address",
            "24",
        ),
        (
            "10.0.0.9/24 dev br9 label br9:1",
            "no broadcast address",
            "24",
        ),
        (
            "10.0.0.9/24 dev br9 noprefixroute; ip route add 10.0.0.0/24 dev br9",
            "no broadcast address",
            "24",
        ),
        (
            "10.0.0.9/24 brd 10.0.0.0 dev br9 valid_lft 900 preferred_lft 900",
            "broadcast address 10.0.0.0",
            "24",
        ),
    ] {
        let machine = with_bridge(&format!("ip address add {script}"));
        let before = machine.addresses("br9");
        let line = format!(
            "xen-bridge: bridge br9: 10.0.0.9/{cidr} has {has}, and its network broadcast address \
             10.0.0.255: left so, for it would have to go and come again, and has a lifetime or \
             the like, or others in its network go with it\n"
        );
        machine.run("up br9 --address 10.0.0.9/24").is(0, "", &line);
        assert_eq!(machine.addresses("br9"), before);
    }
}
