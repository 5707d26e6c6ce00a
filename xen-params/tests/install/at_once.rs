//! Several installations at once.

use std::fs;
use std::process::{Command as Process, Stdio};

use assert_cmd::cargo::cargo_bin;

use crate::{copy, install, read, write};

/// Starts one for each of the lines, and waits until all are done well.
fn at_once(root: &std::path::Path, place: &[&str], lines: &[&str]) {
    let started: Vec<_> = lines
        .iter()
        .map(|line| {
            Process::new(cargo_bin!("xen-params"))
                .env_clear()
                .args(["install", "--arch", "x86_64", "--root"])
                .arg(root)
                .args(place)
                .args(line.split(' '))
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
    }
}

#[test]
fn two_installs_at_once_leave_a_folder_that_takes_a_third() {
    let root = copy("debian");
    for _ in 0..20 {
        at_once(
            root.path(),
            &["--dir", "/srv/system"],
            &["smt=0", "smt=0 ucode=scan", "noreboot", "loglvl=info"],
        );
        install(root.path(), &["loglvl=all"])
            .assert()
            .success()
            .stderr("");
        fs::remove_dir_all(root.path().join("srv/system")).unwrap();
    }
}

#[test]
fn two_entries_at_once_lose_nothing_of_the_file_that_they_share() {
    let root = copy("debian");
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    for _ in 0..10 {
        let place = ["--boot-entry", "grub"];
        at_once(root.path(), &place, &["smt=0", "noreboot", "loglvl=info"]);
        let whole = read(root.path(), "etc/default/grub");
        assert!(whole.starts_with("GRUB_TIMEOUT=5\n# BEGIN xen-params "));
        assert_eq!(whole.matches("# BEGIN xen-params ").count(), 1);
        at_once(root.path(), &place, &["loglvl=all"]);
    }
}
