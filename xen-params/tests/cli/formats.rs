//! The forms in which a line is printed.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use predicates::str::contains;

use crate::{params, root};

#[test]
fn prints_a_file_for_grub() {
    params(&[
        "--format",
        "grub",
        "--dom0-mem",
        "1024",
        "ivrs_hpet[0]=00:14.0",
    ])
    .assert()
    .success()
    .stdout(
        "# The command line of the Xen hypervisor, made by xen-params. After a\n\
             # change run update-grub. _DEFAULT is empty, so that nothing is added.\n\
             GRUB_CMDLINE_XEN='dom0_mem=1024M '\\''ivrs_hpet[0]=00:14.0'\\'''\n\
             GRUB_CMDLINE_XEN_DEFAULT=''\n",
    );
}

#[test]
fn a_second_line_that_a_format_has_no_place_for_is_told_of() {
    params(&["--format", "grub", "--safe", "smt=0"])
        .assert()
        .success()
        .stdout(contains("GRUB_CMDLINE_XEN='smt=0'\n"))
        .stderr(
            "xen-params: warning: --safe: grub-mkconfig has no place for a second line \
             (grub-entry has one)\n",
        );
}

#[test]
fn prints_a_xen_cfg_with_the_newest_kernel_that_can_be_a_dom0() {
    params(&["--root", &root("debian"), "--format", "efi"])
        .args(["--dom0-mem", "1024", "com1=115200,8n1", "console=com1"])
        .assert()
        .success()
        .stdout(
            "# Made by xen-params. The files are looked for beside xen.efi.\n\
             [global]\n\
             default=normal\n\
             \n\
             [normal]\n\
             options=dom0_mem=1024M com1=115200,8n1 console=com1\n\
             kernel=vmlinuz-6.1.0-10-amd64 root=/dev/sda1 ro quiet\n\
             ramdisk=initrd.img-6.1.0-10-amd64\n\
             \n\
             [safe]\n\
             options=com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot\n\
             kernel=vmlinuz-6.1.0-10-amd64 root=/dev/sda1 ro quiet\n\
             ramdisk=initrd.img-6.1.0-10-amd64\n",
        );
    params(&["--root", &root("no-hypervisor"), "--format", "efi"])
        .assert()
        .code(5)
        .stderr(contains("(name one with --kernel)"));
    params(&["--format", "efi", "--kernel", "k", "--linux-cmdline", ""])
        .arg("conswitch=#")
        .assert()
        .code(2)
        .stdout("");
}

#[test]
fn prints_json() {
    let output = params(&["--format", "json", "--xen", "4.17", "smt=0", "noreboot"])
        .assert()
        .success();
    let document: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(
        document,
        serde_json::json!({
            "arch": "x86_64",
            "xen": "4.17",
            "line": "smt=0 noreboot",
            "safe": "loglvl=all guest_loglvl=all noreboot",
            "options": [
                {"name": "smt", "value": "0"},
                {"name": "noreboot", "value": null},
            ],
            "findings": [],
        })
    );
}

#[test]
fn a_full_disk_and_a_closed_pipe_are_errors() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let closed = || {
        let (reader, writer) = UnixStream::pair().unwrap();
        drop(reader);
        Stdio::from(OwnedFd::from(writer))
    };
    let run = |stdout: Stdio| {
        std::process::Command::new(assert_cmd::cargo::cargo_bin!("xen-params"))
            .args(["--arch", "x86_64", "noreboot"])
            .env_clear()
            .stdin(File::open("/dev/null").unwrap())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    for (stdout, why) in [
        (Stdio::from(full), "No space left on device"),
        (closed(), "Broken pipe"),
    ] {
        let output = run(stdout);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.starts_with("xen-params: write to standard output: "),
            "{text}"
        );
        assert!(text.contains(why), "{text}");
    }
}

#[test]
fn a_kernel_s_line_that_xen_would_cut_is_refused() {
    let files = [
        "--kernel=vmlinuz",
        "--ramdisk=none",
        "--xen-file=/boot/xen.gz",
    ];
    let line = |length: usize| format!("--linux-cmdline={}", "x".repeat(length));
    // GRUB's placeholder reaches the kernel, the others' does not.
    for (format, most) in [("efi", 1023), ("grub-entry", 1011), ("limine", 1023)] {
        let written = |length| {
            let mut command = params(&["--format", format]);
            command.args(files).arg(line(length)).assert()
        };
        written(most).success().stderr("");
        written(most + 1).code(2).stdout("").stderr(
            "xen-params: --linux-cmdline: the line has 1024 bytes; Xen hands 1023 on to Dom0's \
             kernel\n",
        );
    }
}

#[test]
fn a_relative_name_is_found_from_the_folder_of_the_program() {
    let here = tempfile::tempdir().unwrap();
    // The folder above it may be a file system of its own.
    let name = here.path().file_name().unwrap().to_string_lossy();
    let files = ["--kernel=vmlinuz-1", "--ramdisk=none", "--xen-file=xen.gz"];
    params(&["--format", "grub-entry", "--linux-cmdline", "ro"])
        .args(files)
        .current_dir(here.path())
        .assert()
        .success()
        .stdout(contains(format!("/{name}/vmlinuz-1 placeholder ro\n")));
}

#[test]
fn an_option_of_xen_on_the_kernel_s_line_is_refused() {
    for format in ["efi", "grub-entry", "limine"] {
        params(&["--format", format, "--kernel=k", "--ramdisk=none"])
            .args(["--xen-file=xen.gz", "--linux-cmdline=ro smt=0"])
            .assert()
            .code(2)
            .stdout("")
            .stderr(
                "xen-params: --linux-cmdline: smt=0: an option of Xen: it belongs on the \
                 hypervisor's line\n",
            );
    }
}

#[test]
fn what_grub_adds_counts_for_the_length_of_a_line() {
    let files = [
        "--kernel=vmlinuz",
        "--ramdisk=none",
        "--xen-file=/boot/xen.gz",
        "--linux-cmdline=ro",
    ];
    // The last of it is cut to the length that is wanted.
    let line =
        |length: usize| "vcpu_migration_delay=0 ".repeat(50)[..length - 6].to_owned() + " smt=0";
    for format in ["grub", "grub-entry"] {
        let written = |length: usize| {
            let mut command = params(&["--format", format, "--force"]);
            command.args(files).arg(line(length)).assert()
        };
        written(990).success();
        written(991).code(2).stdout("").stderr(
            "xen-params: smt=0: the line has 1024 bytes with what GRUB's entries add; Xen keeps \
             1023 for xl info\n",
        );
    }
}
