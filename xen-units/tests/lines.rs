//! What the shell's part of a unit's lines does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What a unit's line with this key does, where systemd has put its arguments.
fn run_line(
    unit: &str,
    key: &str,
    change: impl Fn(String) -> String,
    arguments: &[&str],
) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/expected/debian-12/etc/systemd/system")
        .join(unit);
    let text = fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap();
    let script = line.split('\'').nth(1).unwrap().replace("$$", "$");
    Command::new("/bin/sh")
        .args(["-c", &change(script)])
        .args(arguments)
        .env_clear()
        .env("XENCONSOLED_TRACE", "")
        .output()
        .unwrap()
}

#[test]
fn an_empty_setting_is_none_for_a_daemon() {
    for (unit, arguments, expected) in [
        (
            "xen-console.service",
            &["/bin/echo", "a b", "*"][..],
            "-i --pid-file /run/xenconsoled.pid --log=none --log-dir=/var/log/xen/console a b *\n",
        ),
        ("xen-watchdog.service", &["/bin/echo"], "30 15\n"),
        (
            "xen-watchdog.service",
            &["/bin/echo", "60", "20"],
            "60 20\n",
        ),
    ] {
        let output = run_line(unit, "ExecStart=", |script| script, arguments);
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{unit}");
    }
}

#[test]
fn a_daemon_that_lives_already_is_not_started_again() {
    let none = run_line(
        "xen-console.service",
        "ExecCondition=",
        |script| script,
        &[],
    );
    assert!(none.status.success());
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let of_ours = |script: String| script.replace("/run/qemu-dom0.pid", pid_file.to_str().unwrap());
    let qemu = || run_line("xen-qemu.service", "ExecCondition=", of_ours, &[]);
    assert!(qemu().status.success() && qemu().stderr.is_empty());
    for (name, unit) in [
        ("xenconsoled", "xen-console"),
        ("xen-qemu-system-i386", "xen-qemu"),
    ] {
        let daemon = folder.path().join(name);
        // A link, not a copy: a file just written may be open in another
        // test's child, and is busy then.
        std::os::unix::fs::symlink("/bin/sleep", &daemon).unwrap();
        let mut daemon = Command::new(daemon).arg("60").spawn().unwrap();
        // The kernel wakes the one that started it before it writes the name.
        let comm = format!("/proc/{}/comm", daemon.id());
        while !name.starts_with(fs::read_to_string(&comm).unwrap().trim_end()) {
            std::thread::yield_now();
        }
        fs::write(&pid_file, format!("{}\n", daemon.id())).unwrap();
        let found = run_line(&format!("{unit}.service"), "ExecCondition=", of_ours, &[]);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert_eq!(found.status.code(), Some(1), "{unit}");
        assert!(qemu().status.success(), "a pidfile that is old");
    }
}

#[test]
fn a_skipped_unit_leaves_the_pidfile_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    for (result, stays) in [("exec-condition", true), ("success", false)] {
        fs::write(&pid_file, "1\n").unwrap();
        let change = |script: String| {
            let script = script.replace("/run/xenconsoled.pid", pid_file.to_str().unwrap());
            format!("PATH=/usr/bin:/bin SERVICE_RESULT={result}; {script}")
        };
        run_line("xen-console.service", "ExecStopPost=", change, &[]);
        assert_eq!(pid_file.exists(), stays, "{result}");
    }
}
