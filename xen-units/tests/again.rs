//! A second run: what it updates, takes away, enables and leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{copy_of, generate, generate_for, tree};
use predicates::prelude::*;

#[test]
fn takes_away_what_it_no_longer_writes() {
    let root = copy_of("debian-12");
    let run = |init: &str| generate_for(init, "/etc", root.path()).assert().success();
    run("runit");
    let folder = root.path().join("etc/sv/xen-store");
    assert!(folder.join("run").exists());
    run("systemd");
    assert!(!folder.exists());
    let unit = root.path().join("etc/systemd/system/xen-store.service");
    assert!(unit.exists());
    run("s6");
    assert!(!unit.exists());
    assert!(root.path().join("etc/s6-rc/sv/xen-dom0/type").exists());
}

#[test]
fn takes_nothing_away_that_was_changed() {
    let root = copy_of("debian-12");
    generate_for("runit", "/etc", root.path())
        .assert()
        .success();
    let run = root.path().join("etc/sv/xen-store/run");
    fs::write(&run, "#!/bin/sh\n# mine\n").unwrap();
    let before = tree(root.path());
    generate(root.path())
        .assert()
        .code(6)
        .stderr(predicate::str::contains("sv/xen-store/run: changed since"));
    assert_eq!(tree(root.path()), before);
    generate(root.path()).arg("--force").assert().success();
    assert!(!run.exists());
    let kept = fs::read_to_string(run.with_file_name("run.bak")).unwrap();
    assert_eq!(kept, "#!/bin/sh\n# mine\n");
}

/// A definition of s6-rc has no place for a mark of ours.
#[test]
fn knows_a_file_without_a_mark_by_its_list() {
    let root = copy_of("debian-12");
    let s6 = || generate_for("s6", "/etc", root.path());
    s6().assert().success();
    let kind = root.path().join("etc/s6-rc/sv/xen-store/type");
    fs::write(&kind, "oneshot\n").unwrap();
    s6().assert()
        .code(6)
        .stderr(predicate::str::contains("changed since"));
    s6().arg("--force").assert().success();
    assert_eq!(fs::read_to_string(&kind).unwrap(), "longrun\n");
    fs::remove_file(root.path().join("etc/xen-dom0.manifest")).unwrap();
    s6().assert().success();
}

#[test]
fn clears_what_a_killed_run_has_left_behind() {
    let root = copy_of("debian-12");
    generate(root.path()).assert().success();
    let folder = root.path().join("etc/systemd/system");
    // No process has a number above 4194304; the first always lives.
    let names = [
        "xen-store.service.4194305",
        "xen-store.service.1",
        "x.4194305",
    ];
    let paths = names.map(|name| folder.join(format!(".{name}.tmp")));
    for path in &paths {
        fs::write(path, "").unwrap();
    }
    generate(root.path()).assert().success();
    assert_eq!(paths.map(|path| path.exists()), [false, true, true]);
}

/// Debian's own scripts as its packages enable them.
fn enabled_by_debian() -> tempfile::TempDir {
    let root = copy_of("debian-12");
    let folder = root.path().join("etc/rc2.d");
    fs::create_dir_all(&folder).unwrap();
    symlink("../init.d/xen", folder.join("S02xen")).unwrap();
    root
}

#[test]
fn is_not_enabled_beside_another_chain() {
    let root = enabled_by_debian();
    let before = tree(root.path());
    generate(root.path())
        .arg("--enable")
        .assert()
        .code(6)
        .stdout("")
        .stderr(
            "xen-units: another chain is enabled: xen (/etc/rc2.d/S02xen) \
             (put it out of the way with --replace)\n",
        );
    assert_eq!(tree(root.path()), before);
}

#[test]
fn puts_another_chain_out_of_the_way_and_back() {
    let root = enabled_by_debian();
    let folder = root.path().join("etc/systemd/system");
    let mask = folder.join("xen.service");
    let link = folder.join("multi-user.target.wants/xen-dom0.target");
    for _ in 0..2 {
        generate(root.path())
            .args(["--enable", "--replace"])
            .assert()
            .success()
            .stderr("");
        assert_eq!(fs::read_link(&mask).unwrap(), Path::new("/dev/null"));
        let target = fs::read_link(&link).unwrap();
        assert_eq!(target, Path::new("/etc/systemd/system/xen-dom0.target"));
    }
    // A run without a word about it leaves it so.
    generate(root.path()).assert().success().stderr("");
    assert!(mask.is_symlink() && link.is_symlink());
    generate(root.path()).arg("--disable").assert().success();
    assert!(!mask.is_symlink() && !link.is_symlink());
}

#[test]
fn enables_by_the_links_of_each_init_system() {
    for (init, link, target) in [
        ("openrc", "runlevels/boot/xen-bridge", "init.d/xen-bridge"),
        ("openrc", "runlevels/default/xen-store", "init.d/xen-store"),
        ("runit", "service/xen-store", "sv/xen-store"),
        ("runit", "rc6.d/K00xen-dom0", "sv/xen-domains/last"),
        ("dinit", "dinit.d/boot.d/xen-dom0", "dinit.d/xen-dom0"),
    ] {
        let root = copy_of("debian-12");
        for folder in ["etc/service", "etc/rc6.d"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let run = || generate_for(init, "/etc", root.path());
        run().arg("--enable").assert().success();
        let link = root.path().join("etc").join(link);
        assert_eq!(
            fs::read_link(&link).unwrap(),
            Path::new("/etc").join(target)
        );
        run().arg("--disable").assert().success();
        assert!(!link.is_symlink(), "{init}");
    }
    for (init, words) in [
        ("s6", "add the bundle xen-dom0"),
        ("sysvinit", "not below --root"),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path())
            .arg("--enable")
            .assert()
            .code(5)
            .stderr(predicate::str::contains(words));
    }
}

#[test]
fn takes_links_of_openrc_away_and_puts_them_back() {
    let root = copy_of("debian-12");
    let link = root.path().join("etc/runlevels/default/xenstored");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("/etc/init.d/xenstored", &link).unwrap();
    let run = || generate_for("openrc", "/etc", root.path());
    run().arg("--enable").assert().code(6);
    run().args(["--enable", "--replace"]).assert().success();
    assert!(!link.is_symlink());
    run().arg("--disable").assert().success();
    assert_eq!(
        fs::read_link(&link).unwrap(),
        Path::new("/etc/init.d/xenstored")
    );
}

#[test]
fn starts_no_domains_where_libvirt_does() {
    let root = copy_of("debian-12");
    let link = root.path().join("etc/runlevels/default/libvirtd");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("/etc/init.d/libvirtd", &link).unwrap();
    let run = || generate_for("openrc", "/etc", root.path());
    run().assert().success().stderr(
        "xen-units: xen-domains is left out: libvirtd is enabled \
         (/etc/runlevels/default/libvirtd) and starts domains itself (--domains)\n",
    );
    let script = root.path().join("etc/init.d/xen-domains");
    assert!(!script.exists());
    run().arg("--domains").assert().success().stderr("");
    assert!(script.exists());
}
