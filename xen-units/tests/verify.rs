//! What `verify` finds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::{copy_of, generate_for, unprivileged, write, xen_units};
use predicates::prelude::*;

/// The names of what is found in a file, and the status.
fn found(name: &str, text: &str) -> (Vec<String>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), name, text);
    let output = xen_units()
        .arg("verify")
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let name = |line: &str| line.split(": ").nth(1).unwrap().to_owned();
    (text.lines().map(name).collect(), output.status.code())
}

#[test]
fn finds_each_trap_of_a_unit() {
    for (unit, expected) in [
        (
            "ExecStart=/usr/sbin/xenwatchdogd 30 15",
            &["watchdog-reboots", "watchdog-killed"][..],
        ),
        (
            "ExecStart=/x/xenwatchdogd\nKillSignal=USR1\nSendSIGKILL=no",
            &[],
        ),
        ("ExecStart=/x/xenwatchdogd -x 30\n", &[]),
        (
            "After=network-online.target\nExecStart=/x/xl devd",
            &["network-online-unwanted"],
        ),
        (
            "After=a network-online.target\nWants=network-online.target\nExecStart=/x/xl devd",
            &[],
        ),
        (
            "ExecStart=/x/qemu -xen-attach -nodefaults -no-user-config \\\n  -daemonize",
            &["qemu-type"],
        ),
        ("ExecStart=/x/qemu -xen-attach", &["qemu-defaults"]),
        (
            "ConditionVirtualization=xen\nExecStart=/x/xenconsoled",
            &["never-in-dom0"],
        ),
        (
            "ExecStartPre=/bin/grep control_d /proc/xen/capabilities",
            &["fails-in-guest"],
        ),
        (
            "RemainAfterExit=true\nRefuseManualStop=true\nExecStart=/x/launch-xenstore",
            &["store-death-unseen"],
        ),
        (
            "ExecStart=/etc/init.d/xen start\nRemainAfterExit=yes",
            &["store-death-unseen"],
        ),
        (
            "ExecStart=/etc/init.d/xendomains start\nRemainAfterExit=yes\nTimeoutStopSec=0\nKillMode=process",
            &[],
        ),
        (
            "ExecStart=/x/xenstored --no-fork\nRestart=always",
            &["store-restarted"],
        ),
        (
            "ExecStart=-/x/xendomains start\nConflicts=libvirtd.service\nKillMode=none",
            &[
                "domains-killed",
                "domains-failure-hidden",
                "libvirt-conflict",
                "kill-mode-none",
            ],
        ),
        (
            "ExecStart=/x/libvirtd\nConflicts=xendomains.service",
            &["libvirt-conflict"],
        ),
        (
            "# ConditionVirtualization=xen\nExecStart=/x/xenconsoled",
            &[],
        ),
        (
            "ExecStart=/x/xendomains start\nTimeoutSec=infinity\nKillMode=none\nKillMode=process",
            &[],
        ),
    ] {
        let (names, status) = found("a.service", &format!("[Unit]\n{unit}\n"));
        assert_eq!(names, expected, "{unit}");
        let expected = if expected.is_empty() { 0 } else { 6 };
        assert_eq!(status, Some(expected), "{unit}");
    }
}

