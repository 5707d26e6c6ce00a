//! What the program writes, and what it leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use predicates::prelude::*;

use common::{copy_of, generate, generate_for, tree, unprivileged};

#[test]
fn refuses_a_socket_that_the_daemon_makes_itself() {
    let root = copy_of("debian-12");
    generate(root.path())
        .arg("--store-socket")
        .assert()
        .code(5)
        .stderr(
            "xen-units: --store-socket: Xen 4.17 makes its own socket, as all do from 4.8 on\n",
        );
    assert!(!root.path().join("etc/systemd").exists());
}

#[test]
fn makes_the_socket_of_an_old_store() {
    let root = copy_of("upstream");
    generate(root.path())
        .args(["--store-socket", "--xen", "4.7"])
        .assert()
        .success();
    let socket = root.path().join("etc/systemd/system/xen-store.socket");
    let text = fs::read_to_string(socket).unwrap();
    assert!(text.contains("SocketMode=0660\nSocketUser=root\nSocketGroup=root\n"));
    // The store brings it along, and is itself brought along by the target.
    let store = root.path().join("etc/systemd/system/xen-store.service");
    let text = fs::read_to_string(store).unwrap();
    for line in ["After", "Requires"] {
        let mut lines = text.lines().filter(|text| text.starts_with(line));
        assert!(
            lines.any(|line| line.contains(" xen-store.socket")),
            "{text}"
        );
    }
}

#[test]
fn refuses_a_socket_that_nobody_would_take() {
    let root = copy_of("upstream");
    let flags = ["--store-socket", "--xen", "4.7"];
    for init in ["openrc", "sysvinit", "runit", "s6", "dinit"] {
        generate_for(init, "/etc", root.path())
            .args(flags)
            .assert()
            .code(2)
            .stderr("xen-units: --store-socket: only systemd makes sockets for it (see --help)\n");
    }
    generate(root.path())
        .args(flags)
        .env("XENSTORETYPE", "domain")
        .assert()
        .code(6)
        .stderr("xen-units: XENSTORETYPE: a store in a domain takes no socket (--store-socket)\n");
    assert!(!root.path().join("etc/xen-dom0.manifest").exists());
}

#[test]
fn writes_nothing_where_xen_is_not_installed() {
    let root = copy_of("not-installed");
    generate(root.path())
        .assert()
        .code(5)
        .stderr(predicate::str::starts_with(
            "xen-units: oxenstored or xenstored is not installed: looked for /usr/sbin/oxenstored,",
        ));
    assert!(!root.path().join("etc/systemd").exists());
}

#[test]
fn wants_the_watchdog_only_where_it_is_asked_for() {
    let root = copy_of("debian-12");
    let target = root.path().join("etc/systemd/system/xen-dom0.target");
    let wants = || {
        fs::read_to_string(&target)
            .unwrap()
            .contains("xen-watchdog")
    };
    generate(root.path()).assert().success();
    assert!(!wants());
    generate(root.path()).arg("--watchdog").assert().success();
    assert!(wants());
    fs::remove_file(root.path().join("usr/lib/xen-4.17/bin/xenwatchdogd")).unwrap();
    generate(root.path())
        .arg("--watchdog")
        .assert()
        .code(5)
        .stderr(predicate::str::contains("xenwatchdogd is not installed"));
}

#[test]
fn writes_nothing_that_is_the_same() {
    let root = copy_of("debian-12");
    generate(root.path())
        .assert()
        .success()
        .stdout("")
        .stderr("");
    let unit = root.path().join("etc/systemd/system/xen-store.service");
    let before = fs::metadata(&unit).unwrap().modified().unwrap();
    generate(root.path())
        .arg("-v")
        .assert()
        .success()
        .stdout("")
        .stderr("");
    assert_eq!(fs::metadata(&unit).unwrap().modified().unwrap(), before);
}

#[test]
fn leaves_files_of_others_alone() {
    let root = copy_of("debian-12");
    let folder = root.path().join("etc/systemd/system");
    fs::create_dir_all(&folder).unwrap();
    let (unit, masked) = (
        folder.join("xen-store.service"),
        folder.join("xen-qemu.service"),
    );
    fs::write(&unit, "[Unit]\n").unwrap();
    symlink("/dev/null", &masked).unwrap();
    generate(root.path()).assert().code(6).stderr(format!(
        "xen-units: {}: not written by xen-units, left as it is (overwrite it with --force)\n",
        unit.display()
    ));
    assert_eq!(fs::read_to_string(&unit).unwrap(), "[Unit]\n");
    assert!(!folder.join("xen-mountfs.service").exists());

    generate(root.path()).arg("--force").assert().success();
    let kept = folder.join("xen-store.service.bak");
    assert_eq!(fs::read_to_string(kept).unwrap(), "[Unit]\n");
    let kept = fs::read_link(folder.join("xen-qemu.service.bak")).unwrap();
    assert_eq!(kept, Path::new("/dev/null"));
    assert!(
        fs::read_to_string(&unit)
            .unwrap()
            .starts_with("# Written by xen-units, ")
    );
    generate(root.path()).assert().success();
}

