//! A change that waits is kept if somebody confirms it, or the gateway answers;
//! else it is put back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::waiting::{
    MOVE, NO_GATEWAY, UNCONFIRMED, ended, journal_is_gone, start, until_it_waits,
};
use common::{Machine, PROGRAM};
use serde_json::Value;

#[test]
fn keeps_what_is_confirmed() {
    let machine = Machine::with_uplink();
    let up = start(&machine, &format!("{MOVE} --confirm 60"));
    until_it_waits(&machine);
    let line = "bridge xenbr0: a change waits for xen-bridge confirm xenbr0, or restore xenbr0";
    machine.run("up").fails(6, line);
    machine.run("down").fails(6, line);
    machine.run("confirm").is_silent();
    ended(up).is(0, "", UNCONFIRMED);
    journal_is_gone(&machine);
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W3 10.0.2.2");
    machine
        .run("confirm")
        .fails(5, "bridge xenbr0: no change waits to be confirmed");
    machine.run("restore").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn knows_a_bridge_that_waits_by_its_alternative_name() {
    let machine = Machine::with_uplink();
    machine.ok("ip link add br7 address 02:00:00:00:00:bb type bridge; ip link property add dev br7 altname xenbr0");
    let before = machine.state();
    let arguments = "up --port eth0 --move-address --confirm 60";
    for (end, status) in [("confirm", 0), ("restore", 7)] {
        let up = start(&machine, arguments);
        until_it_waits(&machine);
        let line = "bridge br7: a change waits for xen-bridge confirm br7, or restore br7";
        machine.run("up").fails(6, line);
        machine.run("down").fails(6, line);
        machine.run(end).is_silent();
        assert_eq!(ended(up).status, status);
        machine.run("down");
        machine.ok("ip link set br7 down");
        machine.is_as(&before, end);
    }
}

#[test]
fn puts_everything_back_in_time_if_nobody_confirms() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let begun = Instant::now();
    let ran = machine.run(&format!("{MOVE} --confirm 2"));
    let took = begun.elapsed();
    assert_eq!(ran.status, 7, "{ran:?}");
    assert!(ran.stderr.ends_with(
        "xen-bridge: bridge xenbr0: nobody confirmed the change in time: \
         everything is as it was before\n"
    ));
    assert!(
        took.as_millis() >= 2000 && took.as_millis() < 4000,
        "{took:?}"
    );
    machine.is_as(&before, "put back");
    journal_is_gone(&machine);
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
}

#[test]
fn puts_a_bridge_that_was_there_back_as_it_was() {
    let machine = Machine::with_uplink();
    machine.ok(
        "ip link add xenbr0 address 02:00:00:00:00:bb type bridge forward_delay 400 stp_state 0; \
         ip address add 172.17.0.1/16 dev xenbr0; ip link set xenbr0 mtu 1450; \
         ip link set xenbr0 up; ip link set eth1 master xenbr0; ip link set eth1 up; \
         ip route add 10.30.0.0/16 via 172.17.0.2",
    );
    let before = machine.state();
    let everything = "--ageing 20 --stp off --mcast-snooping off --forward-delay 0 --exact";
    let up = start(&machine, &format!("{MOVE} {everything} --confirm 60"));
    until_it_waits(&machine);
    assert_eq!(machine.master("eth1"), Value::Null);
    machine.run("restore").is_silent();
    let ran = ended(up);
    let line = "xen-bridge: bridge xenbr0: the change was put back by xen-bridge restore: \
                everything is as it was before, but for what port eth1 was set to (bridge link, \
                bridge vlan, bridge fdb)\n";
    assert_eq!(
        (ran.status, ran.stderr.ends_with(line)),
        (7, true),
        "{ran:?}"
    );
    machine.is_as(&before, "restored");
}

#[test]
fn puts_back_on_a_signal_but_not_when_the_terminal_is_closed() {
    for signal in ["TERM", "INT"] {
        let machine = Machine::with_uplink();
        let before = machine.state();
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        until_it_waits(&machine);
        machine.ok(&format!("kill -HUP {}", up.id()));
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(machine.master("eth0"), "xenbr0");
        machine.ok(&format!("kill -{signal} {}", up.id()));
        let ran = ended(up);
        let line = format!("xen-bridge: stopped by SIG{signal}: everything is as it was before\n");
        ran.is(1, "", &format!("{UNCONFIRMED}{line}"));
        machine.is_as(&before, signal);
    }
}

