//! What enables the chain: made, taken back, refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use assert_cmd::Command;
use common::{copy_of, generate, generate_for, generate_to, tree, write};
use predicates::prelude::*;

/// A machine with the folders that runit and Debian's stage 3 look into.
fn machine() -> tempfile::TempDir {
    let root = copy_of("debian-12");
    for folder in ["etc/service", "etc/rc6.d"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    root
}

fn enable(init: &str, root: &Path) -> Command {
    let mut command = generate_for(init, "/etc", root);
    command.arg("--enable");
    command
}

fn link(root: &Path, path: &str, target: &str) -> PathBuf {
    let link = root.join(path);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(target, &link).unwrap();
    link
}

const TARGET: &str = "etc/systemd/system/multi-user.target.wants/xen-dom0.target";

#[test]
fn takes_the_link_of_a_service_back_that_is_asked_for_no_more() {
    for (init, path) in [
        ("openrc", "etc/runlevels/default/xen-watchdog"),
        ("runit", "etc/service/xen-watchdog"),
    ] {
        let root = machine();
        let link = root.path().join(path);
        let mut first = enable(init, root.path());
        first
            .args(["--watchdog", "--xen", "4.20"])
            .assert()
            .success();
        assert!(link.is_symlink());
        // A run without a word about it leaves it so.
        let mut plain = generate_for(init, "/etc", root.path());
        plain.args(["--xen", "4.20"]).assert().success();
        assert!(link.is_symlink(), "{init}");
        let mut last = enable(init, root.path());
        last.args(["--xen", "4.20"]).assert().success();
        assert!(!link.is_symlink(), "{init}");
        assert!(link.with_file_name("xen-store").is_symlink());
    }
}

#[test]
fn takes_the_links_back_of_what_it_takes_away() {
    for (init, paths) in [
        ("openrc", &["etc/runlevels/default/xen-domains"][..]),
        (
            "runit",
            &["etc/service/xen-domains", "etc/rc6.d/K00xen-dom0"],
        ),
    ] {
        let root = machine();
        enable(init, root.path()).assert().success();
        let links: Vec<PathBuf> = paths.iter().map(|path| root.path().join(path)).collect();
        assert!(links.iter().all(|link| link.is_symlink()));
        link(
            root.path(),
            "etc/runlevels/default/libvirtd",
            "/etc/init.d/libvirtd",
        );
        generate_for(init, "/etc", root.path()).assert().success();
        assert!(!links.iter().any(|link| link.is_symlink()), "{init}");
    }
    let root = machine();
    enable("systemd", root.path()).assert().success();
    generate_for("openrc", "/etc", root.path())
        .assert()
        .success();
    assert!(!root.path().join(TARGET).is_symlink());
    // What somebody has changed stays, and its link with it.
    enable("systemd", root.path()).assert().success();
    write(
        root.path(),
        "etc/systemd/system/xen-dom0.target",
        "[Unit]\n",
    );
    generate_for("openrc", "/etc", root.path())
        .assert()
        .success();
    assert!(root.path().join(TARGET).is_symlink());
}

#[test]
fn takes_scripts_that_go_out_of_their_runlevels() {
    let root = copy_of("debian-12");
    let run = |init: &str| generate_for(init, "/etc", root.path()).assert().success();
    run("sysvinit");
    let start = link(root.path(), "etc/rc2.d/S03xen-store", "../init.d/xen-store");
    let stop = link(root.path(), "etc/rc6.d/K01xen-store", "../init.d/xen-store");
    let other = link(root.path(), "etc/rc2.d/S03cron", "../init.d/cron");
    run("sysvinit");
    assert!(start.is_symlink() && stop.is_symlink());
    run("systemd");
    assert!(!start.is_symlink() && !stop.is_symlink() && other.is_symlink());
}

/// The real program, in a root that this process has for its own.
#[test]
fn has_update_rc_d_forget_scripts_that_go() {
    let root = tempfile::tempdir().unwrap();
    let settings = "XENSTORED=/opt/oxenstored\nXENCONSOLED=/opt/xenconsoled\n";
    write(root.path(), "etc/default/xen-dom0", settings);
    fs::create_dir(root.path().join("opt")).unwrap();
    for path in ["opt/oxenstored", "opt/xenconsoled", "opt/xen-units"] {
        let program = assert_cmd::cargo::cargo_bin!("xen-units");
        let copied = Process::new("cp")
            .arg(program)
            .arg(root.path().join(path))
            .status();
        assert!(copied.unwrap().success());
    }
    let run = "/opt/xen-units generate --output /etc --bin-dir /usr/bin --init";
    let script = format!(
        "for d in bin sbin lib lib64; do ln -s usr/$d $0/$d; done
        for d in usr proc dev; do mkdir $0/$d; mount --rbind /$d $0/$d; done
        chroot $0 {run} sysvinit --enable; ls $0/etc/rc2.d; chroot $0 {run} systemd"
    );
    let output = Process::new("unshare")
        .args(["-m", "sh", "-euc", &script])
        .arg(root.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let links = String::from_utf8_lossy(&output.stdout);
    assert!(links.contains("xen-store\n"), "{links}");
    for level in ["0", "2", "6", "S"] {
        let folder = root.path().join(format!("etc/rc{level}.d"));
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{level}");
    }
}

#[test]
fn leads_its_links_to_absolute_paths() {
    for (init, path, target) in [
        (
            "openrc",
            "etc/runlevels/default/xen-store",
            "/etc/init.d/xen-store",
        ),
        ("runit", "etc/service/xen-store", "/etc/sv/xen-store"),
        ("systemd", TARGET, "/etc/systemd/system/xen-dom0.target"),
        (
            "dinit",
            "etc/dinit.d/boot.d/xen-dom0",
            "/etc/dinit.d/xen-dom0",
        ),
    ] {
        let root = machine();
        let mut command = generate_for(init, "etc", root.path());
        command.arg("--enable").assert().success();
        let found = fs::read_link(root.path().join(path)).unwrap();
        assert_eq!(found, Path::new(target));
    }
}

#[test]
fn enables_nothing_where_the_init_system_does_not_look() {
    for (init, output, only) in [
        ("systemd", "/opt/x", "/etc, /usr/local/lib, /usr/lib, /lib"),
        ("openrc", "/usr/lib", "/etc"),
        ("dinit", "/opt/x", "/etc, /usr/local/lib, /lib"),
    ] {
        let root = machine();
        let before = tree(root.path());
        let mut command = generate_for(init, output, root.path());
        command.arg("--enable").assert().code(5).stderr(format!(
            "xen-units: enable for {init}: {output} is nothing that it reads, only {only}\n"
        ));
        assert_eq!(tree(root.path()), before);
    }
    let root = machine();
    let mut command = generate_to("/usr/lib", root.path());
    command.arg("--enable").assert().success();
    let root = machine();
    symlink("usr/lib", root.path().join("lib")).unwrap();
    let mut command = generate_for("dinit", "/usr/lib", root.path());
    command.arg("--enable").assert().success();
}

#[test]
fn disables_what_others_have_enabled() {
    let unit = "/etc/systemd/system/xen-dom0.target";
    let root = copy_of("debian-12");
    generate(root.path()).assert().success();
    let by_systemctl = link(root.path(), TARGET, unit);
    let disable = |output: &str| {
        let mut command = generate_to(output, root.path());
        command.arg("--disable");
        command
    };
    disable("/etc")
        .arg("-v")
        .assert()
        .success()
        .stderr(format!("xen-units: removed {}\n", by_systemctl.display()));
    assert!(!by_systemctl.is_symlink());
    generate(root.path()).arg("--enable").assert().success();
    disable("/usr/lib").assert().success().stderr("");
    assert!(!by_systemctl.is_symlink());
    // A package's link is its own, and a link to somebody else's is theirs.
    let wants = "usr/lib/systemd/system/multi-user.target.wants/xen-dom0.target";
    let packaged = link(root.path(), wants, unit);
    disable("/etc").assert().code(6).stdout("").stderr(
        "xen-units: the chain is enabled still, by \
         /usr/lib/systemd/system/multi-user.target.wants/xen-dom0.target, which is left as it is\n",
    );
    assert!(packaged.is_symlink());
    let mask = "etc/systemd/system/xen-dom0.target";
    fs::remove_file(root.path().join(mask)).unwrap();
    link(root.path(), mask, "/dev/null");
    disable("/etc").assert().success().stderr("");
    let root = machine();
    generate_for("runit", "/etc", root.path())
        .assert()
        .success();
    let ours = link(root.path(), "etc/service/xen-store", "../sv/xen-store");
    write(root.path(), "etc/sv/mine/run", "#!/bin/sh\n");
    let theirs = link(root.path(), "etc/service/xen-console", "/etc/sv/mine");
    let mut command = generate_for("runit", "/etc", root.path());
    command.arg("--disable").assert().success();
    assert!(!ours.is_symlink() && theirs.is_symlink());
}

/// What would end a run half-way is seen before it begins.
#[test]
fn refuses_what_is_in_the_place_of_a_mask_or_a_link() {
    let root = copy_of("debian-12");
    let unit = "etc/systemd/system/xenstored.service";
    write(root.path(), unit, "[Unit]\n");
    let wants = "etc/systemd/system/multi-user.target.wants/xenstored.service";
    let wants = link(root.path(), wants, "/etc/systemd/system/xenstored.service");
    let before = tree(root.path());
    let run = || {
        let mut command = enable("systemd", root.path());
        command.arg("--replace");
        command.assert()
    };
    run().code(6).stderr(predicate::str::contains(
        "(its unit is in /etc/systemd/system, where the mask would be: disable it with \
         systemctl, or move it away)\n",
    ));
    assert_eq!(tree(root.path()), before);
    fs::remove_file(wants).unwrap();
    write(root.path(), TARGET, "[Unit]\n");
    run().code(6).stderr(format!(
        "xen-units: /{TARGET}: in the place of a link that enables the chain: move it away\n"
    ));
    assert!(!root.path().join("etc/xen-dom0.manifest").exists());
    fs::remove_file(root.path().join(TARGET)).unwrap();
    // One that leads to a file of ours by another name is made anew.
    generate(root.path()).assert().success();
    let link = link(root.path(), TARGET, "../xen-dom0.target");
    run().success();
    assert_eq!(
        fs::read_link(link).unwrap(),
        Path::new("/etc/systemd/system/xen-dom0.target")
    );
}
