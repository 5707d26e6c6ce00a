//! The units themselves, as systemd reads them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{copy_of, generate, xen_units};

/// The units that run once and are ours, with the worst score that
/// `systemd-analyze security` may give them, in tenths. xen-mountfs must stay
/// without a mount namespace; xen-domains runs guests, and is not ours.
/// Below them the daemons, by what they can bear.
const SCORES: [(&str, u32); 10] = [
    ("xen-modload", 30),
    ("xen-mountfs", 32),
    ("xen-store-ready", 30),
    ("xen-store-watch", 30),
    ("xen-bridge", 30),
    ("xen-watchdog-sleep", 30),
    ("xen-store", 50),
    ("xen-console", 50),
    ("xen-watchdog", 52),
    ("xen-qemu", 60),
];

/// What gives a process a mount namespace of its own (systemd.exec(5)).
const HIDE_A_MOUNT: [&str; 24] = [
    "ProtectSystem",
    "ProtectHome",
    "ProtectProc",
    "ProcSubset",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "PrivateTmp",
    "PrivateDevices",
    "PrivateNetwork",
    "PrivateUsers",
    "PrivateIPC",
    "PrivateMounts",
    "MountFlags",
    "MountAPIVFS",
    "ReadWritePaths",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "ExecPaths",
    "BindPaths",
    "TemporaryFileSystem",
    "RootDirectory",
    "DynamicUser",
];

/// Debian with all units, our programs, the system's own units, and these.
fn machine(others: &[(&str, &str)]) -> tempfile::TempDir {
    let root = copy_of("debian-12");
    let make = |path: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let stand_in = root.path().join("usr/lib/xen-4.17/bin/oxenstored");
    for name in ["modload", "mountfs", "bridge", "storewait"] {
        fs::copy(&stand_in, make(&format!("usr/bin/xen-{name}"))).unwrap();
    }
    for name in ["bin/sh", "bin/bash", "bin/true"] {
        fs::copy(&stand_in, make(name)).unwrap();
    }
    let systemd = make("usr/lib/systemd/system");
    let copied = Command::new("cp")
        .args(["-a", "/usr/lib/systemd/system"])
        .arg(&systemd)
        .status()
        .unwrap();
    assert!(copied.success());
    let wants = make("etc/systemd/system/multi-user.target.wants/x");
    for (name, text) in others {
        fs::write(make(&format!("etc/systemd/system/{name}")), text).unwrap();
        let link = wants.with_file_name(name);
        std::os::unix::fs::symlink(format!("../{name}"), link).unwrap();
    }
    generate(root.path())
        .args(["--watchdog", "--domains"])
        .assert()
        .success();
    std::os::unix::fs::symlink(
        "../xen-dom0.target",
        wants.with_file_name("xen-dom0.target"),
    )
    .unwrap();
    root
}

fn verify(root: &Path, unit: &str) -> Output {
    Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(format!("--root={}", root.display()))
        .arg(unit)
        .output()
        .unwrap()
}

fn units(root: &Path) -> Vec<PathBuf> {
    let folder = root.join("etc/systemd/system");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut units: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    units.sort();
    units
}

#[test]
fn systemd_accepts_every_unit_without_a_word() {
    let root = machine(&[]);
    let units = units(root.path());
    assert_eq!(units.len(), 13);
    for unit in units {
        let output = verify(root.path(), unit.to_str().unwrap());
        let said = String::from_utf8_lossy(&output.stderr);
        let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("xen-")).collect();
        assert!(output.status.success(), "{}: {said}", unit.display());
        assert!(about_ours.is_empty(), "{}: {about_ours:?}", unit.display());
    }
}

