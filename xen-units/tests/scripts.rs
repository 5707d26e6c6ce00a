//! What the written scripts do when they are run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{copy_of, generate_for, write};

/// A shell's run of the text, in a machine that is no Dom0: its programs are
/// nowhere.
fn sh(text: &str, arguments: &[&str]) -> Output {
    assert!(!Path::new("/proc/xen").exists(), "this is a test off Xen");
    let mut command = Command::new("sh");
    command.args(["-c", text, "sh"]).args(arguments);
    command.output().unwrap()
}

/// The script in a oneshot of s6-rc, which is one word of execline's.
fn of_execline(text: &str) -> String {
    let (_, script) = text.split_once('"').unwrap();
    let (script, _) = script.rsplit_once('"').unwrap();
    script.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// The start has done well there, so each init system stops it in the end.
#[test]
fn stops_off_xen_at_once_and_without_a_word() {
    for (init, path, verbs) in [
        (
            "sysvinit",
            "init.d/xen-domains",
            &["stop", "reload", "force-reload"][..],
        ),
        ("sysvinit", "init.d/xen-bridge", &["stop"]),
        ("sysvinit", "init.d/xen-mountfs", &["stop"]),
        ("openrc", "init.d/xen-domains", &["take_down", "reload"]),
        ("dinit", "dinit.d/xen-dom0.d/xen-domains", &["stop"]),
        ("s6", "s6-rc/sv/xen-domains/down", &[""]),
        ("runit", "sv/xen-domains/finish", &["-1"]),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path()).assert().success();
        let mut text = fs::read_to_string(root.path().join("etc").join(path)).unwrap();
        match init {
            "openrc" => text += "\"$1\"\n",
            "s6" => text = of_execline(&text),
            "runit" => text = text.replace("sv down .", ":"),
            _ => {}
        }
        for verb in verbs {
            let output = sh(&text, &[verb]);
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(
                (output.status.code(), &*said),
                (Some(0), ""),
                "{path} {verb}"
            );
        }
    }
}

/// The status is that of the bridge which the start makes.
#[test]
fn asks_with_the_settings_for_the_status() {
    let root = copy_of("debian-12");
    for init in ["sysvinit", "openrc"] {
        let mut command = generate_for(init, "/etc", root.path());
        command.assert().success();
        let path = root.path().join("etc/init.d/xen-bridge");
        let show = "#!/bin/sh\n[ \"$*\" = 'show br0' ]\n";
        write(root.path(), "xen-bridge", show);
        let settings = root.path().join("etc/default/xen-dom0");
        fs::write(&settings, "XEN_BRIDGE=br0\n").unwrap();
        let program = format!("sh {}", root.path().join("xen-bridge").display());
        let text = fs::read_to_string(path)
            .unwrap()
            .replace("/usr/bin/xen-bridge", &program)
            .replace("/etc/default/xen-dom0", &settings.display().to_string());
        let end = if init == "openrc" { "\nstatus\n" } else { "" };
        let output = sh(&[&text, end].concat(), &["status"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            (output.status.code(), &*said),
            (Some(0), "xen-bridge: up\n"),
            "{init}"
        );
    }
}

/// LSB has it so where there is a reload; else it is a restart.
#[test]
fn reloads_the_domains_by_force_and_restarts_the_others() {
    let root = copy_of("debian-12");
    let mut command = generate_for("sysvinit", "/etc", root.path());
    command.assert().success();
    for (name, line) in [
        ("xen-domains", "\nreload | force-reload)\n"),
        (
            "xen-console",
            "\nrestart | force-reload) take_down && bring_up ;;\n",
        ),
    ] {
        let text = fs::read_to_string(root.path().join("etc/init.d").join(name)).unwrap();
        assert!(text.contains(line), "{name}: {text}");
    }
}
