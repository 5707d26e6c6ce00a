//! What the program makes of settings, and of what is none.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use predicates::prelude::*;

use common::{command_of, copy_of, generate, generate_for, xen_units};

#[test]
fn prints_the_environment_as_a_shell_reads_it() {
    command_of("upstream", "environment")
        .env("XENCONSOLED_TRACE", "hv")
        .assert()
        .success()
        .stdout(
            "export XENSTORED_ROOTDIR=/run/xenstored\n\
             export XENCONSOLED_ARGS='--timestamp all'\n\
             export XENCONSOLED_TRACE=hv\n\
             export XENSTORED_ARGS='--quota transaction=20'\n\
             export XENSTORED_TRACE=yes\n\
             export XEN_BRIDGE=br0\n\
             export XEN_BRIDGE_NETFILTER=off\n\
             export XEN_DOM0_UUID=6d1f4c0e-0b5c-4a9d-9f0e-0123456789ab\n",
        );
}

#[test]
fn exports_nothing_by_a_name_that_a_shell_would_run() {
    command_of("debian-12", "environment")
        .env("XEN_X;touch /tmp/p", "1")
        .assert()
        .success()
        .stdout("export XENSTORED_ROOTDIR=/run/xenstored\n");
}

#[test]
fn reads_its_settings_from_a_regular_file_only() {
    let root = copy_of("debian-12");
    let file = root.path().join("etc/default/xen-dom0");
    let refuse = |complaint: &str| {
        let mut command = xen_units();
        command.args(["command", "environment", "--root"]);
        let assert = command.arg(root.path()).assert().code(6).stdout("");
        assert.stderr(format!("xen-units: /etc/default/xen-dom0{complaint}\n"));
    };
    fs::create_dir(&file).unwrap();
    refuse(": not a regular file");
    fs::remove_dir(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.unwrap().success());
    refuse(": not a regular file");
    fs::remove_file(&file).unwrap();
    fs::write(&file, b"# \xe9\nXEN_X=\xe9\n").unwrap();
    refuse(":2: not text in UTF-8");
}

#[test]
fn refuses_settings_that_cannot_be_followed() {
    for (name, value, complaint) in [
        (
            "XENSTORED_ARGS",
            "'a",
            "XENSTORED_ARGS: a quote is not closed",
        ),
        (
            "XENCONSOLED_TRACE",
            "some",
            "XENCONSOLED_TRACE: some is none of none, guest, hv, all",
        ),
        (
            "XEN_BRIDGE",
            "sixteen-letters0",
            "XEN_BRIDGE: \"sixteen-letters0\" is no name for a bridge",
        ),
    ] {
        let service = match name {
            "XENSTORED_ARGS" => "xen-store",
            "XENCONSOLED_TRACE" => "xen-console",
            _ => "xen-bridge",
        };
        command_of("debian-12", service)
            .env(name, value)
            .assert()
            .code(6)
            .stdout("")
            .stderr(format!("xen-units: {complaint}\n"));
    }
}

#[test]
fn counts_an_empty_variable_as_not_set() {
    command_of("debian-12", "xen-store")
        .envs([
            ("XENSTORED", ""),
            ("XENSTORED_ARGS", ""),
            ("XEN_UNITS_XEN", ""),
        ])
        .assert()
        .success()
        .stdout(predicate::str::contains("oxenstored"));
}

#[test]
fn remarks_on_a_line_that_systemd_will_take_otherwise() {
    let root = copy_of("debian-12");
    let file = root.path().join("etc/default/xencommons");
    fs::write(&file, "XENSTORED_MAX_OPEN_FDS=4096 # enough\n").unwrap();
    generate(root.path()).assert().success().stderr(
        "xen-units: /etc/default/xencommons:1: systemd takes the note for a part of the value: \
         give it a line of its own\n",
    );
    // A shell reads the file for the others.
    let openrc = generate_for("openrc", "/etc", root.path()).assert();
    openrc.success().stderr("");
    fs::write(root.path().join("etc/default/xen-dom0"), "export XEN_X=1\n").unwrap();
    generate(root.path())
        .assert()
        .code(6)
        .stderr("xen-units: /etc/default/xen-dom0:1: systemd passes a line with export over\n");
}

#[test]
fn a_wrong_variable_is_named_and_is_no_wrong_use() {
    command_of("debian-12", "xen-store")
        .env("XEN_UNITS_XEN", "four")
        .assert()
        .code(6)
        .stderr("xen-units: XEN_UNITS_XEN: invalid value 'four': not a version such as 4.17\n");
    xen_units()
        .args(["command", "xen-modload"])
        .env("XEN_UNITS_BIN_DIR", "bin")
        .assert()
        .code(6)
        .stderr("xen-units: XEN_UNITS_BIN_DIR: bin is not an absolute path\n");
    command_of("debian-12", "xen-store")
        .env("XEN_UNITS_XEN", "4.20")
        .args(["--xen", "four"])
        .assert()
        .code(2);
}

#[test]
fn makes_and_rotates_the_consoles_logs_where_they_are_set_to_be() {
    for (folder, is_rotated) in [
        ("/srv/logs", true),
        ("/srv/logs/", true),
        ("/var/log/xen", false),
    ] {
        let root = copy_of("debian-12");
        let settings = format!("XENCONSOLED_LOG_DIR={folder}\n");
        fs::write(root.path().join("etc/default/xen-dom0"), settings).unwrap();
        generate(root.path()).assert().success().stderr("");
        let read = |name: &str| fs::read_to_string(root.path().join("etc").join(name)).unwrap();
        let made = read("tmpfiles.d/xen-dom0.conf");
        let rotated = read("logrotate.d/xen-dom0");
        assert!(!made.contains("/console") && !rotated.contains("/console"));
        assert_eq!(made.contains("\nd /srv/logs - - - -\n"), is_rotated);
        let named = rotated.contains("\n/srv/logs/guest-*.log\n/srv/logs/hypervisor.log {\n");
        assert_eq!(named, is_rotated);
        // What is there already may be others' too.
        xen_units()
            .args(["command", "folders", "--root"])
            .arg(root.path())
            .assert()
            .success()
            .stdout(
                predicate::str::contains("\n[ -d /srv/logs ] || install -d -m 0750 /srv/logs\n")
                    .count(usize::from(is_rotated)),
            );
    }
}

#[test]
fn leaves_a_folder_of_logs_alone_that_only_a_shell_knows() {
    for folder in ["'/srv/logs xen'", "$XEN_LOG_DIR/console"] {
        let root = copy_of("debian-12");
        let settings = format!("XEN_LOG_DIR=/srv\nXENCONSOLED_LOG_DIR={folder}\n");
        let write = |name, text: &str| fs::write(root.path().join(name), text).unwrap();
        write("etc/default/xencommons", &settings);
        let remark = "xen-units: XENCONSOLED_LOG_DIR: no plain absolute path, so that folder is \
                      neither made nor are its logs rotated\n";
        generate_for("sysvinit", "/etc", root.path())
            .assert()
            .success()
            .stderr(predicate::str::contains(remark));
        let read = |name: &str| fs::read_to_string(root.path().join("etc").join(name)).unwrap();
        assert!(
            read("init.d/xen-console").contains("${XENCONSOLED_LOG_DIR:-/var/log/xen/console}")
        );
        assert!(!read("logrotate.d/xen-dom0").contains("/srv"));
    }
}
