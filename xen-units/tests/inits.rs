//! The files for the init systems that run scripts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{copy_of, generate_for, tree};

/// From 4.19 on a supervisor can have the watchdog as its child.
#[test]
fn gives_supervisors_a_watchdog_that_stays_in_the_foreground() {
    for (init, path, line) in [
        ("runit", "sv/xen-watchdog/control/t", "exec kill -USR1"),
        ("s6", "s6-rc/sv/xen-watchdog/down-signal", "SIGUSR1\n"),
        ("s6", "s6-rc/sv/xen-watchdog/timeout-kill", "0\n"),
        ("dinit", "dinit.d/xen-watchdog", "\nterm-signal = USR1\n"),
        ("dinit", "dinit.d/xen-watchdog", "\nstop-timeout = 0\n"),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path())
            .args(["--watchdog", "--xen", "4.20"])
            .assert()
            .success()
            .stderr("");
        let text = fs::read_to_string(root.path().join("etc").join(path)).unwrap();
        assert!(text.contains(line), "{init}: {text}");
    }
}

/// Every script that is written, of every init system.
fn scripts(root: &Path) -> Vec<PathBuf> {
    let starts =
        |text: &str| text.starts_with("#!/bin/sh") || text.starts_with("#!/sbin/openrc-run");
    let all = tree(&root.join("etc")).into_iter();
    let is_ours = |text: &str| text.contains("# Written by xen-units");
    all.filter(|(_, text)| starts(text) && is_ours(text))
        .map(|(path, _)| root.join("etc").join(path))
        .collect()
}

#[test]
fn shellcheck_finds_nothing_in_what_is_written() {
    for (init, version, store) in [
        ("systemd", "4.17", "daemon"),
        ("sysvinit", "4.17", "daemon"),
        ("sysvinit", "4.17", "domain"),
        ("openrc", "4.17", "daemon"),
        ("openrc", "4.17", "domain"),
        ("runit", "4.20", "daemon"),
        ("runit", "4.17", "domain"),
        ("s6", "4.20", "daemon"),
        ("dinit", "4.20", "daemon"),
        ("dinit", "4.17", "domain"),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path())
            .args(["--watchdog", "--xen", version])
            .env("XENSTORETYPE", store)
            .assert()
            .success();
        let output = Command::new("shellcheck")
            .args(scripts(root.path()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{init}: {said}");
    }
}
