//! A second run: what it updates, takes away, enables and leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{copy_of, generate, generate_for, tree, write};
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

/// The list of what was done is all it needs.
#[test]
fn is_disabled_where_nothing_could_be_written() {
    let root = enabled_by_debian();
    generate(root.path())
        .args(["--enable", "--replace"])
        .assert()
        .success();
    let unit = root.path().join("etc/systemd/system/xen-store.service");
    fs::write(&unit, "[Unit]\n").unwrap();
    fs::remove_dir_all(root.path().join("usr/lib/xen-4.17")).unwrap();
    fs::write(root.path().join("etc/default/xen-dom0"), "fi\n").unwrap();
    for _ in 0..2 {
        generate(root.path())
            .arg("--disable")
            .assert()
            .success()
            .stderr("");
        let folder = root.path().join("etc/systemd/system");
        assert!(!folder.join("xen.service").is_symlink());
        let wants = folder.join("multi-user.target.wants");
        assert!(!wants.join("xen-dom0.target").is_symlink());
        assert_eq!(fs::read_to_string(&unit).unwrap(), "[Unit]\n");
    }
}

/// systemd's masks stop nothing that another init system starts.
#[test]
fn sees_another_chain_behind_a_mask_of_another_init_system() {
    let root = enabled_by_debian();
    generate(root.path())
        .args(["--enable", "--replace"])
        .assert()
        .success();
    generate_for("sysvinit", "/etc", root.path())
        .arg("--enable")
        .assert()
        .code(6)
        .stderr(predicate::str::starts_with(
            "xen-units: another chain is enabled: xen (/etc/rc2.d/S02xen) ",
        ));
}

#[test]
fn sees_what_each_init_system_starts() {
    for (init, link) in [
        ("runit", "service/xenstored"),
        ("dinit", "etc/dinit.d/boot.d/xenstored"),
        ("openrc", "etc/runlevels/boot/xenstored"),
    ] {
        let root = copy_of("debian-12");
        let path = root.path().join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink("/opt/xenstored", &path).unwrap();
        generate_for(init, "/etc", root.path())
            .arg("--enable")
            .assert()
            .code(6)
            .stderr(format!(
                "xen-units: another chain is enabled: xenstored (/{link}) \
                 (put it out of the way with --replace)\n"
            ));
        let other = if init == "openrc" { "runit" } else { "openrc" };
        generate_for(other, "/etc", root.path())
            .assert()
            .success()
            .stderr("");
    }
}

/// By upstream's link ours of that name would be started, asked for or not.
#[test]
fn takes_the_link_of_upstreams_watchdog_away() {
    let root = copy_of("debian-12");
    let wants = root
        .path()
        .join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants).unwrap();
    let link = wants.join("xen-watchdog.service");
    let unit = "usr/lib/systemd/system/xen-watchdog.service";
    write(root.path(), unit, "[Service]\n");
    symlink(format!("/{unit}"), &link).unwrap();
    let run = || generate(root.path());
    run().arg("--enable").assert().code(6);
    run().args(["--enable", "--replace"]).assert().success();
    assert!(!link.is_symlink());
    // Ours, enabled, is no rival of ours.
    let wants = root.path().join("etc/systemd/system/xen-dom0.target.wants");
    fs::create_dir_all(&wants).unwrap();
    let link = wants.join("xen-watchdog.service");
    symlink("/etc/systemd/system/xen-watchdog.service", &link).unwrap();
    run().arg("--enable").assert().success().stderr("");
    assert!(link.is_symlink());
}

/// Only of that one has another chain a file where ours goes.
#[test]
fn replaces_the_script_of_another_watchdog_and_no_other_file() {
    let root = copy_of("debian-12");
    let script = root.path().join("etc/init.d/xen-watchdog");
    let link = root.path().join("etc/runlevels/default/xen-watchdog");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("/etc/init.d/xen-watchdog", &link).unwrap();
    let run = || generate_for("openrc", "/etc", root.path());
    let replace = ["--enable", "--replace", "--watchdog"];
    let other = root.path().join("etc/init.d/xen-store");
    fs::write(&other, "#!/bin/sh\n").unwrap();
    run().args(replace).assert().code(6);
    fs::remove_file(&other).unwrap();
    run().args(replace).assert().success().stderr("");
    let text = fs::read_to_string(&script).unwrap();
    assert!(text.contains("# Written by xen-units"));
    let kept = script.with_file_name("xen-watchdog.bak");
    assert_eq!(fs::read_to_string(kept).unwrap(), "#!/bin/sh\n");
    assert!(link.is_symlink());
    run().arg("--enable").assert().success().stderr("");
    run().arg("--disable").assert().success().stderr(
        "xen-units: /etc/init.d/xen-watchdog.bak is another chain's: put it back and enable it, \
         if it is to start again\n",
    );
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

/// systemctl mask leaves the links that enable.
#[test]
fn starts_the_domains_where_libvirt_is_masked() {
    let root = copy_of("debian-12");
    let folder = root.path().join("etc/systemd/system");
    for (wants, unit) in [("multi-user", "service"), ("sockets", "socket")] {
        let wants = folder.join(format!("{wants}.target.wants"));
        fs::create_dir_all(&wants).unwrap();
        let unit = format!("libvirtd.{unit}");
        symlink(
            Path::new("/usr/lib/systemd/system").join(&unit),
            wants.join(&unit),
        )
        .unwrap();
    }
    let unit = folder.join("xen-domains.service");
    let run = || generate(root.path()).assert().success();
    run().stderr(predicate::str::contains("libvirtd.service is enabled"));
    // Enabled by its socket it is started all the same.
    fs::remove_file(folder.join("multi-user.target.wants/libvirtd.service")).unwrap();
    run().stderr(predicate::str::contains("libvirtd.socket is enabled"));
    assert!(!unit.exists());
    symlink("/dev/null", folder.join("libvirtd.service")).unwrap();
    run().stderr("");
    assert!(unit.exists());
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
