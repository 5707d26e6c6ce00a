//! The forms that report: lint, explain, list, diff.

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

#[test]
fn lint_tells_what_is_wrong() {
    params(&["lint", "dom0_mem=512,max:1G iomu=1"])
        .assert()
        .code(6)
        .stdout(
            "warning: dom0_mem=512,max:1G: 512 without a suffix is 512 KiB (for MiB write 512M)\n\
             error: iomu=1: Xen has no such option (did you mean iommu?)\n",
        )
        .stderr("xen-params: 1 error found\n");
    params(&["lint", "noreboot ucode=scna dom0_mem=1G,max:1G"])
        .assert()
        .success()
        .stdout("hint: ucode=scna: value not checked\n")
        .stderr("");
    params(&["--help"])
        .assert()
        .success()
        .stdout(contains("any other is taken as it is"));
    params(&["lint", "noreboot", "smt=off"])
        .assert()
        .success()
        .stdout("");
    params(&["lint", "--strict", "conring_size=64"])
        .assert()
        .code(6);
}

#[test]
fn lint_reads_what_xl_info_prints() {
    let info = "release                : 6.1.0\nxen_commandline        : placeholder smt=x\n";
    params(&["lint", "-"])
        .write_stdin(info)
        .assert()
        .code(6)
        .stdout("error: smt=x: \"x\" is neither yes on true enable 1 nor no off false disable 0\n");
    params(&["lint"])
        .write_stdin("noreboot\nsmt=x\n")
        .assert()
        .code(6)
        .stdout(contains("line 2: error: smt=x"));
    let output = params(&["lint", "--json", "a=1"]).assert().code(6);
    let document: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(document[0]["findings"][0]["code"], "unknown");
    assert_eq!(document[0]["line"], "a=1");
}

#[test]
fn lint_takes_garbage_as_a_line() {
    params(&["lint"])
        .write_stdin(vec![0xff, 0x00, b' ', 0xfe, b'='])
        .assert()
        .code(6);
}

#[test]
fn explain_tells_what_an_option_and_its_value_mean() {
    params(&["explain", "dom0_max_vcpus=4-8", "conring_size=64k"])
        .assert()
        .success()
        .stdout(
            "dom0_max_vcpus\n  \
               How many virtual processors Dom0 has\n  \
               takes:    <integer> ; = <min>-<max> (either may be omitted)\n  \
               machines: all\n  \
               4-8: as the host has, at least 4, at most 8\n\
             \n\
             conring_size\n  \
               The size of the ring that holds Xen's messages for xl dmesg\n  \
               takes:    a size: a number with T, G, M, K or B\n  \
               default:  16k\n  \
               machines: all\n  \
               64k: 64 KiB\n",
        );
    params(&["explain", "dom0-mem"])
        .assert()
        .code(5)
        .stderr("xen-params: dom0-mem: Xen has no such option (did you mean dom0_mem?)\n");
    for option in ["", "=1"] {
        params(&["explain", option])
            .assert()
            .code(2)
            .stderr(format!(
                "xen-params: {option:?}: the name of an option expected (see --help)\n"
            ));
    }
}

#[test]
fn list_shows_what_the_target_knows() {
    params(&["list", "wallclock"])
        .assert()
        .success()
        .stdout("wallclock  The clock that the time of day is taken from\n");
    params(&["list", "--xen", "4.17", "wallclock"])
        .assert()
        .code(5)
        .stderr("xen-params: no option of Xen matches wallclock\n");
    params(&["list", "--json", "dom0_mem"])
        .assert()
        .success()
        .stdout(contains("\"parser\": \"custom\""));
}

#[test]
fn diff_tells_in_what_two_lines_differ() {
    params(&["diff", "smt=0 noreboot", "placeholder noreboot smt=0"])
        .assert()
        .success()
        .stdout("");
    params(&["diff", "smt=0", "-"])
        .write_stdin("xen_commandline : smt=1 noreboot\n")
        .assert()
        .code(6)
        .stdout("-smt=0\n+smt=1\n+noreboot\n")
        .stderr("xen-params: the lines differ\n");
    params(&["diff", "-", "-"]).assert().code(2);
}
