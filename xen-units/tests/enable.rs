//! What enables the chain: made, taken back, refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{copy_of, generate_for, generate_to, tree};

/// A machine with the folders that runit and Debian's stage 3 look into.
fn machine() -> tempfile::TempDir {
    let root = copy_of("debian-12");
    for folder in ["etc/service", "etc/rc6.d"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    root
}

const TARGET: &str = "etc/systemd/system/multi-user.target.wants/xen-dom0.target";

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
