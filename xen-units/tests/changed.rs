//! What somebody has changed, and what a run that was killed has left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use common::{copy_of, generate, generate_for, tree};

fn left(file: &Path) -> String {
    format!(
        "xen-units: {}: changed since xen-units wrote it, left as it is (overwrite it with \
         --force)\n",
        file.display()
    )
}

#[test]
fn keeps_what_was_changed_and_updates_the_rest() {
    let root = copy_of("debian-12");
    generate(root.path()).assert().success();
    let folder = root.path().join("etc/systemd/system");
    let unit = folder.join("xen-store.service");
    let hook = root.path().join("etc/initramfs-tools/hooks/xen-dom0");
    for file in [unit, hook] {
        let changed = fs::read_to_string(&file).unwrap() + "# mine\n";
        fs::write(&file, &changed).unwrap();
        let target = fs::read_to_string(folder.join("xen-dom0.target")).unwrap();
        for _ in 0..2 {
            generate(root.path())
                .arg("--watchdog")
                .assert()
                .success()
                .stdout("")
                .stderr(left(&file));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), changed);
        let updated = fs::read_to_string(folder.join("xen-dom0.target")).unwrap();
        assert_ne!(updated, target);
        generate(root.path())
            .arg("--force")
            .assert()
            .success()
            .stderr("");
        assert_eq!(fs::read_to_string(&file).unwrap() + "# mine\n", changed);
        let kept = format!("{}.bak", file.display());
        assert_eq!(fs::read_to_string(kept).unwrap(), changed);
    }
}

#[test]
fn keeps_a_link_that_has_taken_the_place_of_a_file() {
    let root = copy_of("debian-12");
    generate(root.path()).assert().success();
    let unit = root.path().join("etc/systemd/system/xen-qemu.service");
    fs::remove_file(&unit).unwrap();
    symlink("/dev/null", &unit).unwrap();
    generate(root.path()).assert().success().stderr(left(&unit));
    assert!(unit.is_symlink());
}

#[test]
fn keeps_the_mode_that_somebody_has_set() {
    let root = copy_of("debian-12");
    generate(root.path()).assert().success();
    let target = root.path().join("etc/systemd/system/xen-dom0.target");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    for arguments in [&[][..], &["--watchdog"]] {
        generate(root.path())
            .args(arguments)
            .assert()
            .success()
            .stderr("");
        let mode = fs::metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let text = fs::read_to_string(&target).unwrap();
    assert!(text.contains("xen-watchdog"));
}

#[test]
fn takes_nothing_away_that_was_changed() {
    let root = copy_of("debian-12");
    generate_for("runit", "/etc", root.path())
        .assert()
        .success();
    let folder = root.path().join("etc/sv/xen-store");
    let run = folder.join("run");
    fs::write(&run, "#!/bin/sh\n# mine\n").unwrap();
    for _ in 0..2 {
        generate(root.path()).assert().success().stderr(left(&run));
        let files: Vec<_> = tree(&folder).into_keys().collect();
        assert_eq!(files, [Path::new("run")]);
    }
    generate(root.path())
        .arg("--force")
        .assert()
        .success()
        .stderr("");
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
    s6().assert().success().stderr(left(&kind));
    s6().arg("--force").assert().success();
    assert_eq!(fs::read_to_string(&kind).unwrap(), "longrun\n");
    // As it was written, it is changed no more.
    fs::write(&kind, "oneshot\n").unwrap();
    s6().assert().success().stderr(left(&kind));
    fs::write(&kind, "longrun\n").unwrap();
    s6().assert().success().stderr("");
    fs::remove_file(root.path().join("etc/xen-dom0.manifest")).unwrap();
    s6().assert().success();
}

/// The list of what it writes is the first thing that it writes.
#[test]
fn takes_away_what_a_killed_run_had_written() {
    let root = copy_of("debian-12");
    let dry = generate_for("runit", "/etc", root.path())
        .arg("-n")
        .output()
        .unwrap();
    let script = String::from_utf8(dry.stdout).unwrap();
    let (first, _) = script.split_once("etc/sv/xen-console/run").unwrap();
    let (first, _) = first.rsplit_once("\ninstall ").unwrap();
    let status = std::process::Command::new("sh")
        .args(["-euc", first])
        .status();
    assert!(status.unwrap().success());
    let folder = root.path().join("etc/sv");
    assert!(folder.join("xen-store/run").exists());
    assert!(!folder.join("xen-console").exists());
    generate(root.path()).assert().success().stderr("");
    assert_eq!(tree(&folder).into_keys().next(), None);
    generate(root.path())
        .arg("-v")
        .assert()
        .success()
        .stderr("");
}
