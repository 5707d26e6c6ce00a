//! A change of the program under test that waits to be confirmed.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Machine, PROGRAM, Ran};

/// Moves what carries the host, with much else to put back.
pub const MOVE: &str = "up --port eth0 --move-address --mtu 1300 --address 172.16.0.1/16";

/// What is said while it waits.
pub const UNCONFIRMED: &str = "xen-bridge: done; put back in 60 s, unless this comes before: \
                               xen-bridge confirm xenbr0\n";

/// What `--check-gateway` says where there is none to ask.
pub const NO_GATEWAY: &str = "bridge xenbr0: --check-gateway: no default route over a gateway moves to it, or leads \
     through it; with --confirm SECONDS too somebody is to confirm";

/// Starts the program; its arguments are words without quotes.
pub fn start(machine: &Machine, arguments: &str) -> Child {
    let mut command = machine.command(PROGRAM);
    command.args(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// How it ended.
pub fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

/// Waits until that is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The change is done and waits.
pub fn until_it_waits(machine: &Machine) {
    until("it waits", || {
        let found = machine.run("show --json").stdout;
        let report: Value = serde_json::from_str(&found).unwrap_or(Value::Null);
        report["unconfirmed"] == true && machine.run("down -n").status != 1 && is_free(machine)
    });
}

/// Kills it and its watcher while it waits.
pub fn kill_with_its_watcher(machine: &Machine, up: Child) {
    until_it_waits(machine);
    // The watcher first, and stopped before that, or it would put back.
    let watcher = machine.ok(&format!("pgrep -P {}", up.id()));
    let watcher = watcher.trim();
    machine.ok(&format!(
        "kill -STOP {0}; kill -KILL {watcher} {0}",
        up.id()
    ));
    assert_ne!(ended(up).status, 0);
    machine.ok(&format!(
        "while grep -q 'State:.[^Z]' /proc/{watcher}/status; do sleep 0.02; done 2> /dev/null"
    ));
}

/// Nobody has the lock.
fn is_free(machine: &Machine) -> bool {
    let lock = "/run/xen-bridge/.lock-for-all-bridges";
    machine.ok(&format!(
        "cat /proc/locks | grep -c \":$(stat -c %i {lock}) \" || true"
    )) == "0\n"
}

/// Nothing is left that could be confirmed or put back.
pub fn journal_is_gone(machine: &Machine) {
    machine.ok("test -z \"$(find /run/xen-bridge -name '.[uw]*')\"");
}
