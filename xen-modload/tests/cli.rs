//! Reports, settings, statuses: the program itself over fake roots.

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use common::{check, modload, program, root};

#[test]
fn reports_what_every_name_comes_to() {
    let names = [
        "--report",
        "xen-evtchn",
        "netbk",
        "usbbk",
        "xen-netblock",
        "brigde",
        "nosuchmodule",
        "xen-pcifront",
        "netxen_nic",
        "configfs",
        "three",
        "evtchn",
    ];
    check(
        modload("dom0", &names),
        include_str!("expected/dom0-report.txt"),
        "",
        0,
    );
    let json = [&names[..], &["--json", "--require", "xen-netblock"]].concat();
    check(
        modload("dom0", &json),
        include_str!("expected/dom0-report.json"),
        "xen-modload: xen-netblock: did you mean xen-netback\n",
        5,
    );
}

#[test]
fn reports_what_the_kernel_has_already() {
    check(
        modload("running", &["--report"]),
        include_str!("expected/running-report.txt"),
        "",
        0,
    );
}

#[test]
fn only_required_names_decide_the_status() {
    let problem = "xen-modload: nosuchmodule: not in this kernel\n";
    let dry_run = |args: &[&str]| modload("dom0", &[&["-n", "nosuchmodule"], args].concat());
    check(dry_run(&[]), "", problem, 0);
    check(dry_run(&["--strict"]), "", problem, 5);
    check(dry_run(&["--require", "nosuchmodule"]), "", problem, 5);
    // What is required is wanted, whether or not it was listed.
    check(
        dry_run(&["--require", "dummy"]),
        "insmod /lib/modules/6.1.0-test/kernel/drivers/net/dummy.ko numdummies=0 \n",
        problem,
        0,
    );
    // A name of long ago is as required as its successor, in one answer.
    let absent = "(not in this kernel)";
    check(
        modload(
            "two-kernels",
            &["-n", "--kernel", "6.1.0-a", "evtchn", "gntdev", "pciback"],
        ),
        "",
        &format!(
            "xen-modload: pciback: obsolete, now xen-pciback {absent}\n\
             xen-modload: evtchn: obsolete, now xen-evtchn {absent}; \
             gntdev: obsolete, now xen-gntdev {absent}\n"
        ),
        5,
    );
    let blacklisted = modload("dom0", &["-n", "--strict", "radeonfb", "nosuchmodule"]);
    check(
        blacklisted,
        "",
        "xen-modload: radeonfb: blacklisted; nosuchmodule: not in this kernel\n",
        6,
    );
}

#[test]
fn settings_come_from_the_environment_and_flags_beat_them() {
    let mut command = modload("dom0", &["-n"]);
    command.env("XEN_MODULES", "nosuchmodule 'radeonfb'");
    command.env("XEN_MODLOAD_IGNORE_BLACKLIST", "yes");
    command.env("XEN_MODLOAD_REQUIRE", "nosuchmodule radeonfb");
    check(
        command,
        "insmod /lib/modules/6.1.0-test/kernel/drivers/video/fbdev/aty/radeonfb.ko \n",
        "xen-modload: nosuchmodule: not in this kernel\n",
        5,
    );
    let mut command = modload("dom0", &["-n", "dummy"]);
    command.env("XEN_MODULES", "nosuchmodule");
    command.env("XEN_MODLOAD_REQUIRE", "");
    command.env("XEN_MODLOAD_STRICT", "1");
    check(
        command,
        "insmod /lib/modules/6.1.0-test/kernel/drivers/net/dummy.ko numdummies=0 \n",
        "",
        0,
    );
}

#[test]
fn a_wrong_setting_is_named() {
    for (value, stderr) in [
        (
            "tun 'loop",
            "xen-modload: XEN_MODULES: missing closing quote\n",
        ),
        (
            "loop max_loop=8",
            "xen-modload: XEN_MODULES: max_loop=8 is an option, not a module (options go into modprobe.d)\n",
        ),
    ] {
        let mut command = modload("dom0", &["-n"]);
        command.env("XEN_MODULES", value);
        check(command, "", stderr, 6);
    }
    for (flag, stderr) in [
        (
            "",
            "xen-modload: XEN_MODLOAD_JOBS: invalid value 'many' for '--jobs <N>': invalid digit found in string\n",
        ),
        (
            "--jobs=some",
            "xen-modload: invalid value 'some' for '--jobs <N>': invalid digit found in string (see --help)\n",
        ),
    ] {
        let mut command = modload("dom0", &["-n"]);
        command.env("XEN_MODLOAD_JOBS", "many");
        command.args(Some(flag).filter(|flag| !flag.is_empty()));
        check(command, "", stderr, if flag.is_empty() { 6 } else { 2 });
    }
    for variable in ["XEN_MODULES", "XEN_MODLOAD_JOBS", "XEN_MODLOAD_STRICT"] {
        let mut command = modload("dom0", &["-n"]);
        command.env(variable, OsStr::from_bytes(b"tun \xff"));
        let line = format!("xen-modload: {variable}: not UTF-8\n");
        check(command, "", &line, 6);
    }
    let mut command = modload("dom0", &["-n"]);
    command.arg(OsStr::from_bytes(b"tun\xff"));
    command.env("XEN_MODLOAD_REQUIRE", OsStr::from_bytes(b"\xff"));
    let line = "xen-modload: invalid UTF-8 was detected in one or more arguments (see --help)\n";
    check(command, "", line, 2);
    let mut command = modload("dom0", &["-n"]);
    command.env("XEN_MODULES", " ");
    command.assert().success();
}

