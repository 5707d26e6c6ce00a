//! Who makes a change may be stopped in the midst of it, or be heard by nobody:
//! everything is put back in time all the same.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::waiting::{MOVE, ended, start, until};
use common::{Machine, PROGRAM};

/// As much as a pipe holds that nobody reads, but for a few bytes.
const NEARLY_FULL: &str = "dd if=/dev/zero bs=65436 count=1 2> /dev/null; exec 2>&1";

/// Starts it with a standard error that takes a hundred bytes and no more.
fn start_unheard(machine: &Machine, arguments: &str) -> Child {
    let script = format!("{NEARLY_FULL}; exec {PROGRAM} {arguments}");
    let mut command = machine.command("sh");
    command.args(["-euc", &script]).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// What it said after all.
fn heard(child: &mut Child) -> String {
    let mut said = String::new();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_to_string(&mut said).unwrap();
    said.trim_start_matches('\0').to_owned()
}

/// Nothing is left to be put back; last of all goes what says so.
fn until_put_back(machine: &Machine) {
    until("put back", || {
        machine.link("xenbr0").is_null()
            && machine.ok("find /run/xen-bridge -name '.[uw]*'").is_empty()
    });
}

#[test]
fn is_put_back_in_time_where_the_program_is_stopped_half_way() {
    for arguments in [
        format!("{MOVE} --confirm 2"),
        format!("{MOVE} --confirm 2 --check-gateway"),
    ] {
        let machine = Machine::with_uplink();
        let before = machine.state();
        let begun = Instant::now();
        // Stopped with the lock, when the bridge is there and the rest is not.
        let mut command = machine.command("strace");
        let fault = "inject=sendto:signal=STOP:when=40";
        command.args(["-qq", "-o", "/dev/null", "-e", fault, PROGRAM]);
        command.args(arguments.split_whitespace());
        let mut up = command.spawn().unwrap();
        until("begun", || machine.link("xenbr0")["ifname"] == "xenbr0");
        assert_ne!(machine.state(), before);
        until_put_back(&machine);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(6), "{took:?}");
        assert!(!up.wait().unwrap().success());
        machine.is_as(&before, &arguments);
        machine.ok("ping -c1 -W3 10.0.2.2");
    }
}

#[test]
fn changes_nothing_less_where_nobody_reads_what_it_says() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let mut up = start_unheard(&machine, "up -v --port eth0 --move-address");
    until("moved", || {
        machine.master("eth0") == "xenbr0" && machine.addresses("eth0").is_empty()
    });
    // It waits for its reader with nothing in its hands.
    machine.run("up br7").is_silent();
    machine.run("down br7").is_silent();
    let said = heard(&mut up);
    assert!(
        said.starts_with("xen-bridge: made bridge xenbr0: ")
            && said.ends_with("xen-bridge: settled address fd00:2::15/64 of bridge xenbr0\n"),
        "{said}"
    );
    assert!(up.wait().unwrap().success());
    let mut down = start_unheard(&machine, "down -v");
    until("given back", || machine.link("xenbr0").is_null());
    machine.run("up br7").is_silent();
    machine.run("down br7").is_silent();
    assert!(heard(&mut down).ends_with("xen-bridge: removed bridge xenbr0\n"));
    machine.is_as(&before, "down");
}

#[test]
fn is_put_back_in_time_where_nobody_reads_what_it_says() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    let begun = Instant::now();
    let mut up = start_unheard(&machine, &format!("{MOVE} -v --confirm 2"));
    until("moved", || machine.master("eth0") == "xenbr0");
    until_put_back(&machine);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    machine.is_as(&before, "put back");
    let said = heard(&mut up);
    assert!(
        said.ends_with(
            "xen-bridge: bridge xenbr0: nobody confirmed the change in time: \
             everything is as it was before\n"
        ),
        "{said}"
    );
    assert_eq!(up.wait().unwrap().code(), Some(7));
}

#[test]
fn hears_that_nobody_confirmed_while_another_has_the_lock() {
    let machine = Machine::with_cards();
    machine.ok(
        "ip link add br9 type bridge; ip link set br9 up; ip link set eth0 up
        ip address add 10.0.2.15/24 dev eth0",
    );
    let waiting = start(&machine, "up br9 --mtu 1400 --confirm 2");
    until("it waits", || machine.link("br9")["mtu"] == 1400);
    // With STP it waits for its carrier, and has the lock, longer than that.
    std::thread::sleep(Duration::from_secs(1));
    let other = start(
        &machine,
        "up br1 --port eth0 --move-address --stp on --force",
    );
    let ran = ended(waiting);
    let line = "xen-bridge: bridge br9: nobody confirmed the change in time: \
                everything is as it was before\n";
    assert_eq!(
        (ran.status, ran.stderr.ends_with(line)),
        (7, true),
        "{ran:?}"
    );
    assert_eq!(machine.link("br9")["mtu"], 1500);
    assert_eq!(ended(other).status, 0);
}

#[test]
fn waits_for_no_carrier_longer_than_for_somebody_to_confirm() {
    let machine = Machine::with_cards();
    machine.ok("ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0");
    let before = machine.state();
    let begun = Instant::now();
    let ran = machine.run("up --port eth0 --move-address --stp on --force --confirm 1");
    let took = begun.elapsed();
    let line = "xen-bridge: bridge xenbr0: nobody confirmed the change in time: \
                everything is as it was before\n";
    assert_eq!(
        (ran.status, ran.stderr.ends_with(line)),
        (7, true),
        "{ran:?}"
    );
    assert!(took < Duration::from_secs(3), "{took:?}");
    machine.is_as(&before, "put back");
}
