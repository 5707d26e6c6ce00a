//! Neighbours that somebody laid down move with the host, and come back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Machine;
use serde_json::Value;

const MOVE: &str = "up --port eth0 --move-address";

/// What was laid down for an interface, as `ip` has it but for its name.
fn neighbors(machine: &Machine, name: &str) -> Vec<String> {
    let mut all = vec![];
    for kind in ["nud permanent", "proxy"] {
        let found = machine.ip(&format!("neighbor show {kind} dev {name}"));
        all.extend(found.as_array().unwrap().iter().map(Value::to_string));
    }
    all.sort();
    all
}

/// A machine whose gateways answer nobody's questions.
fn with_silent_gateways() -> Machine {
    let machine = Machine::with_uplink();
    machine.ok(
        "mac=$(ip -n far -o link show far0 | sed 's/.*ether \\([^ ]*\\).*/\\1/')
        ip -n far link set far0 arp off
        for address in 10.0.2.15 fd00:2::15; do
            ip -n far neighbor replace $address lladdr 02:00:00:00:00:0e nud permanent dev far0
        done
        ip neighbor replace 10.0.2.2 lladdr $mac nud permanent dev eth0
        ip neighbor replace fd00:2::2 lladdr $mac nud permanent dev eth0
        ip neighbor add proxy 10.0.2.77 dev eth0",
    );
    machine.ok(PING);
    machine
}

const PING: &str = "ping -c1 -W3 -I 10.0.2.15 10.0.2.2; ping -c1 -W3 fd00:2::2";

#[test]
fn moves_neighbors_that_were_laid_down_and_down_gives_them_back() {
    let machine = with_silent_gateways();
    let (before, had) = (machine.state(), neighbors(&machine, "eth0"));
    assert_eq!(had.len(), 3, "{had:?}");
    machine.run(MOVE).is_silent();
    assert_eq!(neighbors(&machine, "xenbr0"), had);
    assert_eq!(neighbors(&machine, "eth0"), Vec::<String>::new());
    machine.ok(PING);
    machine.run("down").is_silent();
    assert_eq!(neighbors(&machine, "eth0"), had);
    machine.is_as(&before, "down");
    machine.ok(PING);
}

#[test]
fn puts_neighbors_that_were_laid_down_back() {
    let machine = with_silent_gateways();
    machine.ok(
        "ip link add xenbr0 address 02:00:00:00:00:bb type bridge; ip link set xenbr0 up
        ip address add 172.16.0.1/16 dev xenbr0
        ip neighbor add 172.16.0.2 lladdr 02:00:00:00:00:99 nud permanent dev xenbr0",
    );
    let (before, had) = (machine.state(), neighbors(&machine, "eth0"));
    let bridges = neighbors(&machine, "xenbr0");
    let ran = machine.run(&format!("{MOVE} --exact --confirm 1"));
    assert_eq!(ran.status, 7, "{ran:?}");
    assert_eq!(neighbors(&machine, "eth0"), had);
    assert_eq!(neighbors(&machine, "xenbr0"), bridges);
    machine.is_as(&before, "put back");
    machine.ok(PING);
}

#[test]
fn moves_them_as_its_dry_run_prints() {
    let (ours, theirs) = (with_silent_gateways(), with_silent_gateways());
    let printed = theirs.run(&format!("{MOVE} -n"));
    theirs.ok(&printed.stdout);
    ours.run(MOVE).is_silent();
    let normal = |machine: &Machine| {
        let mac = machine.ok("ip -n far -o link show far0 | sed 's/.*ether \\([^ ]*\\).*/\\1/'");
        let found = neighbors(machine, "xenbr0").into_iter();
        found
            .map(|it| it.replace(mac.trim(), "FAR"))
            .collect::<Vec<_>>()
    };
    assert_eq!(normal(&theirs), normal(&ours));
    assert_eq!(neighbors(&theirs, "eth0"), Vec::<String>::new());
    theirs.ok(PING);
}

#[test]
fn takes_what_was_laid_down_for_a_gateway_for_its_answer() {
    let machine = with_silent_gateways();
    let had = neighbors(&machine, "eth0");
    let check = format!("{MOVE} --check-gateway --confirm 9");
    machine.run(&check).is_silent();
    assert_eq!(neighbors(&machine, "xenbr0"), had);
    machine.ok(PING);
}

#[test]
fn asks_only_the_gateways_of_the_routes_that_move() {
    let machine = Machine::with_uplink();
    machine.ok("ip link add xenbr0 type bridge; ip link set xenbr0 up
        ip address add 10.33.0.1/24 dev xenbr0
        ip route add default via 10.33.0.9 dev xenbr0 metric 77
        ip neighbor add 10.33.0.9 lladdr 02:11:11:11:11:11 nud permanent dev xenbr0");
    let had = neighbors(&machine, "xenbr0");
    let check = format!("{MOVE} --check-gateway --confirm 9");
    machine.run(&check).is_silent();
    assert_eq!(neighbors(&machine, "xenbr0"), had);
    assert_eq!(machine.master("eth0"), "xenbr0");
}
