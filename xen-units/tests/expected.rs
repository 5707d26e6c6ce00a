//! What is written, held against files that were committed.
//!
//! They are written anew where XEN_UNITS_COMMIT_EXPECTED is set, with
//! `--test-threads 1`: some of them hold only what differs from others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{copy_of, generate_for, tree};

const INITS: [&str; 6] = ["systemd", "sysvinit", "openrc", "runit", "s6", "dinit"];

const LEFT_OUT: &str = "xen-units: xen-watchdog is left out: that of Xen 4.17 cannot stay in the \
    foreground, and only its parent could disarm it (from 4.19 on it can)\n";

/// A folder of committed files.
fn expected(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/expected").join(name)
}

fn base(init: &str, situation: &str) -> String {
    match init {
        "systemd" => situation.to_owned(),
        _ => format!("{situation}-{init}"),
    }
}

/// Compares with a folder of committed files, and where `beside` names another
/// one, with what is the same there.
fn assert_is_committed(name: &str, beside: &str, written: &BTreeMap<PathBuf, String>) {
    let mut known = BTreeMap::new();
    if !beside.is_empty() {
        known = tree(&expected(beside));
    }
    if std::env::var_os("XEN_UNITS_COMMIT_EXPECTED").is_some() {
        let _ = fs::remove_dir_all(expected(name));
        for (path, text) in written {
            if known.get(path) == Some(text) {
                continue;
            }
            let path = expected(name).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    known.extend(tree(&expected(name)));
    // Of those beside, what is not written here is not in the list of it.
    if let Some(list) = known.get(Path::new("etc/xen-dom0.manifest")).cloned() {
        let is_listed = |path: &Path| {
            let below = path.strip_prefix("etc").unwrap().display().to_string();
            let end = format!(" {below}");
            path.ends_with("xen-dom0.manifest") || list.lines().any(|line| line.ends_with(&end))
        };
        known.retain(|path, _| is_listed(path));
    }
    assert!(
        known.keys().eq(written.keys()),
        "{name}: {:?}",
        written.keys()
    );
    for (path, text) in &known {
        assert_eq!(text, &written[path], "{name}: {}", path.display());
    }
}

/// What is written for that machine, by its path below the output's folder.
fn written(
    init: &str,
    situation: &str,
    output: &str,
    settings: &str,
    arguments: &[&str],
    stderr: &str,
) -> BTreeMap<PathBuf, String> {
    let root = copy_of(situation);
    if !settings.is_empty() {
        fs::write(root.path().join("etc/default/xen-dom0"), settings).unwrap();
    }
    generate_for(init, &format!("/written/{output}"), root.path())
        .args(arguments)
        .assert()
        .success()
        .stdout("")
        .stderr(stderr.to_owned());
    tree(&root.path().join("written"))
}

#[test]
fn writes_for_debian_what_is_committed() {
    for init in INITS {
        let stderr = match init {
            "runit" | "s6" | "dinit" => LEFT_OUT,
            _ => "",
        };
        let written = written(init, "debian-12", "etc", "", &["--watchdog"], stderr);
        assert_is_committed(&base(init, "debian-12"), "", &written);
    }
}

#[test]
fn writes_for_upstreams_layout_what_is_committed() {
    let stderr = "xen-units: xen-domains is left out: libvirtd.service is enabled and starts \
        domains itself (--domains)\n\
        xen-units: /etc/NetworkManager/system-connections/br0.nmconnection: gives br0 to \
        NetworkManager, so nothing keeps it off\n\
        xen-units: only below /etc, so left out: logrotate.d/xen-dom0\n";
    let written = written("systemd", "upstream", "usr/lib", "", &[], stderr);
    assert_is_committed("upstream", "", &written);
}

/// What differs from the same machine without the setting is committed.
#[test]
fn writes_what_is_committed_for_a_store_in_a_domain() {
    for init in INITS {
        let stderr = match init {
            "runit" | "s6" | "dinit" => LEFT_OUT,
            _ => "",
        };
        let settings = "XENSTORETYPE=domain\n";
        let written = written(init, "debian-12", "etc", settings, &["--watchdog"], stderr);
        let base = base(init, "debian-12");
        assert_is_committed(&format!("store-domain/{init}"), &base, &written);
    }
}

#[test]
fn writes_what_is_committed_for_a_store_that_is_traced() {
    let settings = "XENSTORED=xenstored\nXENSTORED_TRACE=yes\n";
    for init in ["systemd", "sysvinit"] {
        let written = written(init, "debian-12", "etc", settings, &["--watchdog"], "");
        let base = base(init, "debian-12");
        assert_is_committed(&format!("store-trace/{init}"), &base, &written);
    }
}

#[test]
fn writes_at_each_boot_what_is_committed() {
    let root = copy_of("debian-12");
    let folder = root.path().join("run/systemd/generator");
    let machine = xen_units::root::Root::new(root.path());
    let programs = "/usr/bin".into();
    let none = std::iter::empty();
    let (remarks, problems) = xen_units::generator::write(&machine, programs, none, &folder);
    assert!(remarks.is_empty() && problems.is_empty());
    assert_is_committed("generator", "", &tree(&folder));
}

/// From Xen 4.19 on a supervisor can have the watchdog as its child.
#[test]
fn writes_what_is_committed_for_a_watchdog_under_a_supervisor() {
    for init in ["systemd", "runit", "s6", "dinit"] {
        let arguments = ["--watchdog", "--xen", "4.20"];
        let mut written = written(init, "debian-12", "etc", "", &arguments, "");
        let is_its = |path: &str| path.contains("watchdog") || path.contains("sleep");
        written.retain(|path, _| is_its(&path.to_string_lossy()));
        assert_is_committed(&format!("watchdog-4.20/{init}"), "", &written);
    }
}