#[test]
fn finds_each_trap_of_a_script() {
    for (script, expected) in [
        (
            "test -f /run/xen/xenstored.pid && exit 0",
            &["pidfile-readiness", "second-store"][..],
        ),
        (
            "until xenstore-read -s / ; do sleep 1; done",
            &["blocks-past-its-timeout"],
        ),
        (
            "start-stop-daemon --start --exec $XENSTORED",
            &["second-store"],
        ),
        ("killall xenstored", &["store-stopped"]),
        (
            "xenwatchdogd 30\nkillall xenwatchdogd",
            &["watchdog-reboots"],
        ),
        ("xenwatchdogd 30\nkill -USR1 $(pidof xenwatchdogd)", &[]),
        ("modprobe xen-evtchn; modprobe netbk", &["unknown-module"]),
        (
            "MODULES=\"xen-evtchn\n\tevtchn netbk\"\nfor m in $MODULES; do modprobe \"$m\"; done",
            &["unknown-module", "unknown-module"],
        ),
        (
            "for m in xenfs gntdev; do modprobe $m; done",
            &["unknown-module"],
        ),
        ("for m in xenfs gntdev; do echo $m; done", &[]),
        ("modprobe xt_SECCOLO sec_dev=$1", &["unknown-module"]),
        (
            "command=\"/usr/sbin/xenwatchdogd\"\ncommand_args=\"30 15\"",
            &["watchdog-reboots"],
        ),
        (
            "command=/usr/sbin/xenwatchdogd\ncommand_args=\"-x 30\"",
            &[],
        ),
        ("command=/usr/sbin/xenwatchdogd\nstopsig=SIGUSR1", &[]),
        ("exec xenwatchdogd -F 30 15", &["watchdog-reboots"]),
        ("xl list >/dev/null || exit 0", &["domains-failure-hidden"]),
    ] {
        let (names, _) = found("init.d/xen", &format!("#!/bin/sh\n{script}\n"));
        assert_eq!(names, expected, "{script}");
    }
    let (names, _) = found("dinit.d/w", "command = /x/xenwatchdogd -F\n");
    assert_eq!(names, ["watchdog-reboots"]);
    let conf = "# MODULES=usbbk\nXEN_KERNEL_MODULES=\"xenfs evtchn\"\n";
    let (names, _) = found("etc/conf.d/xencommons", conf);
    assert_eq!(names, ["unknown-module"]);
    let modules = "xen-evtchn\n# gntdev\nblkbk\nnetxen_nic\n";
    let (names, _) = found("modules-load.d/xen.conf", modules);
    assert_eq!(names, ["unknown-module", "unrelated-module"]);
}

#[test]
fn judges_only_what_is_xens() {
    for (unit, text) in [
        (
            "apt-daily.service",
            "After=network-online.target\nExecStart=/usr/lib/apt/apt.systemd.daily\n",
        ),
        ("any.service", "KillMode=none\nConflicts=libvirtd.service\n"),
        (
            "xen-guest-agent.service",
            "ConditionVirtualization=xen\nExecStart=/usr/sbin/xen-guest-agent\n",
        ),
        (
            "xendriverdomain.service",
            "ConditionVirtualization=xen\nExecStart=/usr/sbin/xl devd\n",
        ),
    ] {
        assert_eq!(found(unit, text), (vec![], Some(0)), "{unit}");
    }
}

#[test]
fn counts_what_belongs_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let mut command = xen_units();
        let output = command.arg("verify").arg(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    let unit = "ExecStart=/x/xenwatchdogd\nConflicts=libvirtd.service\n";
    write(folder.path(), "usr/w.service.in", unit);
    write(
        folder.path(),
        "sv/w/run",
        "#!/bin/sh\nexec xenwatchdogd -F\n",
    );
    assert_eq!(names(), 4);
    let fix = "KillSignal=SIGUSR1\nSendSIGKILL=no\nConflicts=\n";
    write(folder.path(), "etc/w.service.d/fix.conf.off", fix);
    write(folder.path(), "etc/other.service.d/fix.conf", fix);
    assert_eq!(names(), 4);
    write(folder.path(), "etc/w.service.d/fix.conf", fix);
    assert_eq!(names(), 1);
    write(
        folder.path(),
        "sv/w/control/t",
        "#!/bin/sh\nkill -USR1 $1\n",
    );
    assert_eq!(names(), 0);
    // What a drop-in makes worse is wrong with the unit too.
    write(
        folder.path(),
        "etc/w.service.d/zz.conf",
        "KillSignal=TERM\n",
    );
    assert_eq!(names(), 1);
}

#[test]
fn names_what_it_cannot_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "a.service", "secret\n");
    write(path, "b/c.service", "secret\n");
    write(path, "xen.service", "KillMode=none\n");
    for (name, mode) in [("", 0o755), ("a.service", 0), ("b", 0)] {
        fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let (_program, mut command) = unprivileged();
    let place = path.display();
    command
        .arg("verify")
        .arg(path)
        .assert()
        .code(4)
        .stdout(predicate::str::starts_with(format!(
            "{place}/xen.service: kill-mode-none: "
        )))
        .stderr(format!(
            "xen-units: read {place}/a.service: Permission denied (os error 13)\n\
             xen-units: 1 found\n\
             xen-units: read folder {place}/b: Permission denied (os error 13)\n"
        ));
}

