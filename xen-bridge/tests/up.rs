//! `up`, in namespaces, with `ip -j` as the witness.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM, Ran, strip};
use serde_json::{Value, json};

/// The settings of a bridge, without what no two bridges share.
fn settings(machine: &Machine, name: &str) -> Value {
    let mut link = machine.link(name);
    strip(&mut link);
    let data = link["linkinfo"]["info_data"].as_object_mut().unwrap();
    for own in ["bridge_id", "root_id", "mcast_startup_query_interval"] {
        data.remove(own);
    }
    for own in ["ifname", "ifindex", "address"] {
        link.as_object_mut().unwrap().remove(own);
    }
    link
}

#[test]
fn makes_what_ip_makes_with_stp_off_and_no_delay() {
    let machine = Machine::new();
    machine.run("up").is_silent();
    machine.ok("ip link add ref type bridge stp_state 0 forward_delay 0; ip link set ref up");
    assert_eq!(settings(&machine, "xenbr0"), settings(&machine, "ref"));
    let data = machine.link("xenbr0")["linkinfo"]["info_data"].clone();
    assert_eq!(
        (&data["stp_state"], &data["forward_delay"]),
        (&json!(0), &json!(0))
    );
    assert!(machine.is_up("xenbr0"));
}

#[test]
fn makes_everything_that_was_named() {
    let machine = Machine::with_cards();
    machine
        .run(
            "up br7 --mac 00:16:3e:01:02:03 --mtu 1400 --stp on --forward-delay 4 --ageing 100.5 \
             --vlan-filtering off --port eth0 --port eth1 --address 172.16.0.1/16 \
             --address 10.9.0.1/31 --address fd00::1/64",
        )
        .is_silent();
    let link = machine.link("br7");
    let data = &link["linkinfo"]["info_data"];
    assert_eq!(link["address"], "00:16:3e:01:02:03");
    assert_eq!(link["mtu"], 1400);
    assert_eq!(data["stp_state"], 1);
    assert_eq!(data["forward_delay"], 400);
    assert_eq!(data["ageing_time"], 10050);
    assert_eq!(data["vlan_filtering"].as_u64().unwrap_or(0), 0);
    for card in ["eth0", "eth1"] {
        assert_eq!(machine.master(card), "br7");
        assert!(machine.is_up(card));
    }
    assert_eq!(
        machine.addresses("br7"),
        [
            "172.16.0.1/16 172.16.255.255",
            "10.9.0.1/31 -",
            "fd00::1/64 -"
        ]
    );
    let mut record = machine.record("br7");
    let netns = record.as_object_mut().unwrap().remove("netns").unwrap();
    let expected = machine.ok("stat -Lc %i /proc/self/ns/net");
    assert_eq!(netns.to_string(), expected.trim());
    assert_eq!(
        record,
        json!({
            "name": "br7", "ifindex": 6, "made": true,
            "ports": [
                {"name": "eth0", "ifindex": 3, "brought_up": true},
                {"name": "eth1", "ifindex": 5, "brought_up": true},
            ],
            "addresses": ["172.16.0.1/16", "10.9.0.1/31", "fd00::1/64"],
        })
    );
}

#[test]
fn takes_the_same_from_the_environment() {
    let machine = Machine::with_cards();
    let output = machine
        .command(PROGRAM)
        .arg("up")
        .env("XEN_BRIDGE", "br7")
        .env("XEN_BRIDGE_PORTS", "eth0 'eth1'")
        .env("XEN_BRIDGE_ADDRESSES", "172.16.0.1/16  fd00::1/64")
        .env("XEN_BRIDGE_MTU", "1400")
        .env("XEN_BRIDGE_MAC", "00:16:3E:01:02:03")
        .env("XEN_BRIDGE_STP", "yes")
        .env("XEN_BRIDGE_FORWARD_DELAY", "")
        .env("XEN_BRIDGE_AGEING", "60")
        .env("XEN_BRIDGE_VLAN_FILTERING", "0")
        .output()
        .unwrap();
    Ran::from(output).is_silent();
    let link = machine.link("br7");
    let data = &link["linkinfo"]["info_data"];
    assert_eq!(link["address"], "00:16:3e:01:02:03");
    assert_eq!(data["stp_state"], 1);
    assert_eq!(data["forward_delay"], 1500);
    assert_eq!(data["ageing_time"], 6000);
    assert_eq!(machine.master("eth1"), "br7");
    assert_eq!(machine.addresses("br7").len(), 2);
}

