//! The program as a whole: lines and formats.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use predicates::str::contains;

/// The program for a PC and any release, whatever machine the test runs on.
fn params(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("xen-params");
    command
        .env_clear()
        .env("XEN_PARAMS_ARCH", "x86_64")
        .args(arguments);
    command
}

fn root(situation: &str) -> String {
    format!("{}/tests/roots/{situation}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn prints_the_line_that_was_asked_for() {
    params(&["--dom0-mem", "2048", "--dom0-mem-max", "4096", "--trace"])
        .args(["--dom0-max-vcpus", "1-4", "iommu=verbose", "noreboot"])
        .assert()
        .success()
        .stdout(
            "dom0_mem=2048M,max:4096M dom0_max_vcpus=1-4 loglvl=all guest_loglvl=all \
             iommu=verbose noreboot\n",
        )
        .stderr("");
}

#[test]
fn the_environment_gives_what_the_arguments_do_not() {
    let with_environment = |arguments: &[&str]| {
        let mut command = params(arguments);
        command
            .env("XEN_DOM0_MEM", "1024")
            .env("XEN_DOM0_MEM_MAX", "1G")
            .env("XEN_DOM0_MAX_VCPUS", "2")
            .env("XEN_TRACE", "yes")
            .env("XEN_BOOT_PARAMS", "'ucode=scan' noreboot");
        command
    };
    with_environment(&[]).assert().success().stdout(
        "dom0_mem=1024M,max:1G dom0_max_vcpus=2 loglvl=all guest_loglvl=all ucode=scan noreboot\n",
    );
    with_environment(&["--dom0-mem", "0", "--dom0-mem-max", "0", "--boot-params="])
        .env("XEN_TRACE", "off")
        .assert()
        .success()
        .stdout("dom0_max_vcpus=2\n");
}

#[test]
fn an_empty_variable_is_not_set() {
    let mut command = params(&["noreboot"]);
    for name in [
        "XEN_DOM0_MEM",
        "XEN_DOM0_MEM_MAX",
        "XEN_DOM0_MAX_VCPUS",
        "XEN_TRACE",
        "XEN_BOOT_PARAMS",
        "XEN_PARAMS_XEN",
        "XEN_PARAMS_FORMAT",
        "XEN_PARAMS_KERNEL",
    ] {
        command.env(name, "");
    }
    command.assert().success().stdout("noreboot\n").stderr("");
}

#[test]
fn a_variable_of_the_plain_form_never_fails_another() {
    params(&["list", "dom0_mem"])
        .env("XEN_TRACE", "banana")
        .env("XEN_PARAMS_FORMAT", "papyrus")
        .env("XEN_BOOT_PARAMS", "'")
        .assert()
        .success();
}

#[test]
fn a_wrong_variable_is_named_and_a_wrong_flag_is_not_blamed_on_it() {
    for (variable, value, flag) in [
        ("XEN_DOM0_MEM", "lots", "--dom0-mem=1G"),
        ("XEN_DOM0_MEM_MAX", "1G,2G", "--dom0-mem-max=1G"),
        ("XEN_DOM0_MAX_VCPUS", "8-4", "--dom0-max-vcpus=2"),
        ("XEN_TRACE", "banana", ""),
        ("XEN_PARAMS_FORMAT", "papyrus", "--format=plain"),
        ("XEN_PARAMS_XEN", "newest", "--xen=4.17"),
        ("XEN_PARAMS_SERIAL", "ttyS0", "--serial=com1"),
        ("XEN_BOOT_PARAMS", "'", "--boot-params=noreboot"),
    ] {
        let output = params(&["noreboot"])
            .env(variable, value)
            .assert()
            .code(6)
            .stdout("");
        let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(
            text.starts_with(&format!("xen-params: {variable}: ")),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
        if !flag.is_empty() {
            params(&[flag]).env(variable, value).assert().success();
        }
    }
    params(&["--format", "papyrus"])
        .env("XEN_PARAMS_FORMAT", "plain")
        .assert()
        .code(2);
}

#[test]
fn a_serial_console_is_set_up_by_its_port_and_speed() {
    for (serial, line) in [
        ("com1,115200", "com1=115200,8n1 console=com1,vga"),
        ("com2", "com2=115200,8n1 console=com2,vga"),
        (
            "com1,9600,8e1,0x2f8",
            "com1=9600,8e1,0x2f8 console=com1,vga",
        ),
    ] {
        params(&["--serial", serial])
            .assert()
            .success()
            .stdout(format!("{line}\n"))
            .stderr("");
    }
    params(&["--arch", "aarch64", "--serial", "dtuart"])
        .assert()
        .success()
        .stdout("console=dtuart\n");
    params(&["--serial", "com1,300"]).assert().code(2);
    params(&["--serial", "ttyS0"])
        .assert()
        .code(2)
        .stderr("xen-params: --serial: \"ttyS0\" is no port: com1 or com2 expected\n");
}

#[test]
fn a_line_is_put_on_top_of_another() {
    params(&["--from", "dom0_mem=1G watchdog noreboot=0"])
        .args(["--dom0-mem=2G,max:2G", "smt=off", "no-watchdog"])
        .assert()
        .success()
        .stdout("dom0_mem=2G,max:2G no-watchdog noreboot=0 smt=off\n")
        .stderr("");
    params(&["--from", "-", "smt=off"])
        .write_stdin("xen_commandline        : placeholder smt=on noreboot\n")
        .assert()
        .success()
        .stdout("smt=off noreboot\n");
}

#[test]
fn a_second_line_is_one_to_fall_back_on() {
    params(&[
        "--safe",
        "--serial",
        "com1",
        "--dom0-mem=1G,max:1G",
        "iommu=force",
    ])
    .assert()
    .success()
    .stdout(
        "dom0_mem=1G,max:1G com1=115200,8n1 console=com1,vga iommu=force\n\
             com1=115200,8n1 console=com1,vga loglvl=all guest_loglvl=all noreboot\n",
    );
}

#[test]
fn memory_without_a_maximum_is_warned_of() {
    params(&["--dom0-mem", "1024"])
        .assert()
        .success()
        .stdout("dom0_mem=1024M\n")
        .stderr(
            "xen-params: warning: dom0_mem=1024M: without max: Dom0 keeps tables for all of \
             the host's memory, and may grow into it\n",
        );
}

#[test]
fn a_release_beyond_the_table_is_told_of() {
    for (xen, taken) in [("3.0", "4.15"), ("4.99", "4.23")] {
        params(&["--xen", xen, "noreboot"])
            .assert()
            .success()
            .stdout("noreboot\n")
            .stderr(format!(
                "xen-params: warning: the table of options has Xen 4.15 to 4.23; {xen} is taken \
                 for {taken}\n"
            ));
    }
    params(&["--xen", "4.17", "noreboot"])
        .assert()
        .success()
        .stderr("");
}

#[test]
fn an_unknown_parameter_is_refused_with_the_name_that_was_meant() {
    params(&["iomu=verbose", "noreboot"])
        .assert()
        .code(2)
        .stdout("")
        .stderr("xen-params: iomu=verbose: Xen has no such option (did you mean iommu?)\n");
    params(&["--force", "iomu=verbose"])
        .assert()
        .success()
        .stdout("iomu=verbose\n")
        .stderr(
            "xen-params: warning: iomu=verbose: Xen has no such option (did you mean iommu?)\n",
        );
    params(&[])
        .env("XEN_BOOT_PARAMS", "iomu=verbose")
        .assert()
        .code(6)
        .stderr(
            "xen-params: XEN_BOOT_PARAMS: iomu=verbose: Xen has no such option \
             (did you mean iommu?)\n",
        );
}

#[test]
fn a_wrong_flag_is_not_blamed_on_the_variable() {
    params(&["--boot-params", "iomu=verbose"])
        .env("XEN_BOOT_PARAMS", "noreboot")
        .assert()
        .code(2)
        .stderr(
            "xen-params: --boot-params: iomu=verbose: Xen has no such option \
             (did you mean iommu?)\n",
        );
    params(&["--boot-params", "'"])
        .assert()
        .code(2)
        .stderr("xen-params: --boot-params: missing closing quote\n");
    params(&[])
        .env("XEN_BOOT_PARAMS", "'")
        .assert()
        .code(6)
        .stderr("xen-params: XEN_BOOT_PARAMS: missing closing quote\n");
}

#[test]
fn bad_sizes_and_counts_are_refused_in_one_line() {
    for arguments in [
        ["--dom0-mem", "lots"],
        ["--dom0-mem", "25%+1G"],
        ["--dom0-mem", "99999999999999999999"],
        ["--dom0-mem-max", "1G,2G"],
        ["--dom0-max-vcpus", "0"],
        ["--dom0-max-vcpus", "8-4"],
        ["--xen", "newest"],
        ["--format", "papyrus"],
    ] {
        let output = params(&arguments).assert().code(2).stdout("");
        let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("xen-params: "), "{text}");
    }
}

#[test]
fn what_no_xen_could_read_is_refused_even_by_force() {
    let long = "x".repeat(128);
    let many = "noreboot ".repeat(120);
    for param in ["a\tb", "noreboot -- quiet", &long, &many] {
        params(&["--force", param]).assert().code(2).stdout("");
    }
}

#[test]
fn a_size_in_kib_is_warned_of() {
    params(&["dom0_mem=512,max:1G"])
        .assert()
        .success()
        .stdout("dom0_mem=512,max:1G\n")
        .stderr(
            "xen-params: warning: dom0_mem=512,max:1G: 512 without a suffix is 512 KiB \
             (for MiB write 512M)\n",
        );
}

#[test]
fn another_machine_has_no_line() {
    params(&["--arch", "riscv64"]).assert().code(5).stderr(
        "xen-params: riscv64: no table of Xen's options for this machine \
         (only x86_64 and aarch64)\n",
    );
    params(&["--arch", "aarch64", "dtuart=/soc/uart"])
        .assert()
        .success();
}

#[test]
fn a_subcommand_s_name_after_other_words_is_explained() {
    params(&["--xen", "4.17", "lint"])
        .assert()
        .code(2)
        .stderr(contains("a subcommand stands before everything else"));
}

#[test]
fn the_running_hypervisor_decides_what_is_known() {
    let root = root("running-4.17");
    params(&["--root", &root, "wallclock=efi"])
        .assert()
        .code(2)
        .stderr("xen-params: wallclock=efi: since Xen 4.20, not in 4.17\n");
    for xen in ["all", "4.20"] {
        params(&["--root", &root, "--xen", xen, "wallclock=efi"])
            .assert()
            .success();
    }
    params(&["--xen-file", "/boot/xen-4.17-amd64.gz", "wallclock=efi"])
        .assert()
        .code(2);
}

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
