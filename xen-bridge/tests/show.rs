//! `show`, in namespaces and over fake roots named for their situation.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM, Ran};
use serde_json::{Value, json};

fn root(situation: &str) -> String {
    format!("{}/tests/roots/{situation}", env!("CARGO_MANIFEST_DIR"))
}

/// A machine whose xenbr0 is 6, with eth0 (3) and a guest on it.
fn machine() -> Machine {
    let machine = Machine::with_cards();
    machine
        .run("up --port eth0 --address 172.16.0.1/16 --mac 00:16:3e:00:00:01")
        .is_silent();
    // The carrier comes when it likes.
    machine.ok("until bridge link show dev eth0 | grep -q forwarding; do sleep 0.05; done");
    machine.ok("until ip link show xenbr0 | grep -q LOWER_UP; do sleep 0.05; done");
    machine.ok(
        "ip link add guest type veth peer name vif1.0; ip link set vif1.0 master xenbr0; \
         ip address add 10.0.0.1/31 dev xenbr0 valid_lft 3600 preferred_lft 3600",
    );
    machine
}

fn show(machine: &Machine, situation: &str) -> Value {
    let ran = machine.run(&format!("show --json --root {}", root(situation)));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{situation}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn says_all_there_is_to_say() {
    let machine = machine();
    let mut report: Value = serde_json::from_str(&machine.run("show --json").stdout).unwrap();
    // What this test's machine has of these is its own affair.
    report.as_object_mut().unwrap().remove("br_netfilter");
    let problems = report["problems"].take();
    let valid = report["addresses"][1]["valid_seconds"].take();
    assert!((3500..=3600).contains(&valid.as_u64().unwrap()));
    assert_eq!(
        report,
        json!({
            "name": "xenbr0", "ifindex": 6, "state": "up", "made_by_xen_bridge": true,
            "mac": "00:16:3e:00:00:01", "mtu": 1500, "stp": false, "forward_delay_ms": 0,
            "ageing_ms": 300_000, "vlan_filtering": false, "mcast_snooping": true,
            "routes": [
                {"destination": "10.0.0.0/31", "gateway": null, "table": 254},
                {"destination": "172.16.0.0/16", "gateway": null, "table": 254},
            ],
            "unconfirmed": false,
            "addresses": [
                {"address": "172.16.0.1/16", "broadcast": "172.16.255.255",
                 "valid_seconds": null, "added_by_xen_bridge": true},
                {"address": "10.0.0.1/31", "broadcast": null,
                 "valid_seconds": null, "added_by_xen_bridge": false},
            ],
            "ports": [
                {"name": "eth0", "ifindex": 3, "state": "up", "stp_state": "forwarding",
                 "guest": false, "added_by_xen_bridge": true},
                {"name": "vif1.0", "ifindex": 7, "state": "down", "stp_state": "disabled",
                 "guest": true, "added_by_xen_bridge": false},
            ],
            "managers": [], "problems": null,
        })
    );
    let problems = problems.as_array().unwrap();
    assert!(problems.contains(&json!("port vif1.0 is down")));
}

#[test]
fn tells_who_else_has_a_hand_in_it() {
    let machine = machine();
    let hand = |interface: &str, manager: &str, state: &str| -> Value {
        json!({"interface": interface, "manager": manager, "state": state})
    };
    for (situation, managers) in [
        ("nobody-manages", json!([])),
        (
            "networkmanager-manages-eth0",
            json!([hand("eth0", "NetworkManager", "managed")]),
        ),
        (
            "networkd-manages-eth0",
            json!([hand("eth0", "systemd-networkd", "configured")]),
        ),
        ("networkd-leaves-both-alone", json!([])),
        (
            "ifupdown-and-dhclient-have-eth0",
            json!([
                hand("eth0", "ifupdown", "configured"),
                hand("eth0", "dhclient", "running as process 77"),
            ]),
        ),
        ("a-dhcp-client-died", json!([])),
        (
            "dhcpcd-has-every-interface",
            json!([
                hand("xenbr0", "dhcpcd", "running as process 88"),
                hand("eth0", "dhcpcd", "running as process 88"),
                hand("vif1.0", "dhcpcd", "running as process 88"),
            ]),
        ),
        (
            "state-is-unreadable",
            json!([hand("eth0", "NetworkManager", "unknown")]),
        ),
    ] {
        assert_eq!(
            show(&machine, situation)["managers"],
            managers,
            "{situation}"
        );
    }
}

#[test]
fn counts_an_unreadable_record_as_unknown() {
    let machine = machine();
    let report = show(&machine, "state-is-unreadable");
    assert_eq!(report["made_by_xen_bridge"], Value::Null);
    assert_eq!(report["ports"][0]["added_by_xen_bridge"], Value::Null);
}

#[test]
fn tells_whether_br_netfilter_is_in_the_way() {
    let machine = machine();
    let problem = json!("br_netfilter sends guests' traffic through iptables, ip6tables");
    let on = show(&machine, "br-netfilter-is-on");
    assert_eq!(
        on["br_netfilter"],
        json!({"loaded": true, "iptables": true, "ip6tables": true, "arptables": false})
    );
    assert!(on["problems"].as_array().unwrap().contains(&problem));
    let unknown = show(&machine, "br-netfilter-is-unreadable");
    assert_eq!(
        unknown["br_netfilter"],
        json!({"loaded": true, "iptables": null, "ip6tables": true, "arptables": null})
    );
    let problems = unknown["problems"].as_array().unwrap();
    assert!(problems.contains(&json!(
        "br_netfilter sends guests' traffic through ip6tables"
    )));
    let line = "whether br_netfilter sends guests' traffic through iptables, arptables is unknown";
    assert!(problems.contains(&json!(line)));
    let off = show(&machine, "nobody-manages");
    assert_eq!(
        off["br_netfilter"],
        json!({"loaded": false, "iptables": false, "ip6tables": false, "arptables": false})
    );
    assert_eq!(off["problems"], json!(["port vif1.0 is down"]));
}

#[test]
fn prints_a_page_for_people() {
    let machine = machine();
    machine.ok("ip link set far0 down; ip address delete 10.0.0.1/31 dev xenbr0");
    machine.ok("ip link set xenbr0 type bridge forward_delay 1500");
    let root = root("networkd-manages-eth0");
    machine.ok("while ip link show eth0 | grep -q LOWER_UP; do sleep 0.1; done");
    machine
        .run(&format!("show --root {root}"))
        .is(0, include_str!("golden/show.txt"), "");
}

#[test]
fn prints_the_table_of_a_route_that_is_not_in_the_main_one() {
    let machine = machine();
    machine.ok("ip route add default via 172.16.0.9; ip route add default via 172.16.0.9 table 77");
    let page = machine.run("show").stdout;
    let defaults: Vec<&str> = page.lines().filter(|it| it.contains("default")).collect();
    let main = "  route default via 172.16.0.9";
    assert_eq!(defaults, [&format!("{main} table 77"), main]);
}

#[test]
fn says_that_there_is_no_such_bridge() {
    let machine = Machine::new();
    machine.run("show").fails(5, "xenbr0: no such bridge");
    machine
        .run("show br7 --json")
        .fails(5, "br7: no such bridge");
    let output = machine
        .command(PROGRAM)
        .arg("show")
        .env("XEN_BRIDGE", "br8")
        .env("XEN_BRIDGE_STP", "nonsense")
        .output()
        .unwrap();
    Ran::from(output).fails(5, "br8: no such bridge");
}

#[test]
fn says_in_the_manual_what_each_key_means() {
    let machine = machine();
    let report: Value = serde_json::from_str(&machine.run("show --json").stdout).unwrap();
    let manual = include_str!("../examples/json.roff");
    let mut keys: Vec<&str> = report
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for list in ["addresses", "routes", "ports"] {
        keys.extend(
            report[list][0]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str),
        );
    }
    keys.extend(
        report["br_netfilter"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str),
    );
    for key in keys {
        assert!(
            manual.contains(&format!("\\fB{key}\\fR")) || manual.contains(&format!(".B {key}\n")),
            "{key}"
        );
    }
}
