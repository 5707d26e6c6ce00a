//! What is written at each boot, as one of systemd's generators.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::{copy_of, generate, xen_units};
use xen_units::{generator, root::Root};

/// What a boot with these settings has: the units, and all that was said.
fn boot(root: &Path, settings: &str) -> (Vec<String>, PathBuf, Vec<String>) {
    if !settings.is_empty() {
        fs::write(root.join("etc/default/xen-dom0"), settings).unwrap();
    }
    let folder = root.join("run/systemd/generator");
    let _ = fs::remove_dir_all(&folder);
    let machine = Root::new(root);
    let (mut said, problems) =
        generator::write(&machine, "/usr/bin".into(), std::iter::empty(), &folder);
    said.extend(problems.iter().map(ToString::to_string));
    let names = fs::read_dir(&folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut units: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".service")?.to_owned()))
        .collect();
    units.sort();
    (units, folder, said)
}

#[test]
fn enables_what_it_writes() {
    let root = copy_of("debian-12");
    let (_, folder, said) = boot(root.path(), "");
    assert!(said.is_empty(), "{said:?}");
    let link = folder.join("multi-user.target.wants/xen-dom0.target");
    let target = fs::read_to_string(link).unwrap();
    assert!(target.contains("xen-store.service") && !target.contains("xen-watchdog"));
    // A second time, as after daemon-reload by hand.
    let (remarks, problems) = generator::write(
        &Root::new(root.path()),
        "/usr/bin".into(),
        std::iter::empty(),
        &folder,
    );
    assert!(remarks.is_empty() && problems.is_empty());
}

/// The same name as the flag's variable, which an init system has not.
#[test]
fn wants_the_watchdog_where_the_settings_file_says_so() {
    let root = copy_of("debian-12");
    let settings = "XEN_UNITS_WATCHDOG=yes\n";
    let (_, folder, said) = boot(root.path(), settings);
    assert!(said.is_empty(), "{said:?}");
    let target = fs::read_to_string(folder.join("xen-dom0.target")).unwrap();
    assert!(target.contains("xen-watchdog.service"));

    let written = root.path().join("etc/systemd/system/xen-dom0.target");
    for (variable, expected) in [("", true), ("no", false), ("yes", true)] {
        generate(root.path())
            .env("XEN_UNITS_WATCHDOG", variable)
            .assert()
            .success();
        let text = fs::read_to_string(&written).unwrap();
        assert_eq!(
            text.contains("xen-watchdog.service"),
            expected,
            "{variable}"
        );
    }
}

#[test]
fn writes_the_bridge_alone_beside_another_chain() {
    let root = copy_of("debian-12");
    let link = root.path().join("etc/rc2.d/S02xen");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("../init.d/xen", link).unwrap();
    let (units, folder, said) = boot(root.path(), "");
    assert_eq!(units, ["xen-bridge"]);
    assert_eq!(
        said,
        ["another chain is enabled: xen (/etc/rc2.d/S02xen) \
          (until it is masked, xen-bridge is all of this one)"]
    );
    let target = fs::read_to_string(folder.join("xen-dom0.target")).unwrap();
    assert!(target.contains("\nWants=xen-bridge.service\n"));
    let mask = root.path().join("etc/systemd/system/xen.service");
    fs::create_dir_all(mask.parent().unwrap()).unwrap();
    symlink("/dev/null", mask).unwrap();
    assert!(boot(root.path(), "").2.is_empty());
}

/// A link in /etc outlives its unit, or leads to where one is yet to be written.
#[test]
fn takes_no_link_to_our_own_watchdog_for_another_chain() {
    let folders = ["/usr/lib/systemd/system", "/run/systemd/generator"];
    for folder in folders {
        let root = copy_of("debian-12");
        let wants = root.path().join("etc/systemd/system/xen-dom0.target.wants");
        fs::create_dir_all(&wants).unwrap();
        let target = Path::new(folder).join("xen-watchdog.service");
        symlink(&target, wants.join("xen-watchdog.service")).unwrap();
        let (units, _, said) = boot(root.path(), "");
        assert!(said.is_empty(), "{folder}: {said:?}");
        assert!(units.contains(&"xen-store".to_owned()), "{units:?}");
        // What systemd starts by that name is upstream's, wherever the link leads.
        let lib = root.path().join(&folders[0][1..]);
        fs::create_dir_all(&lib).unwrap();
        fs::write(lib.join("xen-watchdog.service"), "[Service]\n").unwrap();
        let link = wants.join("xen-watchdog.service");
        fs::remove_file(&link).unwrap();
        symlink("/opt/gone.service", link).unwrap();
        assert_eq!(boot(root.path(), "").0, ["xen-bridge"]);
    }
}

