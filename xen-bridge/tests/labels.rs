//! Addresses with labels of their own move too, and nothing stays behind.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::waiting::{ended, journal_is_gone, start, until_it_waits};
use common::{Machine, PROGRAM, Ran};

/// The labels of an interface's IPv4 addresses.
fn labels(machine: &Machine, name: &str) -> Vec<String> {
    let links = machine.ip(&format!("-4 address show dev {name}"));
    let all = links[0]["addr_info"].as_array().into_iter().flatten();
    let label = |it: &serde_json::Value| {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        format!("{} {}", text("local"), text("label"))
    };
    all.map(label).collect()
}

const MOVE: &str = "up --port eth0 --move-address";

#[test]
fn moves_an_address_whose_label_is_not_its_interfaces() {
    for arguments in [
        MOVE.to_owned(),
        format!("{MOVE} --check-gateway --confirm 10"),
    ] {
        let machine = Machine::with_uplink();
        machine.ok("ip -4 address flush dev eth0
            ip address add 10.0.2.15/24 dev eth0 label wan
            ip address add 10.0.2.16/24 dev eth0 label old0:1
            ip route add default via 10.0.2.2");
        let before = machine.state();
        machine.run(&arguments).is_silent();
        assert_eq!(labels(&machine, "eth0"), Vec::<String>::new());
        assert_eq!(
            labels(&machine, "xenbr0"),
            ["10.0.2.15 xenbr0", "10.0.2.16 xenbr0:1"]
        );
        machine.ok("ip neigh flush dev xenbr0; ping -c1 -W3 10.0.2.2");
        machine.run("down").is_silent();
        machine.is_as(&before, &arguments);
        machine.ok("ip neigh flush dev eth0; ping -c1 -W3 10.0.2.2");
    }
}

#[test]
fn puts_back_a_label_that_is_not_the_interfaces() {
    let machine = Machine::with_uplink();
    machine.ok("ip address add 10.5.0.1/24 dev eth0 label wan");
    let before = machine.state();
    assert_eq!(machine.run(&format!("{MOVE} --confirm 1")).status, 7);
    machine.is_as(&before, "put back");
}

#[test]
fn puts_all_back_where_an_address_returns_to_the_uplink_at_once() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let client = "until ip address show dev xenbr0 2> /dev/null | grep -q inet6; do :; done
        while ip link show xenbr0; do ip address add 10.0.2.15/24 broadcast + dev eth0 || :; done";
    let mut client = machine
        .command("sh")
        .args(["-c", client])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut command = machine.command("strace");
    let slowly = "inject=sendto:delay_enter=20000";
    command.args(["-qq", "-o", "/dev/null", "-e", slowly, PROGRAM]);
    let ran: Ran = command
        .args(MOVE.split_whitespace())
        .output()
        .unwrap()
        .into();
    ran.fails(
        1,
        "take address 10.0.2.15/24 from eth0: it is still there, or there again",
    );
    assert!(client.wait().unwrap().success() || machine.link("xenbr0").is_null());
    machine.is_as(&before, "put back");
    journal_is_gone(&machine);
}

#[test]
fn does_not_confirm_itself_where_the_gateway_is_reached_past_the_bridge() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    // It does not answer until a client has put an address and a route back.
    machine.ok("ip -n far address delete 10.0.2.2/24 dev far0");
    let up = start(&machine, &format!("{MOVE} --check-gateway --confirm 6"));
    until_it_waits(&machine);
    machine.ok(
        "ip address add 10.0.2.99/32 dev eth0; ip route add 10.0.2.2 dev eth0
        ip -n far address add 10.0.2.2/24 dev far0",
    );
    ended(up).fails(
        7,
        "bridge xenbr0: after the change 10.0.2.2 did not answer through it in time: \
         everything is as it was before",
    );
    machine.ok("ip route delete 10.0.2.2 dev eth0; ip address delete 10.0.2.99/32 dev eth0");
    machine.is_as(&before, "put back");
}
