//! Where `verify` looks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{write, xen_units};
use predicates::prelude::*;

#[test]
fn takes_a_root_that_is_not_there_for_no_clean_one() {
    for verb in ["verify", "import"] {
        xen_units()
            .args([verb, "--root", "/nowhere"])
            .assert()
            .code(2)
            .stdout("")
            .stderr("xen-units: --root: /nowhere: not a folder (see --help)\n");
    }
}

/// So is runit's folder of services made; links may lead back.
#[test]
fn follows_the_links_of_a_folder_that_is_named() {
    let machine = tempfile::tempdir().unwrap();
    let watchdog = "#!/bin/sh\nexec xenwatchdogd -F\n";
    write(machine.path(), "etc/sv/w/run", watchdog);
    write(
        machine.path(),
        "etc/init.d/xen",
        "#!/bin/sh\nkillall xenstored\n",
    );
    let links = machine.path().join("etc/runit/current");
    fs::create_dir_all(&links).unwrap();
    for (name, target) in [
        ("current/w", "/etc/sv/w"),
        ("current/again", "../../sv/w"),
        ("current/script", "/etc/init.d/xen"),
        ("current/up", "/"),
        ("current/nowhere", "/etc/gone"),
        ("current/outside", "../../../../../usr"),
        ("service", "/etc/runit/current"),
    ] {
        symlink(target, links.parent().unwrap().join(name)).unwrap();
    }
    xen_units()
        .args(["verify", "/etc/runit/service", "--root"])
        .arg(machine.path())
        .assert()
        .code(6)
        .stdout(predicate::function(|said: &str| {
            let names = said.lines().map(|line| line.split(": ").take(2).collect());
            let names: Vec<Vec<&str>> = names.collect();
            names
                == [
                    ["/etc/sv/w/run", "watchdog-reboots"],
                    ["/etc/init.d/xen", "store-stopped"],
                ]
        }));
}

#[test]
fn says_nothing_of_a_unit_that_systemd_never_reads() {
    let machine = tempfile::tempdir().unwrap();
    let (etc, lib) = ("etc/systemd/system", "usr/lib/systemd/system");
    for name in ["a", "b", "c", "d"] {
        let unit = format!("{lib}/xen-{name}.service");
        write(machine.path(), &unit, "[Service]\nKillMode=none\n");
    }
    write(
        machine.path(),
        &format!("{etc}/xen-b.service"),
        "[Service]\n",
    );
    let etc = machine.path().join(etc);
    symlink("/dev/null", etc.join("xen-a.service")).unwrap();
    // This one is no other.
    symlink(format!("/{lib}/xen-c.service"), etc.join("xen-c.service")).unwrap();
    let found = |folder: &[&str]| {
        let mut command = xen_units();
        command.arg("verify").args(folder).arg("--root");
        let output = command.arg(machine.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let name = |line: &str| line.split(['-', '.']).nth(1).unwrap().to_owned();
        text.lines().map(name).collect::<String>()
    };
    assert_eq!(found(&[]), "cd");
    // Whoever names a folder asks for what is in it.
    assert_eq!(found(&["/usr/lib/systemd/system"]), "abcd");
}
