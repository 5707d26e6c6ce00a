//! Many at once, in namespaces.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Machine, PROGRAM, Ran};
use serde_json::Value;

/// Runs that many at once, each after `prefix`; gives how they ended.
fn at_once(machine: &Machine, count: usize, prefix: &str, arguments: &str) -> Vec<Ran> {
    let script = format!("{prefix} exec {PROGRAM} {arguments}");
    let start = || {
        let mut command = machine.command("sh");
        command.args(["-euc", &script]);
        command.stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..count).map(|_| start()).collect();
    let wait = |child: std::process::Child| child.wait_with_output().unwrap().into();
    children.into_iter().map(wait).collect()
}

const BUSY: &str = "up --port eth0 --port eth1 --mtu 1400 --mac 00:16:3e:00:00:01 \
                    --address 172.16.0.1/16 --address fd00::1/64";

fn is_right(machine: &Machine) {
    let link = machine.link("xenbr0");
    assert_eq!(link["address"], "00:16:3e:00:00:01");
    assert_eq!(link["mtu"], 1400);
    assert_eq!(link["linkinfo"]["info_data"]["forward_delay"], 0);
    assert_eq!(machine.master("eth0"), "xenbr0");
    assert_eq!(machine.master("eth1"), "xenbr0");
    assert_eq!(machine.addresses("xenbr0").len(), 2);
}

#[test]
fn many_at_once_make_one_right_bridge() {
    for count in [20, 100] {
        let machine = Machine::with_cards();
        for ran in at_once(&machine, count, "", BUSY) {
            ran.is_silent();
        }
        is_right(&machine);
        let record = machine.record("xenbr0");
        assert_eq!(record["made"], true);
        assert_eq!(record["ports"].as_array().unwrap().len(), 2);
        assert_eq!(record["addresses"].as_array().unwrap().len(), 2);
        for ran in at_once(&machine, count, "", "down") {
            ran.is_silent();
        }
        assert_eq!(machine.link("xenbr0"), Value::Null);
        assert!(!machine.is_up("eth0"));
    }
}

/// Without a common lock only the kernel's EEXIST holds them apart.
#[test]
fn twenty_that_do_not_see_each_others_lock_make_one_right_bridge() {
    for _ in 0..5 {
        let machine = Machine::with_cards();
        let own_run = format!(
            "exec unshare -m sh -euc 'mount -t tmpfs tmpfs /run; exec {PROGRAM} {BUSY}' ; :"
        );
        for ran in at_once(&machine, 20, &own_run, "") {
            ran.is_silent();
        }
        is_right(&machine);
    }
}