#[test]
fn says_what_comes_of_it_and_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "xen.service", "KillMode=none\n");
    let path = folder.path().join("xen.service").display().to_string();
    let verify = || {
        let mut command = xen_units();
        command.arg("verify").arg(folder.path());
        command
    };
    verify()
        .assert()
        .code(6)
        .stderr("xen-units: 1 found\n")
        .stdout(format!(
            "{path}: kill-mode-none: KillMode=none is no longer supported by systemd; \
             DefaultDependencies=no and RefuseManualStop=yes\n"
        ));
    let output = verify().arg("--json").output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["name"], "kill-mode-none");
    assert_eq!(found[0]["file"], path);
    xen_units().args(["verify", "/nowhere"]).assert().code(2);
}

#[test]
fn finds_nothing_in_what_we_write() {
    for init in ["systemd", "sysvinit", "openrc", "runit", "s6", "dinit"] {
        // From 4.19 on every supervisor gets the watchdog.
        for version in ["4.17", "4.20"] {
            let machine = copy_of("debian-12");
            generate_for(init, "/written", machine.path())
                .args(["--watchdog", "--xen", version])
                .assert()
                .success();
            xen_units()
                .arg("verify")
                .arg(machine.path().join("written"))
                .assert()
                .success()
                .stdout("");
        }
    }
}

#[test]
fn names_the_settings_that_no_script_uses() {
    let machine = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "etc/init.d/xen",
            "#!/bin/sh\n. /etc/default/xen\necho $XENSTORED_ARGS\n# XENSTORED\n",
        ),
        (
            "etc/init.d/xendomains",
            "#!/bin/sh\n. /etc/default/xendomains\necho $XEN_DOM0_UUID\n",
        ),
        (
            "etc/default/xen",
            "XENSTORED_ARGS=-v\n#XENSTORED_TRACE=\nXEN_DOM0_UUID=1-2\nXENSTORED=/x\n",
        ),
        // Upstream's for SysV.
        (
            "etc/init.d/xencommons",
            "#!/bin/bash\ntest -f $xencommons_config/xencommons && . $xencommons_config/xencommons\n\
             xen-init-dom0 ${XEN_DOM0_UUID}\n",
        ),
        (
            "etc/default/xencommons",
            "XEN_DOM0_UUID=1-2\nXENSTORED_OOM=1\n",
        ),
        // OpenRC's.
        (
            "etc/init.d/xenqemu",
            "#!/sbin/openrc-run\necho $XENQEMU_OPTS\n",
        ),
        ("etc/conf.d/xenqemu", "XENQEMU_OPTS=-v\nXENQEMU_OTHER=-v\n"),
    ] {
        write(machine.path(), name, text);
    }
    xen_units()
        .args(["verify", "--root"])
        .arg(machine.path())
        .assert()
        .code(6)
        .stdout(predicate::function(|said: &str| {
            let names = said.lines().map(|line| line.split(": ").nth(2).unwrap());
            names.eq([
                "XENSTORED_TRACE",
                "XEN_DOM0_UUID",
                "XENSTORED",
                "XENSTORED_OOM",
                "XENQEMU_OTHER",
            ])
        }));
}

#[test]
fn calls_no_setting_ignored_that_our_chain_heeds() {
    for init in ["systemd", "openrc", "sysvinit"] {
        let root = copy_of("debian-12");
        for other in ["etc/init.d/xen", "etc/init.d/xendomains", "etc/default/xen"] {
            fs::remove_file(root.path().join(other)).unwrap();
        }
        let settings = "XENSTORED_MAX_OPEN_FDS=4096\nXENSTORED_TRACE=yes\nXENSTORED_NOTHING=1\n";
        write(root.path(), "etc/default/xencommons", settings);
        let mut generate = generate_for(init, "/etc", root.path());
        generate.args(["--xen", "4.20"]).assert().success();
        fs::remove_dir_all(root.path().join("etc/xen")).unwrap();
        let verify = xen_units()
            .args(["verify", "--root"])
            .arg(root.path())
            .assert();
        verify.code(6).stdout(
            "/etc/default/xencommons: ignored-setting: XENSTORED_NOTHING: no script that reads \
             this file uses it; set it in /etc/default/xen-dom0 (xen-units import)\n",
        );
    }
}
