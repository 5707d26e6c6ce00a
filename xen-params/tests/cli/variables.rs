//! Settings that come by variables, and whom a wrong one is blamed on.

use crate::{params, root};

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
fn a_wrong_setting_of_a_boot_file_is_blamed_on_its_variable() {
    let root = root("debian");
    let kernel = "XEN_PARAMS_KERNEL";
    let cmdline = "XEN_PARAMS_LINUX_CMDLINE";
    for (format, variable, value, flag, what) in [
        (
            "efi",
            kernel,
            "/boot/a b",
            "--kernel",
            "\"a b\": in xen.cfg a space ends a file's name",
        ),
        (
            "efi",
            cmdline,
            "root=LABEL=a#b",
            "--linux-cmdline",
            "\"root=LABEL=a#b\": in xen.cfg # begins a comment, even inside a word",
        ),
        (
            "efi",
            "XEN_PARAMS_RAMDISK",
            "/boot/é",
            "--ramdisk",
            "\"é\": xen.cfg cannot carry 'é', only printable ASCII",
        ),
        (
            "grub-entry",
            cmdline,
            "a='b'",
            "--linux-cmdline",
            "a='b': GRUB does not hand quotes, backslashes and letters beyond ASCII on as they are",
        ),
        (
            "limine",
            cmdline,
            "a=${b}",
            "--linux-cmdline",
            "\"a=${b}\": limine.conf has a meaning of its own for ${",
        ),
        (
            "limine",
            kernel,
            "/boot/a#b",
            "--kernel",
            "\"/boot/a#b\": in limine.conf # in a path begins a checksum",
        ),
    ] {
        let arguments = ["--root", &root, "--format", format];
        params(&arguments)
            .env(variable, value)
            .assert()
            .code(6)
            .stdout("")
            .stderr(format!("xen-params: {variable}: {what}\n"));
        params(&arguments)
            .args([flag, value])
            .assert()
            .code(2)
            .stderr(format!("xen-params: {flag}: {what}\n"));
    }
}

#[test]
fn an_option_that_a_file_cannot_carry_is_blamed_on_what_gave_it() {
    let root = root("debian");
    let what = "in xen.cfg # begins a comment, even inside a word\n";
    let arguments = ["--root", &root, "--format", "efi"];
    params(&arguments)
        .env("XEN_BOOT_PARAMS", "conswitch=#")
        .assert()
        .code(6)
        .stderr(format!("xen-params: XEN_BOOT_PARAMS: conswitch=#: {what}"));
    params(&arguments)
        .arg("conswitch=#")
        .assert()
        .code(2)
        .stderr(format!("xen-params: conswitch=#: {what}"));
}
