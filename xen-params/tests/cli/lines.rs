//! The line, and what forbids one.

use predicates::str::contains;

use crate::{params, root};

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
    for (memory, line) in [
        (&["--dom0-mem-max=8G"][..], "dom0_mem=4G,max:8G smt=0"),
        (&["dom0_mem=min:1G"], "dom0_mem=4G,max:4G,min:1G smt=0"),
        (&["--dom0-mem=0"], "smt=0"),
        (
            &["--dom0-mem=0", "--dom0-mem-max=8G"],
            "smt=0 dom0_mem=max:8G",
        ),
    ] {
        params(&["--from", "dom0_mem=4G,max:4G smt=0"])
            .args(memory)
            .assert()
            .success()
            .stdout(format!("{line}\n"))
            .stderr("");
    }
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