#[test]
fn survives_the_terminal_that_started_it() {
    let machine = Machine::with_uplink();
    // A terminal of its own, closed while the change waits; then confirmed.
    let inner = format!("{PROGRAM} {MOVE} --confirm 60");
    let script =
        format!("timeout -s KILL 2 script -qec '{inner}' /dev/null < /dev/null > /dev/null || :");
    machine.ok(&script);
    until_it_waits(&machine);
    machine.run("confirm").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn confirms_by_itself_where_the_gateway_answers() {
    let machine = Machine::with_uplink();
    let begun = Instant::now();
    machine
        .run(&format!("{MOVE} --check-gateway --confirm 30"))
        .is_silent();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(machine.master("eth0"), "xenbr0");
    journal_is_gone(&machine);
}

#[test]
fn puts_back_where_the_gateway_is_silent() {
    let machine = Machine::with_uplink();
    machine.ok("ip -n far address delete 10.0.2.2/24 dev far0");
    let before = machine.state();
    let ran = machine.run(&format!("{MOVE} --check-gateway --confirm 3"));
    ran.fails(
        7,
        "bridge xenbr0: after the change 10.0.2.2 did not answer through it in time: \
         everything is as it was before",
    );
    machine.is_as(&before, "put back");
    // Where a bridge is made and nothing moves, there is nothing to check.
    machine
        .run("up --check-gateway --confirm 9 br7")
        .is_silent();
    machine.ok("ip route delete default");
    machine.ok("ip -6 route delete default");
    machine
        .run(&format!("{MOVE} --check-gateway"))
        .fails(6, NO_GATEWAY);
}

#[test]
fn sees_a_change_that_began_while_it_waited_for_the_lock() {
    for late in ["up --address 10.40.0.1/24", "down"] {
        let machine = Machine::with_uplink();
        machine.run("up --mac 02:00:00:00:00:bb").is_silent();
        let before = machine.state();
        // It has looked, and stops for a while before it takes the lock.
        let mut command = machine.command("strace");
        command.args(["-qq", "-o", "/dev/null"]);
        command.args(["-e", "inject=fcntl:delay_enter=3000000:when=1", PROGRAM]);
        command.args(late.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let late_one = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let up = start(&machine, &format!("{MOVE} --confirm 60"));
        until_it_waits(&machine);
        ended(late_one).fails(
            6,
            "bridge xenbr0: a change waits for xen-bridge confirm xenbr0, or restore xenbr0",
        );
        machine.run("restore").is_silent();
        assert_eq!(ended(up).status, 7);
        machine.is_as(&before, late);
    }
}

#[test]
fn a_hundred_at_once_move_it_once() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let arguments = "up --port eth0 --move-address";
    let all: Vec<_> = (0..100).map(|_| start(&machine, arguments)).collect();
    for up in all {
        ended(up).is_silent();
    }
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W3 10.0.2.2");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
}

#[test]
fn asks_the_bridges_own_gateway_where_no_default_route_moves() {
    let machine = Machine::with_uplink();
    machine.run("up --port eth0 --move-address").is_silent();
    let repair = "up --port eth0 --move-address --check-gateway --confirm 3";
    machine.ok("ip address add 10.5.0.1/24 dev eth0");
    machine.run(repair).is_silent();
    assert_eq!(machine.addresses("eth0"), Vec::<String>::new());
    machine.ok("ip address add 10.5.0.2/24 dev eth0
        ip -n far address delete 10.0.2.2/24 dev far0");
    machine.run(repair).fails(
        7,
        "bridge xenbr0: after the change 10.0.2.2 did not answer through it in time: \
         everything is as it was before",
    );
    assert_eq!(machine.addresses("eth0"), ["10.5.0.2/24 -"]);
    machine.ok("ip route delete default; ip -6 route delete default");
    machine
        .run("up --port eth0 --move-address --check-gateway")
        .fails(6, NO_GATEWAY);
}

#[test]
fn says_that_a_bridge_keeps_the_mac_that_it_did_not_have() {
    let machine = Machine::with_uplink();
    // As a bridge is when the last guest is gone.
    machine.run("up").is_silent();
    machine.ok(
        "ip link add vif1.0 type veth peer name guest; ip link set vif1.0 master xenbr0
        ip link delete vif1.0; sleep 0.1",
    );
    assert_eq!(machine.link("xenbr0")["address"], "00:00:00:00:00:00");
    machine.run("up --port eth0 --move-address --confirm 1").is(
        7,
        "",
        "xen-bridge: done; put back in 1 s, unless this comes before: xen-bridge confirm xenbr0\n\
         xen-bridge: bridge xenbr0: nobody confirmed the change in time: everything is as it was \
         before, but for the mac of bridge xenbr0, which had none\n",
    );
    assert_eq!(machine.link("xenbr0")["address"], "02:00:00:00:00:0e");
    journal_is_gone(&machine);
}