#[test]
fn leaves_out_only_what_depends_on_what_is_wrong() {
    let all = [
        "xen-bridge",
        "xen-console",
        "xen-domain@",
        "xen-domains",
        "xen-modload",
        "xen-mountfs",
        "xen-qemu",
        "xen-store",
        "xen-store-ready",
        "xen-store-watch",
        "xen-watchdog",
    ];
    let without_store = ["xen-bridge", "xen-modload", "xen-mountfs", "xen-watchdog"];
    let needs = |name: &str, need: &str| format!("{name} is left out: it needs {need}");
    let no_store = [
        needs("xen-store-ready", "xen-store"),
        needs("xen-store-watch", "xen-store-ready"),
        needs("xen-console", "xen-store-ready"),
        needs("xen-qemu", "xen-store-ready"),
        needs("xen-domains", "xen-store-ready"),
    ];
    for (settings, expected, mut said) in [
        (
            "XENCONSOLED_TRACE=loud\n",
            all.iter()
                .filter(|name| **name != "xen-console")
                .collect::<Vec<_>>(),
            vec![
                "xen-console is left out: XENCONSOLED_TRACE: loud is none of none, guest, hv, all",
            ],
        ),
        (
            "XENSTORED=/opt/none\n",
            without_store.iter().collect(),
            vec!["xen-store is left out: xenstored is not installed: looked for /opt/none"],
        ),
        (
            "XENSTORETYPE=both\n",
            without_store.iter().collect(),
            vec!["xen-store is left out: XENSTORETYPE: both is neither daemon nor domain"],
        ),
        (
            "fi\n",
            without_store[..3].iter().collect(),
            vec!["/etc/default/xen-dom0:1: not KEY=value"],
        ),
        (
            "XEN_UNITS_WATCHDOG=perhaps\n",
            all.iter().collect(),
            vec!["XEN_UNITS_WATCHDOG: perhaps is neither yes nor no"],
        ),
    ] {
        let root = copy_of("debian-12");
        let (mut units, folder, found) = boot(root.path(), settings);
        if expected.len() == without_store.len() {
            said.splice(0..0, no_store.iter().map(String::as_str));
        }
        assert_eq!(found, said, "{settings}");
        units.retain(|name| name != "xen-watchdog-sleep");
        assert!(units.iter().eq(expected), "{settings}: {units:?}");
        let target = fs::read_to_string(folder.join("xen-dom0.target")).unwrap();
        assert!(target.contains("xen-bridge.service"), "{settings}");
    }
}

/// A copy knows no more than where it is; a link leads to the others.
#[test]
fn finds_the_programs_beside_itself_or_where_its_link_leads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let generators = folder.join("lib/systemd/system-generators");
    let bin = folder.join("opt/bin");
    for place in [&generators, &bin] {
        fs::create_dir_all(place).unwrap();
        fs::write(place.join("xen-mountfs"), "").unwrap();
    }
    let copy = |to: &Path| {
        let program = assert_cmd::cargo::cargo_bin!("xen-units");
        Command::new("cp").arg(program).arg(to).assert().success();
    };
    copy(&generators.join("copy"));
    copy(&bin.join("xen-units"));
    symlink(bin.join("xen-units"), generators.join("link")).unwrap();
    for (name, place) in [("copy", &generators), ("link", &bin)] {
        Command::new(generators.join(name))
            .args(["command", "xen-mountfs", "--root"])
            .arg(common::root("debian-12"))
            .assert()
            .success()
            .stdout(format!("{}/xen-mountfs\n", place.display()));
    }
}

#[test]
fn writes_nothing_off_xen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("normal");
    xen_units()
        .args([&path, &path, &path])
        .assert()
        .success()
        .stdout("")
        .stderr("");
    assert!(!path.exists());
}