#[test]
fn wrong_use_is_one_line_and_status_2() {
    for (args, stderr) in [
        (
            &["--root", "/x"][..],
            "--root goes with --dry-run, --check or --report: modules are loaded where the kernel is (see --help)",
        ),
        (
            &["--kernel", "6.1"],
            "--kernel goes with --dry-run, --check or --report: modules are loaded into the kernel that runs (see --help)",
        ),
        (
            &["-n", "--kernel", "../x"],
            "--kernel: \"../x\" is no kernel release (see --help)",
        ),
        (
            &["-n", "loop", "max_loop=8"],
            "max_loop=8 is an option, not a module (options go into modprobe.d) (see --help)",
        ),
        (&["-n", ""], "\"\" is no module name (see --help)"),
        (
            &["--jobs", "0"],
            "invalid value '0' for '--jobs <N>': number would be zero for non-zero type (see --help)",
        ),
        (
            &["--bogus"],
            "unexpected argument '--bogus' found; tip: to pass '--bogus' as a value, use '-- --bogus' (see --help)",
        ),
        (
            &["--unload", "--report"],
            "the argument '--unload' cannot be used with '--report' (see --help)",
        ),
        (
            &["--check", "nosuch"],
            "--check does not go with a module's name (see --help)",
        ),
        (
            &["--check", "--jobs", "3"],
            "--check does not go with --jobs (see --help)",
        ),
        (
            &["--unload", "tun", "--ignore-blacklist"],
            "--unload does not go with --ignore-blacklist (see --help)",
        ),
    ] {
        let mut command = program();
        command.args(args);
        check(command, "", &format!("xen-modload: {stderr}\n"), 2);
    }
}

#[test]
fn checks_the_configuration_of_a_kernel_that_does_not_run() {
    check(
        modload("dom0", &["--check"]),
        include_str!("expected/dom0-check.txt"),
        "",
        0,
    );
    // What is set for loading is in nobody's way.
    let mut command = modload("dom0", &["--check"]);
    command
        .env("XEN_MODULES", "tun")
        .env("XEN_MODLOAD_STRICT", "1");
    check(command, include_str!("expected/dom0-check.txt"), "", 0);
    check(
        modload("poor-kernel", &["--check", "--json"]),
        include_str!("expected/poor-kernel-check.json"),
        "xen-modload: kernel 6.1.0-test lacks CONFIG_XEN_DOM0, CONFIG_X86_IO_APIC, CONFIG_ACPI, \
         CONFIG_PCI_XEN, CONFIG_XEN_COMPAT_XENFS, CONFIG_XEN_SYS_HYPERVISOR, CONFIG_XEN_BACKEND, \
         CONFIG_XEN_BALLOON, CONFIG_XEN_DEV_EVTCHN, CONFIG_XEN_GNTDEV, CONFIG_XEN_PRIVCMD, \
         CONFIG_XEN_NETDEV_BACKEND, CONFIG_XEN_BLKDEV_BACKEND, CONFIG_XEN_PCIDEV_BACKEND\n",
        5,
    );
    check(
        modload("cut-index", &["--check"]),
        "",
        &format!(
            "xen-modload: no configuration of kernel 6.1.0-test: none of \
             {0}/lib/modules/6.1.0-test/config, {0}/boot/config-6.1.0-test is there\n",
            root("cut-index").display()
        ),
        5,
    );
}

#[test]
fn unloading_is_shown_in_reverse_order() {
    check(
        modload(
            "dom0",
            &["-n", "--unload", "xenfs", "xen-backend:vif", "xenfs"],
        ),
        "rmmod xen_netback\nrmmod xenfs\n",
        "",
        0,
    );
    // Names are taken as for loading, and one that nobody knows is no command.
    check(
        modload("dom0", &["-n", "--unload", "netbk", "nosuchmodule"]),
        "rmmod xen_netback\n",
        "xen-modload: unload nosuchmodule: no such module\n",
        5,
    );
    // What the environment requires for loading is not named here.
    let mut command = modload("dom0", &["-n", "--unload", "xenfs"]);
    command.env("XEN_MODLOAD_REQUIRE", "xen-netback");
    check(command, "rmmod xenfs\n", "", 0);
}

#[test]
fn a_full_disk_is_an_error_with_a_status() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let status = std::process::Command::new(assert_cmd::cargo::cargo_bin!("xen-modload"))
        .arg("--root")
        .arg(root("dom0"))
        .args(["-n", "tun"])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn an_old_name_is_told_from_a_module_that_is_only_absent() {
    check(
        modload("running", &["-n", "xen-scsiback", "pciback"]),
        "",
        "xen-modload: xen-scsiback: not in this kernel\n\
         xen-modload: pciback: obsolete, now xen-pciback (not in this kernel)\n",
        0,
    );
}
