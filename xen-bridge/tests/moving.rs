//! What carries the host moves to the bridge and back, with `ip -j` as the
//! witness.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::announced::announce;
use common::{Machine, running};
use serde_json::Value;

const MOVE: &str = "up --port eth0 --move-address";

/// Addresses of an interface as `ip` has them, but for its name.
fn addresses(machine: &Machine, name: &str) -> Vec<Value> {
    let links = machine.ip(&format!("address show dev {name}"));
    let mut addresses = links[0]["addr_info"].as_array().unwrap().clone();
    for address in &mut addresses {
        if let Some(label) = address["label"].as_str() {
            address["label"] = label.replace(name, "LINK").into();
        }
    }
    // Every interface has one of these.
    addresses.retain(|it| !it["local"].as_str().unwrap().contains("ff:fe"));
    addresses
}

/// Routes through an interface in all tables, but for its name; not those that
/// follow from its addresses.
fn routes(machine: &Machine, name: &str) -> Vec<String> {
    let mut lines = vec![];
    for family in ["-4", "-6"] {
        let table = machine.ip(&format!("{family} route show table all"));
        for route in table.as_array().unwrap() {
            if route["dev"] == name && route["protocol"] != "kernel" {
                lines.push(route.to_string().replace(name, "LINK"));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn moves_addresses_routes_and_mac_as_they_are_and_down_gives_them_back() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let (had, led) = (addresses(&machine, "eth0"), routes(&machine, "eth0"));
    assert_eq!((had.len(), led.len()), (6, 7), "{had:?} {led:?}");
    machine.run(MOVE).is_silent();
    assert_eq!(addresses(&machine, "xenbr0"), had);
    assert_eq!(routes(&machine, "xenbr0"), led);
    assert_eq!(addresses(&machine, "eth0"), Vec::<Value>::new());
    assert_eq!(routes(&machine, "eth0"), Vec::<String>::new());
    assert_eq!(machine.link("xenbr0")["address"], "02:00:00:00:00:0e");
    assert_eq!(machine.master("eth0"), "xenbr0");
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    let moved = machine.state();
    machine.run(MOVE).is_silent();
    machine.is_as(&moved, "twice");
    machine.run("down").is_silent();
    assert_eq!(addresses(&machine, "eth0"), had);
    machine.is_as(&before, "down");
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
}

#[test]
fn moves_to_a_bridge_that_is_there_and_down_gives_them_back() {
    let machine = Machine::with_uplink();
    machine.ok(
        "ip link add xenbr0 address 02:00:00:00:00:bb type bridge forward_delay 0 stp_state 0; \
         ip address add 172.16.0.1/16 dev xenbr0; ip link set xenbr0 mtu 1500",
    );
    let before = machine.state();
    let (had, led) = (addresses(&machine, "eth0"), routes(&machine, "eth0"));
    machine.run(MOVE).is_silent();
    assert_eq!(addresses(&machine, "xenbr0").len(), had.len() + 1);
    assert_eq!(routes(&machine, "xenbr0"), led);
    assert_eq!(machine.link("xenbr0")["address"], "02:00:00:00:00:0e");
    machine.ok("ping -c1 -W3 10.0.2.2; ping -c1 -W3 fd00:2::2");
    machine.run("down").is_silent();
    machine.ok("ip link set xenbr0 down");
    machine.is_as(&before, "down");
}

#[test]
fn loses_at_most_twenty_of_a_thousand_pings_a_second() {
    for to in ["10.0.2.2", "fd00:2::2"] {
        let machine = Machine::with_uplink();
        for arguments in [MOVE, "down"] {
            let mut ping = machine.command("ping");
            ping.args(["-q", "-i", "0.001", "-c", "2000", to]);
            let ping = ping.stdout(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(700));
            machine.run(arguments).is_silent();
            let output = ping.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let received = text.split(", ").find(|it| it.ends_with(" received"));
            let received = received.and_then(|it| it.split(' ').next());
            let lost = 2000 - received.unwrap().parse::<u32>().unwrap();
            eprintln!("{to}, {arguments}: {lost} of 2000 lost");
            assert!(lost <= 20, "{text}");
        }
    }
}

#[test]
fn keeps_the_source_that_is_preferred() {
    let machine = Machine::with_uplink();
    machine.ok(
        "for n in 21 22 23; do ip address add fd00:2::$n/64 dev eth0 nodad; done
        while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.1; done",
    );
    let listed = |name: &str| -> Vec<String> {
        let links = machine.ip(&format!("-6 address show dev {name} scope global"));
        let all = links[0]["addr_info"].as_array().unwrap().iter();
        all.filter_map(|it| Some(it["local"].as_str()?.to_owned()))
            .collect()
    };
    let source = || machine.ip("-6 route get fd00:7::1")[0]["prefsrc"].clone();
    let (had, preferred) = (listed("eth0"), source());
    assert_eq!((had.len(), preferred.is_string()), (4, true));
    machine.run(MOVE).is_silent();
    assert_eq!(
        (listed("xenbr0"), source()),
        (had.clone(), preferred.clone())
    );
    machine.run("down").is_silent();
    assert_eq!((listed("eth0"), source()), (had.clone(), preferred.clone()));
    assert_eq!(machine.run(&format!("{MOVE} --confirm 1")).status, 7);
    assert_eq!((listed("eth0"), source()), (had, preferred));
}

#[test]
fn keeps_a_tcp_connection() {
    let machine = Machine::with_uplink();
    let mut server = role(&machine, "server", true);
    let mut client = role(&machine, "client", false);
    std::thread::sleep(Duration::from_millis(500));
    machine.run(MOVE).is_silent();
    std::thread::sleep(Duration::from_millis(500));
    machine.run("down").is_silent();
    assert!(client.wait().unwrap().success());
    assert!(server.wait().unwrap().success());
}

/// This program again, in the machine or at its far end.
fn role(machine: &Machine, role: &str, far: bool) -> Child {
    let mut command = if far {
        let mut command = machine.command("nsenter");
        command.arg("--net=/run/netns/far");
        command.arg(std::env::current_exe().unwrap());
        command
    } else {
        machine.command(std::env::current_exe().unwrap().to_str().unwrap())
    };
    command.args(["--exact", "plays_a_role_where_it_is_given_one"]);
    command.env("BRIDGE_TEST_ROLE", role).stdout(Stdio::null());
    command.spawn().unwrap()
}

const ADDRESS: &str = "10.0.2.2:7777";

#[test]
fn plays_a_role_where_it_is_given_one() {
    let mut byte = [0];
    match std::env::var("BRIDGE_TEST_ROLE").as_deref() {
        Ok("server") => {
            let (mut peer, _) = TcpListener::bind(ADDRESS).unwrap().accept().unwrap();
            while peer.read(&mut byte).unwrap() == 1 {
                peer.write_all(&byte).unwrap();
            }
        }
        Ok("client") => {
            let begun = Instant::now();
            let mut peer = loop {
                match TcpStream::connect(ADDRESS) {
                    Ok(peer) => break peer,
                    Err(error) => assert!(begun.elapsed().as_secs() < 5, "{error}"),
                }
            };
            peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            while begun.elapsed() < Duration::from_secs(2) {
                peer.write_all(b"x").unwrap();
                peer.read_exact(&mut byte).unwrap();
            }
        }
        _ => {}
    }
}

#[test]
fn refuses_what_somebody_else_would_put_back_or_let_go() {
    let machine = Machine::with_uplink();
    let root = |situation: &str| {
        let folder = env!("CARGO_MANIFEST_DIR");
        machine.run(&format!(
            "{MOVE} -n --root {folder}/tests/roots/{situation}"
        ))
    };
    for (situation, words) in [
        (
            "networkmanager-manages-eth0",
            "it is NetworkManager's (managed), which would put its address back; have \
             NetworkManager make the bridge: nmcli connection add type bridge ifname xenbr0",
        ),
        (
            "networkd-manages-eth0",
            "it is systemd-networkd's (configured), which would put its address back",
        ),
        (
            "ifupdown-and-dhclient-have-eth0",
            "iface eth0 inet manual, iface xenbr0 inet dhcp with bridge_ports eth0",
        ),
        (
            "dhclient-asks-for-eth0",
            "it is dhclient's (running as process 77), which would put its address back",
        ),
        (
            "connman-takes-every-interface",
            "it is connman's (running as process 55), which would put its address back",
        ),
    ] {
        let ran = root(situation);
        assert_eq!(ran.status, 6, "{situation}: {ran:?}");
        assert!(ran.stderr.contains(words), "{situation}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1);
    }
    for situation in [
        "nobody-manages",
        "connman-leaves-eth0",
        "connman-does-not-run",
    ] {
        assert_eq!(root(situation).status, 0, "{situation}");
    }
    // It has none yet while that is still being asked for.
    machine.ok(
        "ip address flush dev eth0; ip route flush dev eth0; ip -6 route flush dev eth0
        ip route flush table 77; ip -6 route flush table 9",
    );
    for situation in ["networkmanager-manages-eth0", "dhclient-asks-for-eth0"] {
        let ran = root(situation);
        let words = "which may yet give it an address that a port loses; have ";
        assert_eq!(ran.status, 6, "{situation}: {ran:?}");
        assert!(ran.stderr.contains(words), "{situation}: {}", ran.stderr);
    }
    assert_eq!(root("nobody-manages").status, 0);
}

#[test]
fn refuses_a_lease_and_with_force_says_when_it_goes() {
    let machine = Machine::with_uplink();
    machine.ok("ip address add 10.0.3.1/24 dev eth0 valid_lft 3600 preferred_lft 1800");
    let before = machine.state();
    let ran = machine.run(MOVE);
    assert_eq!(ran.status, 6);
    assert!(
        ran.stderr
            .starts_with("xen-bridge: port eth0: its address 10.0.3.1/24 goes in 3")
            && ran.stderr.contains("nobody would renew it"),
        "{ran:?}"
    );
    machine.is_as(&before, "refused");
    let ran = machine.run(&format!("{MOVE} --force"));
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.stderr
            .starts_with("xen-bridge: address 10.0.3.1/24 of bridge xenbr0 goes in 3"),
        "{ran:?}"
    );
    let lease = |name: &str| {
        let all = machine.ip(&format!("address show dev {name}"));
        let mut all = all[0]["addr_info"].as_array().unwrap().iter();
        let lease = all.find(|it| it["local"] == "10.0.3.1").unwrap().clone();
        (
            lease["valid_life_time"].as_u64().unwrap(),
            lease["preferred_life_time"].as_u64().unwrap(),
        )
    };
    let (valid, preferred) = lease("xenbr0");
    assert!((3500..=3600).contains(&valid) && (1700..=1800).contains(&preferred));
    std::thread::sleep(Duration::from_millis(2100));
    machine.run("down").is_silent();
    let (later, _) = lease("eth0");
    assert!(later <= valid - 2, "{valid} {later}");
}

#[test]
fn leaves_what_routers_announce_to_the_kernel() {
    let machine = Machine::with_uplink();
    announce(&machine, "fd00:5::ff:fe00:e", "eth0");
    machine.ok(
        "ip -6 route add default via fe80::99 dev eth0 proto ra metric 1024 expires 1800; \
         echo 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra",
    );
    machine.run(MOVE).is_silent();
    let all = addresses(&machine, "xenbr0");
    assert_eq!(all.len(), 6, "{all:?}");
    assert!(routes(&machine, "eth0").is_empty());
    assert!(
        !routes(&machine, "xenbr0")
            .iter()
            .any(|it| it.contains("\"ra\""))
    );
    assert_eq!(
        machine.ok("cat /proc/sys/net/ipv6/conf/xenbr0/accept_ra"),
        "2\n"
    );
    machine.run("down").is_silent();
    assert!(
        routes(&machine, "eth0")
            .iter()
            .any(|it| it.contains("\"ra\""))
    );
    machine.ok("ip address show dev eth0 | grep -q 'fd00:5::ff:fe00:e/64'");
}

#[test]
fn refuses_routes_that_cannot_move_and_a_bridge_that_would_wait() {
    let machine = Machine::with_uplink();
    machine.run(&format!("{MOVE} --stp on")).fails(
        6,
        "port eth0: bridge xenbr0 has STP on, which would cut the host off until the port \
             forwards (twice the forward delay; --force moves it all the same)",
    );
    machine.ok(
        "ip link set eth1 up; ip address add 10.6.0.1/24 dev eth1; ip -4 route add 10.20.0.0/16 \
         nexthop via 10.0.2.2 dev eth0 nexthop via 10.6.0.2 dev eth1",
    );
    machine.run(MOVE).fails(
        6,
        "port eth0: its route 10.20.0.0/16 via 10.0.2.2, 10.6.0.2 leads through several interfaces or a next-hop \
         object, which cannot be moved (take it away first)",
    );
}

#[test]
fn refuses_an_address_that_another_machine_has() {
    let machine = Machine::with_uplink();
    machine.ok("ip -n far address add fd00:2::7/64 dev far0 nodad
        ip address add fd00:2::7/64 dev eth0
        until ip -6 address show dev eth0 | grep -q dadfailed; do sleep 0.1; done");
    machine.run(MOVE).fails(
        6,
        "port eth0: another machine has its address fd00:2::7/64 (dadfailed), which would be \
         used on the bridge (take it away first)",
    );
}

#[test]
fn does_what_its_dry_run_prints() {
    let (ours, theirs) = (Machine::with_uplink(), Machine::with_uplink());
    let printed = theirs.run(&format!("{MOVE} -n"));
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    if let Ok(folder) = std::env::var("WRITE_GOLDEN") {
        std::fs::write(format!("{folder}/move.txt"), &printed.stdout).unwrap();
    }
    assert_eq!(printed.stdout, include_str!("golden/move.txt"));
    theirs.ok(&printed.stdout);
    ours.run(MOVE).is_silent();
    assert_eq!(addresses(&ours, "xenbr0"), addresses(&theirs, "xenbr0"));
    assert_eq!(routes(&ours, "xenbr0"), routes(&theirs, "xenbr0"));
    let printed = ours.run("down -n");
    if let Ok(folder) = std::env::var("WRITE_GOLDEN") {
        std::fs::write(format!("{folder}/move-down.txt"), &printed.stdout).unwrap();
    }
    assert_eq!(printed.stdout, include_str!("golden/move-down.txt"));
}

#[test]
fn leaves_nothing_of_ours_running() {
    let machine = Machine::with_uplink();
    machine.run(MOVE).is_silent();
    let begun = Instant::now();
    while running(&machine) && begun.elapsed().as_secs() < 5 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!running(&machine));
    machine.ok("test -z \"$(find /run/xen-bridge -name '.[uw]*')\"");
}