#[test]
fn names_one_bridge_in_all_files() {
    let (plain, named) = (copy_of("debian-12"), copy_of("debian-12"));
    generate(plain.path()).assert().success();
    generate(named.path())
        .env("XEN_BRIDGE", "br7")
        .assert()
        .success();
    let same = std::process::Command::new("diff")
        .arg("-r")
        .args([plain.path(), named.path()])
        .status();
    assert!(same.unwrap().success());
}

#[test]
fn says_which_service_is_left_out_if_asked() {
    let root = copy_of("debian-12");
    let qemu = root.path().join("usr/libexec/xen-qemu-system-i386");
    fs::remove_file(qemu).unwrap();
    generate(root.path()).assert().success().stderr("");
    generate(root.path())
        .arg("-v")
        .assert()
        .success()
        .stderr("xen-units: xen-qemu is left out: qemu for Xen is not installed\n");
    for (setting, tool) in [
        ("QEMU_XEN", "qemu"),
        ("XENWATCHDOGD", "xenwatchdogd"),
        ("XEN_INIT_DOM0", "xen-init-dom0"),
    ] {
        generate(root.path())
            .env(setting, "/opt/none")
            .assert()
            .code(5)
            .stderr(format!(
                "xen-units: {tool} is not installed: looked for /opt/none\n"
            ));
    }
}

#[test]
fn warns_of_another_chain_until_it_is_masked() {
    let root = copy_of("debian-12");
    let etc = root.path().join("etc");
    let wants = etc.join("systemd/system/multi-user.target.wants");
    fs::create_dir_all(etc.join("rc2.d")).unwrap();
    fs::create_dir_all(&wants).unwrap();
    symlink("../init.d/xen", etc.join("rc2.d/S02xen")).unwrap();
    symlink("/lib/x", wants.join("xenstored.service")).unwrap();
    generate(root.path()).assert().success().stderr(
        "xen-units: another chain is enabled, to be masked before this one is: \
         xen (/etc/rc2.d/S02xen), \
         xenstored (/etc/systemd/system/multi-user.target.wants/xenstored.service)\n",
    );
    for name in ["xen", "xenstored"] {
        symlink(
            "/dev/null",
            etc.join(format!("systemd/system/{name}.service")),
        )
        .unwrap();
    }
    generate(root.path()).assert().success().stderr("");
}

/// The folders too, which a service that goes has had for itself.
#[test]
fn prints_a_script_that_leaves_what_a_run_would_leave() {
    for (before, init) in [("", "systemd"), ("s6", "s6"), ("runit", "dinit")] {
        let (dry, wet) = (copy_of("debian-12"), copy_of("debian-12"));
        let [in_dry, in_wet] = [&dry, &wet].map(|root| generate_for(init, "/etc", root.path()));
        for root in [&dry, &wet].iter().filter(|_| !before.is_empty()) {
            let mut first = generate_for(before, "/etc", root.path());
            first.args(["--watchdog", "--xen", "4.20"]);
            first.assert().success();
        }
        let known = tree(dry.path());
        let output = { in_dry }.arg("-n").output().unwrap();
        assert_eq!(tree(dry.path()), known);
        assert!(output.status.success());
        let status = std::process::Command::new("sh")
            .arg("-euc")
            .arg(String::from_utf8(output.stdout).unwrap())
            .status()
            .unwrap();
        assert!(status.success());
        { in_wet }.assert().success();
        let same = std::process::Command::new("diff")
            .arg("-r")
            .args([dry.path().join("etc"), wet.path().join("etc")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&same.stdout);
        assert!(same.status.success(), "{init}: {said}");
    }
}

#[test]
fn says_when_it_may_not_write() {
    let root = copy_of("debian-12");
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (_program, mut command) = unprivileged();
    command
        .args([
            "generate", "--init", "systemd", "--output", "/etc", "--root",
        ])
        .arg(root.path())
        .assert()
        .code(4)
        .stderr(format!(
            "xen-units: write {}: Permission denied (os error 13)\n",
            root.path().join("etc/xen-dom0.manifest").display()
        ));
}
