//! What `verify`, `import` and `graph` say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use common::{command_of, copy_of, generate_for, root, xen_units};
use predicates::prelude::*;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

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
        ("After=network-online.target", &["network-online-unwanted"]),
        (
            "After=a network-online.target\nWants=network-online.target",
            &[],
        ),
        (
            "ExecStart=/x/qemu -xen-attach -nodefaults -no-user-config \\\n  -daemonize",
            &["qemu-type"],
        ),
        ("ExecStart=/x/qemu -xen-attach", &["qemu-defaults"]),
        ("ConditionVirtualization=xen", &["never-in-dom0"]),
        ("ExecStartPre=/bin/grep control_d /x", &["fails-in-guest"]),
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
        ("# ConditionVirtualization=xen", &[]),
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
        ("xl list >/dev/null || exit 0", &["domains-failure-hidden"]),
    ] {
        let (names, _) = found("init.d/xen", &format!("#!/bin/sh\n{script}\n"));
        assert_eq!(names, expected, "{script}");
    }
    let modules = "xen-evtchn\n# gntdev\nblkbk\nnetxen_nic\n";
    let (names, _) = found("modules-load.d/xen.conf", modules);
    assert_eq!(names, ["unknown-module", "unrelated-module"]);
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
        let machine = copy_of("debian-12");
        generate_for(init, "/written", machine.path())
            .arg("--watchdog")
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

/// Scripts that use some of the settings that their file proposes.
fn ignoring() -> tempfile::TempDir {
    let machine = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "etc/init.d/xen",
            "#!/bin/sh\n. /etc/default/xen\necho $XENSTORED_ARGS $XENSTORED\n",
        ),
        (
            "etc/init.d/xendomains",
            "#!/bin/sh\n. /etc/default/xendomains\necho $XEN_DOM0_UUID\n",
        ),
        (
            "etc/default/xen",
            "XENSTORED_ARGS=\"-a 'b c'\"\n#XENSTORED_TRACE=\nXEN_DOM0_UUID=1-2\nXENSTORED=$HOME/x\n",
        ),
        ("etc/conf.d/xenconsoled", "XENCONSOLED_OPTS=\"-v\"\n"),
    ] {
        write(machine.path(), name, text);
    }
    machine
}

#[test]
fn names_the_settings_that_no_script_uses() {
    let machine = ignoring();
    xen_units()
        .args(["verify", "--root"])
        .arg(machine.path())
        .assert()
        .code(6)
        .stdout(
            predicate::str::contains("/etc/default/xen: ignored-setting: XENSTORED_TRACE: ")
                .and(predicate::str::contains("ignored-setting: XEN_DOM0_UUID: "))
                .and(predicate::str::contains("XENSTORED_ARGS").not()),
        );
}

#[test]
fn takes_over_the_settings_of_others() {
    let machine = ignoring();
    let import = || {
        let mut command = xen_units();
        command.args(["import", "--root"]).arg(machine.path());
        command
    };
    let output = import().output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    for line in [
        "/etc/conf.d/xenconsoled: XENCONSOLED_OPTS: is called XENCONSOLED_ARGS here",
        "/etc/conf.d/xenconsoled: XENCONSOLED_ARGS=-v",
        "/etc/default/xen: XEN_DOM0_UUID: its own scripts ignored it; it counts from now on",
        "/etc/default/xen: XEN_DOM0_UUID=1-2",
        "/etc/default/xen: XENSTORED: not taken, a shell would have to work it out: $HOME/x",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    let own = machine.path().join("etc/default/xen-dom0");
    let written = fs::read_to_string(&own).unwrap();
    import().assert().success();
    assert_eq!(fs::read_to_string(&own).unwrap(), written);
    let sh = Process::new("sh")
        .args([
            "-euc",
            ". \"$0\"; eval \"set -- $XENSTORED_ARGS\"; echo \"$2\"",
        ])
        .arg(&own)
        .output()
        .unwrap();
    assert_eq!(sh.stdout, b"b c\n");
    // An administrator's own file stays, and wins.
    fs::write(&own, "XEN_DOM0_UUID=mine\n").unwrap();
    import().assert().code(6);
    assert_eq!(fs::read_to_string(&own).unwrap(), "XEN_DOM0_UUID=mine\n");
    import().arg("--force").assert().success();
    let text = fs::read_to_string(&own).unwrap();
    assert!(text.contains("XEN_DOM0_UUID=mine\n"), "{text}");
}

#[test]
fn draws_the_order() {
    let graph = |format: &str| {
        let mut command = xen_units();
        command
            .args(["graph", "--format", format, "--root"])
            .arg(root("debian-12"));
        command
    };
    for (format, start, edges) in [
        (
            "dot",
            "digraph xen_dom0 {\n",
            [
                "\n  \"xen-mountfs\" -> \"xen-store\";\n",
                "\n  \"xen-bridge\" -> \"xen-domains\" [style=dashed];\n",
            ],
        ),
        (
            "mermaid",
            "flowchart LR\n",
            [
                "\n  xen_mountfs[\"xen-mountfs\"] --> xen_store[\"xen-store\"]\n",
                "\n  xen_bridge[\"xen-bridge\"] -.-> xen_domains[\"xen-domains\"]\n",
            ],
        ),
    ] {
        let output = graph(format).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with(start), "{text}");
        for edge in edges {
            assert!(text.contains(edge), "{edge}: {text}");
        }
    }
    // Whatever draws it is given the graph.
    let bin = tempfile::tempdir().unwrap();
    let script = "printf '#!/bin/sh\\necho \"$1\"; head -n 1\\n' >\"$0\"; chmod 755 \"$0\"";
    let made = Process::new("sh")
        .args(["-euc", script])
        .arg(bin.path().join("dot"))
        .status();
    assert!(made.unwrap().success());
    graph("svg")
        .env("PATH", format!("{}:/usr/bin:/bin", bin.path().display()))
        .assert()
        .success()
        .stdout("-Tsvg\ndigraph xen_dom0 {\n");
    graph("svg")
        .env("PATH", "/nowhere")
        .assert()
        .code(5)
        .stderr("xen-units: graph --format svg: Graphviz (dot) is not installed\n");
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