#[test]
fn sends_no_write_request_and_writes_no_file_when_all_is_so() {
    let machine = Machine::with_cards();
    let arguments = "up --port eth0 --address 172.16.0.1/16 --address fd00::1/64 --mtu 1400 \
                     --stp on --vlan-filtering off --ageing 0.07 --mac 00:16:3e:00:00:01";
    machine.run(arguments).is_silent();
    let before = machine.state();
    let trace = machine.ok(&format!(
        "strace -o /run/trace -e trace=network,file,write {PROGRAM} {arguments}; cat /run/trace"
    ));
    let requests: Vec<&str> = trace.lines().filter(|it| it.contains("sendto")).collect();
    assert!(requests.len() >= 3, "{trace}");
    for request in requests {
        assert!(is_question(request), "{request}");
    }
    for word in ["O_WRONLY", "O_RDWR", "mkdir", "write(", "rename"] {
        assert!(!trace.contains(word), "{word}: {trace}");
    }
    machine.is_as(&before, "");
}

/// RTM_GETLINK, RTM_GETADDR or RTM_GETROUTE; strace may not know the names.
fn is_question(request: &str) -> bool {
    ["RTM_GET", "0x12 ", "0x16 ", "0x1a "]
        .iter()
        .any(|kind| request.contains(&format!("nlmsg_type={kind}")))
}

#[test]
fn asks_for_one_link_and_dumps_none() {
    let machine = Machine::with_cards();
    let trace = machine.ok(&format!(
        "strace -o /run/trace -e trace=sendto {PROGRAM} up; cat /run/trace"
    ));
    assert!(!trace.contains("NLM_F_DUMP"), "{trace}");
    let requests = trace.lines().filter(|it| it.contains("sendto"));
    let (questions, changes): (Vec<_>, Vec<_>) = requests.partition(|it| is_question(it));
    assert_eq!((questions.len(), changes.len()), (2, 1), "{trace}");
    assert!(changes[0].contains("NLM_F_ACK"), "{trace}");
}

#[test]
fn leaves_an_administrators_bridge_as_it_is() {
    let machine = Machine::new();
    machine.ok(
        "ip link add xenbr0 type bridge stp_state 1 forward_delay 700 ageing_time 1000; \
         ip link set xenbr0 up mtu 1300",
    );
    let before = machine.state();
    machine.run("up -v").is_silent();
    machine.is_as(&before, "");
    machine.ok("ip link set xenbr0 down");
    machine
        .run("up -v")
        .is(0, "", "xen-bridge: switched bridge xenbr0 on\n");
    machine.is_as(&before, "");
    machine
        .run("up -v --ageing 20")
        .is(0, "", "xen-bridge: set bridge xenbr0: ageing 20 s\n");
    let data = machine.link("xenbr0")["linkinfo"]["info_data"].clone();
    assert_eq!(data["stp_state"], 1);
    assert_eq!(data["forward_delay"], 700);
    assert_eq!(data["ageing_time"], 2000);
    assert_eq!(machine.record("xenbr0"), Value::Null);
}

