//! A change that moves what carries the host is put back whatever fails in it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::waiting::journal_is_gone;
use common::{Machine, PROGRAM, Ran};

#[test]
fn puts_back_whatever_request_fails() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    for call in ["sendto", "recvfrom"] {
        for n in 1..400 {
            let fault = format!("inject={call}:error=EIO:when={n}");
            let mut command = machine.command("strace");
            command.args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM]);
            command.args(["up", "--port", "eth0", "--move-address"]);
            let ran: Ran = command.output().unwrap().into();
            if ran.status == 0 {
                machine.run("down").is_silent();
                break;
            }
            assert_eq!((ran.status, ran.stderr.lines().count()), (1, 1), "{ran:?}");
            machine.is_as(&before, &format!("{call} {n}: {ran:?}"));
        }
    }
}

#[test]
fn changes_nothing_where_the_watcher_cannot_be_armed() {
    let machine = Machine::with_uplink();
    let before = machine.state();
    for (call, errno) in [
        ("bind", "EIO"),
        ("clone3", "EAGAIN"),
        ("fsync", "EIO"),
        ("listen", "EIO"),
    ] {
        let fault = format!("inject={call}:error={errno}");
        let trace = machine
            .command("strace")
            .args(["-qq", "-o", "/dev/null", "-e", &fault, PROGRAM])
            .args(["up", "--port", "eth0", "--move-address"])
            .output();
        let ran: Ran = trace.unwrap().into();
        if call == "clone3" && ran.status == 0 {
            // This libc starts programs otherwise.
            machine.run("down").is_silent();
            continue;
        }
        assert_eq!(ran.status, 1, "{call}: {ran:?}");
        machine.is_as(&before, call);
        journal_is_gone(&machine);
    }
}
