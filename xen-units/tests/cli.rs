//! What the program prints, over fake roots that are machines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use predicates::prelude::*;

use common::{command_of, xen_units};

#[test]
fn lists_the_services_in_boot_order() {
    let names: String = xen_units()
        .arg("list")
        .assert()
        .success()
        .get_output()
        .stdout
        .iter()
        .map(|byte| char::from(*byte))
        .collect();
    let first: Vec<&str> = names
        .lines()
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    assert_eq!(
        first,
        [
            "xen-modload",
            "xen-mountfs",
            "xen-store",
            "xen-store-ready",
            "xen-store-watch",
            "xen-console",
            "xen-qemu",
            "xen-watchdog",
            "xen-bridge",
            "xen-domains"
        ]
    );
}

#[test]
fn lists_as_json() {
    let output = xen_units().args(["list", "--json"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list[1]["name"], "xen-mountfs");
    assert_eq!(list[1]["description"], "xenfs on /proc/xen");
}

#[test]
fn prints_each_command_line_on_debian() {
    for (name, lines) in [
        (
            "xen-store",
            "/usr/lib/xen-4.17/bin/oxenstored --no-fork --pid-file /run/xenstore.pid\n",
        ),
        (
            "xen-console",
            "/usr/lib/xen-4.17/bin/xenconsoled -i --pid-file /run/xenconsoled.pid \
             '--log=none' '--log-dir=/var/log/xen/console'\n",
        ),
        (
            "xen-qemu",
            "/usr/libexec/xen-qemu-system-i386 -xen-domid 0 -xen-attach -name dom0 -nographic \
             -M xenpv -nodefaults -no-user-config -monitor none -serial none -parallel none \
             -pidfile /run/qemu-dom0.pid\n",
        ),
        ("xen-watchdog", "/usr/lib/xen-4.17/bin/xenwatchdogd 30 15\n"),
        (
            "xen-store-ready",
            "/usr/bin/xen-storewait\n\
             /usr/lib/xen-4.17/bin/xen-init-dom0\n\
             /usr/bin/xen-storewait --seed-dom0\n",
        ),
        ("xen-modload", "/usr/bin/xen-modload\n"),
        ("xen-mountfs", "/usr/bin/xen-mountfs\n"),
        ("xen-bridge", "/usr/bin/xen-bridge up\n"),
        (
            "xen-domains",
            "env 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
             'SYSTEMCTL_SKIP_REDIRECT=1' \
             /bin/bash -c '. /etc/init.d/xendomains' xen-domains-script start\n",
        ),
    ] {
        command_of("debian-12", name)
            .assert()
            .success()
            .stdout(lines)
            .stderr("");
    }
}

#[test]
fn prints_each_command_line_of_upstreams_layout() {
    for (name, lines) in [
        (
            "xen-store",
            "/usr/local/sbin/xenstored --no-fork --pid-file /run/xen/xenstored.pid \
             -T /var/log/xen/xenstored-trace.log --quota 'transaction=20'\n",
        ),
        (
            "xen-console",
            "/usr/local/sbin/xenconsoled -i --pid-file /run/xen/xenconsoled.pid \
             '--log=all' '--log-dir=/var/log/xen/console' --timestamp all\n",
        ),
        ("xen-watchdog", "/usr/local/sbin/xenwatchdogd 30 15\n"),
        (
            "xen-store-ready",
            "/usr/bin/xen-storewait\n\
             /usr/local/lib/xen/bin/xen-init-dom0 6d1f4c0e-0b5c-4a9d-9f0e-0123456789ab\n\
             /usr/bin/xen-storewait --seed-dom0\n",
        ),
        ("xen-bridge", "/usr/bin/xen-bridge up br0\n"),
    ] {
        command_of("upstream", name)
            .assert()
            .success()
            .stdout(lines)
            .stderr("");
    }
}

#[test]
fn prints_what_stops_a_service() {
    command_of("upstream", "xen-bridge")
        .arg("--stop")
        .assert()
        .success()
        .stdout("/usr/bin/xen-bridge down br0\n");
    // Without a store the script would wait for ever.
    let env = "env 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
               'SYSTEMCTL_SKIP_REDIRECT=1'";
    command_of("debian-12", "xen-domains")
        .arg("--stop")
        .assert()
        .success()
        .stdout(format!(
            "{env} /usr/bin/xen-storewait --timeout 10\n{env} /bin/bash -c '. /etc/init.d/xendomains' \
             xen-domains-script stop\n"
        ));
    command_of("debian-12", "xen-store")
        .arg("--stop")
        .assert()
        .code(2)
        .stdout("")
        .stderr("xen-units: xen-store: has no command that stops it\n");
}

#[test]
fn prints_the_pidfile_that_the_installed_scripts_look_at() {
    for (situation, name, path) in [
        ("debian-12", "xen-store", "/run/xenstore.pid\n"),
        ("debian-12", "xen-qemu", "/run/qemu-dom0.pid\n"),
        ("upstream", "xen-store", "/run/xen/xenstored.pid\n"),
        ("upstream", "xen-console", "/run/xen/xenconsoled.pid\n"),
    ] {
        command_of(situation, name)
            .arg("--pid-file")
            .assert()
            .success()
            .stdout(path);
    }
    command_of("debian-12", "xen-bridge")
        .arg("--pid-file")
        .assert()
        .code(2)
        .stderr("xen-units: xen-bridge: has no pidfile\n");
}

/// Debian's lsb-base hook leaves where the unit that `$0` names is masked.
#[test]
fn runs_debians_script_by_a_name_of_ours() {
    let root = common::copy_of("debian-12");
    let script = root.path().join("etc/init.d/xendomains");
    fs::write(&script, "#!/bin/bash\necho \"${0##*/} $1\"\n").unwrap();
    let output = command_of("debian-12", "xen-domains").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let line = line.replace("/etc/init.d/xendomains", script.to_str().unwrap());
    let shell = std::process::Command::new("sh")
        .args(["-c", &line])
        .output();
    assert_eq!(shell.unwrap().stdout, b"xen-domains-script start\n");
}

#[test]
fn runs_no_service_of_openrc() {
    let root = common::copy_of("debian-12");
    let service = "#!/usr/bin/openrc-run\ndepend() { need xenstored; }\n";
    common::write(root.path(), "etc/init.d/xendomains", service);
    let command = || {
        let mut command = xen_units();
        command.args(["command", "xen-domains", "--xen", "4.17", "--root"]);
        command.arg(root.path()).assert()
    };
    command().code(5).stderr(predicate::str::starts_with(
        "xen-units: xendomains is not installed: looked for /etc/rc.d/init.d/xendomains, \
         /usr/libexec/xen/bin/xendomains,",
    ));
    let program = root.path().join("usr/lib/xen/bin/xendomains");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy(root.path().join("usr/lib/xen-4.17/bin/xendomains"), program).unwrap();
    command().success().stdout(predicate::str::ends_with(
        " /usr/lib/xen/bin/xendomains start\n",
    ));
}

#[test]
fn takes_the_daemons_of_the_version_that_is_named() {
    command_of("debian-12", "xen-store")
        .args(["--xen", "4.20"])
        .assert()
        .success()
        .stdout("/usr/lib/xen-4.20/bin/oxenstored --no-fork --pid-file /run/xenstore.pid\n");
    // Debian's wrapper in /usr/sbin would find nothing either.
    command_of("debian-12", "xen-store")
        .args(["--xen", "4.18"])
        .assert()
        .code(5)
        .stderr(predicate::str::starts_with(
            "xen-units: oxenstored or xenstored is not installed: \
             looked for /usr/lib/xen-4.18/bin/oxenstored, /usr/sbin/oxenstored,",
        ));
}

#[test]
fn takes_the_real_daemon_behind_debians_wrapper() {
    for named in ["/usr/sbin/xenstored", "xenstored"] {
        command_of("debian-12", "xen-store")
            .env("XENSTORED", named)
            .env("XENSTORED_TRACE", "1")
            .assert()
            .success()
            .stdout(
                "/usr/lib/xen-4.17/bin/xenstored --no-fork --pid-file /run/xenstore.pid \
                 -T /var/log/xen/xenstored-trace.log\n",
            );
    }
}

#[test]
fn refuses_a_daemon_that_is_named_and_absent() {
    command_of("debian-12", "xen-store")
        .env("XENSTORED", "/opt/xenstored")
        .assert()
        .code(5)
        .stdout("")
        .stderr("xen-units: xenstored is not installed: looked for /opt/xenstored\n");
}

#[test]
fn starts_a_store_in_a_domain_of_its_own() {
    command_of("debian-12", "xen-store")
        .env("XENSTORETYPE", "domain")
        .env("XENSTORE_MAX_DOMAIN_SIZE", "16")
        .assert()
        .success()
        .stdout(
            "/usr/lib/xen-4.17/bin/init-xenstore-domain \
             --kernel /usr/lib/xen-4.17/boot/xenstore-stubdom.gz --memory 8 --maxmem 16\n",
        );
    command_of("debian-12", "xen-store")
        .env("XENSTORETYPE", "both")
        .assert()
        .code(6)
        .stderr("xen-units: XENSTORETYPE: both is neither daemon nor domain\n");
}

/// It has no socket: only the kernel's device leads to it.
#[test]
fn asks_a_store_in_a_domain_through_the_device() {
    for (name, line) in [
        (
            "xen-store-ready",
            "/usr/bin/xen-storewait --device --seed-dom0",
        ),
        (
            "xen-store-watch",
            "/usr/bin/xen-storewait --device --hold --timeout 30",
        ),
        ("environment", "export XEN_STOREWAIT_DEVICE=yes"),
    ] {
        command_of("debian-12", name)
            .env("XENSTORETYPE", "domain")
            .assert()
            .success()
            .stdout(predicate::str::contains(format!("{line}\n")));
    }
}

#[test]
fn makes_the_folders_twice_and_under_any_umask() {
    let folder = tempfile::tempdir().unwrap();
    let output = command_of("debian-12", "folders").output().unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    let below = |path: &str| format!(" {}{path}", folder.path().display());
    let script = script
        .replace(" /run", &below("/run"))
        .replace(" /var", &below("/var"));
    for _ in 0..2 {
        let status = std::process::Command::new("sh")
            .args(["-euc", &format!("umask 077\n{script}")])
            .status()
            .unwrap();
        assert!(status.success());
    }
    let mode = |path: &str| {
        let meta = fs::metadata(folder.path().join(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    for (path, expected) in [
        ("run/xen", 0o700),
        ("run/xenstored", 0o700),
        ("run/lock/subsys", 0o755),
        ("var/log/xen", 0o750),
        ("var/log/xen/console", 0o750),
        ("var/lib/xen", 0o755),
        ("var/lib/xen/save", 0o700),
        ("var/lib/xen/dump", 0o700),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
    let link = fs::read_link(folder.path().join("run/xen/xenstored.pid")).unwrap();
    assert!(link.ends_with("run/xenstore.pid"));
}

#[test]
fn says_in_one_line_what_is_wrong_with_the_arguments() {
    for (arguments, complaint) in [
        (
            vec![],
            "nothing to do: generate, command, list, graph, verify or import",
        ),
        (vec!["command", "xenstored"], "xenstored: no such service"),
        (
            vec!["generate", "--init", "upstart", "--output", "/x"],
            "--init: invalid value 'upstart'",
        ),
        (
            vec!["command", "xen-store", "--xen", "four"],
            "--xen: invalid value 'four': not a version such as 4.17",
        ),
        (
            vec!["command", "folders", "--stop"],
            "folders goes with neither --stop nor --pid-file",
        ),
        (vec!["/a", "/b"], "as a generator it takes three folders"),
        (vec!["draw"], "no such command: draw"),
        (vec!["draw", "it"], "no such command: draw"),
        (vec!["/a", "b", "/c"], "no such command: b"),
        (
            vec!["command", "xen-store", "--bin-dir", "bin"],
            "--bin-dir: bin is not an absolute path",
        ),
        (
            vec![
                "generate",
                "--init",
                "systemd",
                "--bin-dir",
                "/b",
                "--root",
                "/r",
                "--output",
                "/etc/../../x",
            ],
            "--output: /etc/../../x is not below --root",
        ),
    ] {
        let assert = xen_units().args(&arguments).assert().code(2).stdout("");
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.contains(complaint), "{arguments:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn says_when_the_answer_could_not_be_written() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let status = std::process::Command::new(assert_cmd::cargo::cargo_bin!("xen-units"))
        .arg("list")
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&status.stderr),
        "xen-units: write to standard output: No space left on device (os error 28)\n"
    );
}