#[test]
fn switches_stp_on_and_off_with_its_delay() {
    let machine = Machine::new();
    let delay = || machine.link("xenbr0")["linkinfo"]["info_data"]["forward_delay"].clone();
    machine.run("up").is_silent();
    machine.run("up -v --stp on").is(
        0,
        "",
        "xen-bridge: set bridge xenbr0: stp on\nxen-bridge: set bridge xenbr0: forward delay 15 s\n",
    );
    assert_eq!(delay(), 1500);
    machine.run("up --forward-delay 1.5").fails(
        6,
        "bridge xenbr0: it has STP on, with which a forward delay of 1.5 s is not kept",
    );
    machine.run("up -v --stp off --forward-delay 0").is(
        0,
        "",
        "xen-bridge: set bridge xenbr0: stp off\nxen-bridge: set bridge xenbr0: forward delay 0 s\n",
    );
    assert_eq!(delay(), 0);
    machine.run("up --forward-delay 4").is_silent();
    machine
        .run("up -v --stp on")
        .is(0, "", "xen-bridge: set bridge xenbr0: stp on\n");
    assert_eq!(delay(), 400);
}

#[test]
fn keeps_the_mtu_that_was_named_whatever_the_ports_have() {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth0 mtu 9000; ip link set eth1 mtu 1400");
    machine.run("up --port eth0 --mtu 1500").is_silent();
    assert_eq!(machine.link("xenbr0")["mtu"], 1500);
    machine.run("up --port eth1 --mtu 1500").is_silent();
    assert_eq!(machine.link("xenbr0")["mtu"], 1500);
}

#[test]
fn does_what_its_dry_run_prints() {
    let arguments = "up br7 --mac 00:16:3e:01:02:03 --mtu 1400 --stp on --ageing 100 \
                     --port eth0 --address 172.16.0.1/16 --address fd00::1/64";
    let (ours, theirs) = (Machine::with_cards(), Machine::with_cards());
    for machine in [&ours, &theirs] {
        machine.ok("ip link set far0 address 02:00:00:00:00:01");
        machine.ok("ip link set far1 address 02:00:00:00:00:02");
        machine.ok("ip link set eth0 address 02:00:00:00:00:03");
        machine.ok("ip link set eth1 address 02:00:00:00:00:04");
    }
    let printed = theirs.run(&format!("{arguments} --dry-run"));
    printed.is(0, include_str!("golden/up-everything.txt"), "");
    theirs.ok(&printed.stdout);
    let before = ours.state();
    ours.run(&format!("{arguments} -n"));
    ours.is_as(&before, "dry run");
    ours.run(arguments).is_silent();
    ours.ok("rm /run/xen-bridge/br7");
    ours.is_as(&theirs.state(), "the commands printed");
}

#[test]
fn prints_nothing_in_a_dry_run_when_all_is_so() {
    let machine = Machine::with_cards();
    machine
        .run("up -n")
        .is(0, include_str!("golden/up.txt"), "");
    machine.run("up --port eth0").is_silent();
    machine.run("up -n --port eth0").is_silent();
    machine
        .run("down -n")
        .is(0, include_str!("golden/down.txt"), "");
    machine.run("up -n --stp on --address 10.0.0.1/8").is(
        0,
        include_str!("golden/up-existing.txt"),
        "",
    );
}

#[test]
fn takes_a_port_that_has_only_what_every_interface_has() {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth0 up; sleep 0.1; ip -6 address show dev eth0 | grep -q fe80");
    machine.run("up --port eth0").is_silent();
    assert_eq!(machine.master("eth0"), "xenbr0");
}

#[test]
fn knows_a_bridge_by_its_alternative_name() {
    let machine = Machine::new();
    machine.ok("ip link add br7 type bridge; ip link property add dev br7 altname xenbr0");
    machine.run("up --address 10.0.0.1/8").is_silent();
    assert_eq!(machine.addresses("br7").len(), 1);
    assert_eq!(machine.record("br7")["name"], "br7");
    machine.run("down").is_silent();
    assert_eq!(machine.addresses("br7").len(), 0);
    assert_eq!(machine.record("br7"), Value::Null);
}