/// So the guests are stopped before what their disks are on.
#[test]
fn domains_come_after_the_storage_of_others() {
    let root = machine(&[]);
    for name in ["xen-domains", "xen-domain@"] {
        let unit = format!("etc/systemd/system/{name}.service");
        let text = fs::read_to_string(root.path().join(unit)).unwrap();
        let after = text.lines().filter(|line| line.starts_with("After="));
        let after = after.collect::<Vec<_>>().join(" ");
        for storage in ["remote-fs.target", "drbd.service", "iscsi.service"] {
            assert!(after.contains(storage), "{name}: {after}");
        }
    }
}

/// They may name another folder of the store's, for xl as for the daemon.
#[test]
fn gives_the_settings_to_whatever_starts_domains() {
    let root = machine(&[]);
    for name in ["xen-domains", "xen-domain@"] {
        let unit = format!("etc/systemd/system/{name}.service");
        let text = fs::read_to_string(root.path().join(unit)).unwrap();
        for file in xen_units::settings::FILES {
            assert!(
                text.contains(&format!("\nEnvironmentFile=-{file}\n")),
                "{name}"
            );
        }
    }
}

/// `%I` would unescape the dash to a slash, and a folder may have a blank.
#[test]
fn starts_a_domain_by_its_name_as_it_stands() {
    let root = copy_of("debian-12");
    xen_units()
        .args(["generate", "--init", "systemd", "--output", "/etc"])
        .args(["--bin-dir", "/opt/my xen/bin", "--root"])
        .arg(root.path())
        .assert()
        .success();
    let unit = root.path().join("etc/systemd/system/xen-domain@.service");
    let text = fs::read_to_string(unit).unwrap();
    assert!(!text.contains("%I"), "{text}");
    assert_eq!(text.matches("' %i\n").count(), 2, "{text}");
    for line in ["ExecStartPre=@\n", "ExecStop=@ --timeout 10\n"] {
        let line = line.replace('@', "\"/opt/my xen/bin/xen-storewait\"");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn systemd_finds_the_sandboxes_good() {
    let root = machine(&[]);
    for (name, worst) in SCORES {
        let unit = root
            .path()
            .join(format!("etc/systemd/system/{name}.service"));
        let output = Command::new("systemd-analyze")
            .args([
                "security",
                "--offline=true",
                &format!("--threshold={worst}"),
            ])
            .arg(&unit)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {:?}", said.lines().last());
    }
}

/// Nor do the daemons: a disk may be on a file system that is mounted later.
#[test]
fn xen_mountfs_hides_no_mount() {
    let root = machine(&[]);
    for name in ["xen-mountfs", "xen-qemu", "xen-store", "xen-console"] {
        let unit = format!("etc/systemd/system/{name}.service");
        let text = fs::read_to_string(root.path().join(unit)).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let key = line.split_once('=').map_or(line, |(key, _)| key);
            assert!(!HIDE_A_MOUNT.contains(&key), "{line}");
            // It would close every device but the clock's.
            assert!(name == "xen-mountfs" || key != "ProtectClock", "{name}");
        }
    }
}

#[test]
fn every_unit_is_skipped_off_xen_and_in_a_guest() {
    let root = machine(&[]);
    for unit in units(root.path()) {
        let text = fs::read_to_string(&unit).unwrap();
        assert!(
            text.contains("\nConditionPathExists=/proc/xen\nConditionVirtualization=!xen\n"),
            "{}",
            unit.display()
        );
        for bad in [
            "BindsTo=",
            "PartOf=",
            "PropagatesStopTo=",
            "KillMode=none",
            "Conflicts=",
        ] {
            assert!(!text.contains(bad), "{}: {bad}", unit.display());
        }
        let is_after = text
            .lines()
            .any(|line| line.starts_with("After=") && line.contains("xen-mountfs"));
        let requires = text
            .lines()
            .any(|line| line.starts_with("Requires=") && line.contains("xen-mountfs"));
        let is_target = unit.ends_with("xen-dom0.target");
        if unit.ends_with("xen-watchdog-sleep.service") {
            continue;
        }
        assert_eq!(is_after && !is_target, requires, "{}", unit.display());
    }
}

/// What orders the networks' and the DHCP servers' units, as their packages
/// have it; the rest of them does not matter here.
const NETWORK_CLIENTS: [(&str, &str); 6] = [
    (
        "networking.service",
        "[Unit]\nDefaultDependencies=no\nAfter=local-fs.target network-pre.target\nWants=network.target\nBefore=network.target network-online.target shutdown.target\nConflicts=shutdown.target\n",
    ),
    // Beside networking.service, which the image always has.
    (
        "cloud-init.service",
        "[Unit]\nDefaultDependencies=no\nWants=cloud-init-local.service\nAfter=cloud-init-local.service systemd-networkd-wait-online.service networking.service\nBefore=network-online.target sysinit.target shutdown.target systemd-user-sessions.service\nConflicts=shutdown.target\n",
    ),
    (
        "dhcpcd.service",
        "[Unit]\nWants=network.target\nBefore=network.target network-online.target\n",
    ),
    (
        "NetworkManager.service",
        "[Unit]\nWants=network.target\nAfter=network-pre.target dbus.service\nBefore=network.target\n",
    ),
    (
        "NetworkManager-wait-online.service",
        "[Unit]\nRequires=NetworkManager.service\nAfter=NetworkManager.service\nBefore=network-online.target\n",
    ),
    (
        "systemd-networkd.service",
        "[Unit]\nDefaultDependencies=no\nAfter=systemd-udevd.service network-pre.target systemd-sysctl.service\nWants=network.target\nBefore=multi-user.target network.target shutdown.target\nConflicts=shutdown.target\n",
    ),
];

/// What guests' disks may be on, as its package orders it.
const STORAGE: (&str, &str) = (
    "drbd.service",
    "[Unit]\nAfter=network.target sshd.service\nWants=network.target\n",
);

const DHCP_SERVERS: [(&str, &str); 4] = [
    (
        "dnsmasq.service",
        "[Unit]\nRequires=network.target\nWants=nss-lookup.target\nBefore=nss-lookup.target\nAfter=network.target\n",
    ),
    (
        "isc-dhcp-server.service",
        "[Unit]\nAfter=remote-fs.target network-online.target slapd.service nss-lookup.target\nWants=network-online.target\n",
    ),
    (
        "kea-dhcp4-server.service",
        "[Unit]\nWants=network-online.target\nAfter=network-online.target time-sync.target\n",
    ),
    (
        "dhcpd.service",
        "[Unit]\nWants=network-online.target\nAfter=network-online.target time-sync.target\n",
    ),
];

const RUN: &str = "[Service]\nType=oneshot\nExecStart=/bin/true\n";

#[test]
fn makes_no_circle_with_any_client_or_server() {
    for client in NETWORK_CLIENTS {
        for server in DHCP_SERVERS {
            let [client, server] =
                [client, server].map(|(name, text)| (name, format!("{text}{RUN}")));
            let ifupdown = format!("{}{RUN}", NETWORK_CLIENTS[0].1);
            let storage = format!("{}{RUN}", STORAGE.1);
            let mut others = vec![
                (client.0, client.1.as_str()),
                (server.0, &server.1),
                (STORAGE.0, &storage),
            ];
            if client.0 == "cloud-init.service" {
                others.push((NETWORK_CLIENTS[0].0, &ifupdown));
            }
            let root = machine(&others);
            let output = verify(root.path(), "multi-user.target");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("cycle"), "{} {}: {said}", client.0, server.0);
        }
    }
}

/// The test above would see one: an order that is known to be wrong.
#[test]
fn a_circle_would_be_seen() {
    let wrong = format!("[Unit]\nAfter=xen-domains.service\nBefore=network-online.target\n{RUN}");
    let root = machine(&[("dhcpcd.service", &wrong)]);
    let output = verify(root.path(), "multi-user.target");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cycle"), "{said}");
}
