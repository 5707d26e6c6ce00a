//! What exists is brought to what was named, and what cannot be is said.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Machine, PROGRAM, Ran};
use serde_json::Value;

#[test]
fn waits_for_a_port_that_is_not_there_yet() {
    let machine = Machine::new();
    let mut command = machine.command(PROGRAM);
    command.args(["up", "--port", "eth7", "--timeout", "30"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let up = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    // Others come first, and one that gets the name only later.
    machine.ok("for n in 1 2 3; do ip link add other$n type veth; done; \
                ip link add eth8 type veth; ip link set eth8 name eth7");
    Ran::from(up.wait_with_output().unwrap()).is_silent();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(machine.master("eth7"), "xenbr0");
}

#[test]
fn says_that_a_port_did_not_come_in_time() {
    let machine = Machine::new();
    let begun = Instant::now();
    machine
        .run("up --port eth7 --timeout 1")
        .fails(7, "port eth7: no such interface within 1 s");
    let took = begun.elapsed().as_millis();
    assert!((1000..3000).contains(&took), "{took}");
    machine
        .run("up --port eth7")
        .fails(5, "port eth7: no such interface");
    assert_eq!(machine.link("xenbr0"), Value::Null);
}

#[test]
fn takes_two_names_of_a_port_for_one() {
    let machine = Machine::with_uplink();
    machine.ok("ip link property add dev eth0 altname enp9s0");
    let twice = "up -n --port eth0 --port enp9s0 --move-address";
    let once = machine.run("up -n --port eth0 --move-address");
    assert_eq!(machine.run(twice), once);
    let before = machine.state();
    machine.run(&twice.replace(" -n", "")).is_silent();
    let record = machine.record("xenbr0");
    assert_eq!(record["ports"].as_array().unwrap().len(), 1, "{record}");
    machine.run("down").is_silent();
    machine.is_as(&before, "down");
}

#[test]
fn waits_for_a_port_by_its_alternative_name() {
    let machine = Machine::with_cards();
    let waits_for = |name: &str, timeout_s: u32, late: &str| {
        let late = format!("sleep 1; ip link property add dev eth1 altname {name}; {late}");
        let late = machine.command("sh").args(["-c", &late]).spawn();
        let arguments = format!("up --port {name} --timeout {timeout_s}");
        machine.run(&arguments).is_silent();
        late.unwrap().wait().unwrap();
        assert_eq!(machine.master("eth1"), "xenbr0");
        machine.ok("ip link set eth1 nomaster; ip link set eth1 down");
    };
    let begun = Instant::now();
    waits_for("enp99s0", 20, "ip link set eth1 up");
    assert!(begun.elapsed().as_secs() < 10);
    // The kernel does not tell of the name of one that is down.
    waits_for("enp98s0", 3, ":");
}

#[test]
fn has_exactly_what_was_named() {
    let machine = Machine::with_cards();
    machine
        .run("up --port eth0 --port eth1 --address 10.0.0.1/8 --address fd00::1/64")
        .is_silent();
    machine.ok(
        "ip link add vif1.0 type veth; ip link set vif1.0 master xenbr0; \
         ip address add 10.0.0.7/8 dev xenbr0",
    );
    machine
        .run("up --port eth1 --address 10.0.0.1/8")
        .is_silent();
    assert_eq!(machine.addresses("xenbr0").len(), 3);
    machine
        .run("up -v --exact --force --port eth1 --address 10.0.0.1/8")
        .is(
            0,
            "",
            "xen-bridge: released port eth0 of bridge xenbr0\n\
             xen-bridge: took address fd00::1/64 from bridge xenbr0\n\
             xen-bridge: took address 10.0.0.7/8 from bridge xenbr0\n",
        );
    assert_eq!(machine.addresses("xenbr0"), ["10.0.0.1/8 10.255.255.255"]);
    assert_eq!(machine.master("eth0"), Value::Null);
    assert_eq!(machine.master("vif1.0"), "xenbr0");
    machine
        .run("up -v --exact --port eth1 --address 10.0.0.1/8")
        .is_silent();
}

#[test]
fn keeps_what_was_moved_here_even_where_it_is_to_be_exact() {
    let machine = Machine::with_uplink();
    machine.run("up --port eth0 --move-address").is_silent();
    let before = machine.state();
    machine.run("up --port eth0 --exact").is_silent();
    machine.is_as(&before, "exact");
    machine.run("up --exact").fails(
        6,
        "port eth0: it carries what was moved to the bridge, and is not named (--force releases \
         it all the same)",
    );
    // Another that came since carries nothing.
    machine.run("up --port eth1").is_silent();
    let released = machine.run("up --exact --port eth0 --confirm 1");
    assert_eq!(released.status, 7, "{released:?}");
}

#[test]
fn refuses_an_address_that_another_interface_has() {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth1 up; ip address add 10.0.0.1/24 dev eth1; \
                ip address add fd00::1/64 dev eth1 nodad; ip link set eth0 down; \
                ip address add fd05::1/64 dev eth0; ip address add 10.0.5.1/24 dev eth0");
    for cidr in [
        "10.0.0.1/24",
        "10.0.0.1/8",
        "fd00::1/64",
        "fd05::1/64",
        "10.0.5.1/24",
    ] {
        let name = if cidr.contains('5') { "eth0" } else { "eth1" };
        machine.run(&format!("up --address {cidr}")).fails(
            6,
            &format!(
                "bridge xenbr0: address {cidr} is in use on interface {name} \
                 (take it away there, or use --force)"
            ),
        );
    }
    assert_eq!(machine.link("xenbr0"), Value::Null);
    machine.run("up --address 10.0.0.2/24").is_silent();
    machine.run("up --address 10.0.0.1/24 --force").is_silent();
}

#[test]
fn says_why_ipv6_does_not_go_with_a_small_mtu() {
    let machine = Machine::with_cards();
    machine.run("up --mtu 1000 --address fd00::1/64").fails(
        2,
        "--mtu 1000: IPv6 (fd00::1/64) needs 1280 bytes at least (see --help)",
    );
    machine.run("up --address fd00::1/64").is_silent();
    machine.run("up --mtu 1000").fails(
        6,
        "bridge xenbr0: an mtu of 1000 is too small for fd00::1/64: IPv6 needs 1280",
    );
    machine
        .run("up br7 --mtu 1000 --address 10.0.0.1/8")
        .is_silent();
    machine.run("up br7 --address fd01::1/64").fails(
        6,
        "bridge br7: an mtu of 1000 is too small for fd01::1/64: IPv6 needs 1280",
    );
}

#[test]
fn switches_multicast_snooping() {
    let machine = Machine::new();
    let snooping = || machine.link("xenbr0")["linkinfo"]["info_data"]["mcast_snooping"].clone();
    machine.run("up --mcast-snooping off").is_silent();
    assert_eq!(snooping(), 0);
    machine.run("up -v").is_silent();
    machine.run("up -v --mcast-snooping on").is(
        0,
        "",
        "xen-bridge: set bridge xenbr0: mcast snooping on\n",
    );
    assert_eq!(snooping(), 1);
}

#[test]
fn names_the_variable_that_is_set_wrongly() {
    let machine = Machine::new();
    for (variable, value, line) in [
        (
            "XEN_BRIDGE_MTU",
            "60",
            "XEN_BRIDGE_MTU: '60': the longest packet has 68 to 65535 bytes",
        ),
        (
            "XEN_BRIDGE_CONFIRM",
            "0",
            "XEN_BRIDGE_CONFIRM: '0': a whole number of seconds, from 1 to 3600",
        ),
        (
            "XEN_BRIDGE",
            "a b",
            "XEN_BRIDGE: 'a b': an interface name has no '/', ':', '%', white space or \
             control characters",
        ),
    ] {
        let output = machine
            .command(PROGRAM)
            .arg("up")
            .env(variable, value)
            .output();
        Ran::from(output.unwrap()).fails(6, line);
    }
    // A flag beats it, and is blamed where it is to blame.
    let mut command = machine.command(PROGRAM);
    command
        .args(["up", "--mtu", "61"])
        .env("XEN_BRIDGE_MTU", "60");
    Ran::from(command.output().unwrap()).fails(
        2,
        "invalid value '61' for '--mtu <BYTES>': the longest packet has 68 to 65535 bytes \
         (see --help)",
    );
    machine.run("up --mtu -1").fails(
        2,
        "invalid value '-1' for '--mtu <BYTES>': the longest packet has 68 to 65535 bytes \
         (see --help)",
    );
    for switch in ["XEN_BRIDGE_STP", "XEN_BRIDGE_EXACT"] {
        let output = machine
            .command(PROGRAM)
            .arg("up")
            .env(switch, "perhaps")
            .output();
        let ran = Ran::from(output.unwrap());
        assert_eq!(ran.status, 6, "{ran:?}");
        assert!(
            ran.stderr
                .starts_with(&format!("xen-bridge: {switch}: 'perhaps': ")),
            "{ran:?}"
        );
    }
}

#[test]
fn keeps_apart_two_namespaces_that_share_their_run() {
    let machine = Machine::new();
    machine.run("up --address 10.0.0.1/8").is_silent();
    let record = machine.record("xenbr0");
    let output = machine.ok(&format!(
        "unshare -n sh -euc '{PROGRAM} up --address 10.1.0.1/16; ls -d /run/xen-bridge/in-*; \
         {PROGRAM} show --json; {PROGRAM} down; ip -o link show xenbr0 2>&1 || true; \
         find /run/xen-bridge -name xenbr0'"
    ));
    assert!(output.contains("\"made_by_xen_bridge\":true"), "{output}");
    assert!(output.contains("does not exist"), "{output}");
    assert!(output.ends_with("\n/run/xen-bridge/xenbr0\n"), "{output}");
    assert_eq!(machine.record("xenbr0"), record);
    machine.run("down").is_silent();
    assert_eq!(machine.link("xenbr0"), Value::Null);
}

#[test]
fn refuses_a_port_that_is_too_small_for_ipv6() {
    let machine = Machine::with_uplink();
    machine.ok("ip link set eth1 mtu 1230; ip link set far1 mtu 1230");
    let says = |port: &str, cidr: &str| {
        format!(
            "port {port}: its mtu of 1230 would become bridge xenbr0's, and is too small for \
             {cidr}: IPv6 needs 1280"
        )
    };
    let before = machine.state();
    machine
        .run("up --port eth1 --address fd00:7::1/64")
        .fails(6, &says("eth1", "fd00:7::1/64"));
    machine
        .run("up --port eth0 --port eth1 --move-address --mtu 1500")
        .fails(6, &says("eth1", "fd00:2::15/64"));
    machine.is_as(&before, "refused");
    machine.run("up --port eth0 --move-address").is_silent();
    let moved = machine.state();
    for more in ["", " --confirm 1", " --mtu 1500", " --force"] {
        machine
            .run(&format!("up --port eth1{more}"))
            .fails(6, &says("eth1", "fd00:2::15/64"));
    }
    machine.is_as(&moved, "refused");
    machine.run("down").is_silent();
    // The addresses come after the size.
    machine
        .run("up --port eth1 --mtu 1400 --address fd00:7::1/64")
        .is_silent();
    machine.run("up --port eth1 --mtu 1400").is_silent();
    machine.run("down").is_silent();
    // What has no IPv6 loses none.
    machine.run("up --port eth1").is_silent();
    assert_eq!(machine.link("xenbr0")["mtu"], 1230);
    machine.run("up --port eth1").is_silent();
}
