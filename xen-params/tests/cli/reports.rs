//! The forms that report: lint, explain, list, diff.

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::params;

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
        .code(6)
        .stdout(
            "error: ucode=scna: \"scna\" does not fit (did you mean scan?): it takes [no-]scan, \
             [no-]nmi, [no-]digest-check, [no-]allow-same or a number\n",
        );
    params(&["lint", "noreboot", "smt=off"])
        .assert()
        .success()
        .stdout("");
    params(&["lint", "--strict", "conring_size=64 conring_size=64k x"])
        .assert()
        .code(6)
        .stderr("xen-params: 1 error and 2 warnings found\n");
    params(&["lint", "--strict", "conring_size=64"])
        .assert()
        .code(6)
        .stderr("xen-params: 1 warning found\n");
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
fn a_file_of_the_current_folder_needs_no_slash_unless_it_is_named_as_an_option() {
    let folder = tempfile::tempdir().unwrap();
    let lint = |word: &str| {
        std::fs::write(folder.path().join(word), "smt=x\n").unwrap();
        params(&["lint", word])
            .current_dir(folder.path())
            .assert()
            .get_output()
            .stdout
            .clone()
    };
    assert!(lint("defaults").starts_with(b"defaults:1: error: smt=x: "));
    assert_eq!(lint("noreboot"), b"");
}

#[test]
fn explain_foretells_what_dom0_gets() {
    params(&["explain", "--host-mem=64G", "dom0_mem=1G+25%,max:8G"])
        .assert()
        .success()
        .stdout(contains(
            "  1G+25%,max:8G: 1 GiB and 25 % of the host's memory, at most 8 GiB\n  \
             on a host where 64 GiB are free once Xen runs: 8 GiB, never more\n",
        ));
    let output = params(&["explain", "--json", "--host-mem=4096", "dom0_mem=-1G"])
        .assert()
        .success();
    let document: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(document[0]["value"]["memory"], 3_u64 << 30);
    assert_eq!(document[0]["value"]["memory_max"], serde_json::Value::Null);
    params(&["explain", "--host-mem=lots", "dom0_mem=1G"])
        .assert()
        .code(2)
        .stderr(contains("--host-mem"));
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
    params(&[
        "explain",
        "--cpus=16",
        "dom0_max_vcpus=4-8",
        "conring_size=64k",
    ])
    .assert()
    .success()
    .stdout(
        "dom0_max_vcpus\n  \
               How many virtual processors Dom0 has\n  \
               takes:    <int>[-[<int>]] | -<int>\n  \
               machines: x86\n  \
               4-8: as the host has, at least 4, at most 8\n  \
               on a host with 16: 8\n\
             \n\
             conring_size\n  \
               The size of the ring that holds Xen's messages for xl dmesg\n  \
               takes:    a size: a number with T, G, M, K or B\n  \
               default:  16k\n  \
               machines: all\n  \
               64k: 64 KiB\n",
    );
    params(&["explain", "smt=off", "sched=credit"])
        .assert()
        .success()
        .stdout(contains("  off: no\n").and(contains("  credit: is taken so\n")));
    // A line in quotes is as good as its words.
    params(&["explain", "smt=off sched=credit"])
        .assert()
        .success()
        .stdout(contains("  off: no\n").and(contains("  credit: is taken so\n")));
    params(&["explain", " "])
        .assert()
        .code(2)
        .stderr("xen-params: \" \": the name of an option expected (see --help)\n");
    params(&["explain", "--cpus=0", "dom0_max_vcpus=1"])
        .assert()
        .code(2);
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
fn explain_tells_what_no_before_a_name_means() {
    for (option, told) in [
        ("no-smt", "  no-smt: no\n"),
        ("no-iommu", "  no-iommu: is taken so\n"),
        (
            "no-smt=0",
            "  no-smt=0: yes\n  no-smt=0: no- and =0 are two answers; Xen takes them together\n",
        ),
        ("no-sched", "  no-sched: Xen ignores the no- before sched\n"),
        (
            "no-dom0_mem",
            "  no-dom0_mem: \"no\" is no amount of memory",
        ),
        (
            "no-dom0_mem=4G",
            "  machines: x86\n  no-dom0_mem=4G: takes no value after no-\n",
        ),
    ] {
        params(&["explain", option])
            .assert()
            .success()
            .stdout(contains(told));
    }
    let output = params(&["explain", "--json", "no-smt"]).assert().success();
    let document: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(document[0]["value"]["text"], "no");
}

#[test]
fn an_option_with_an_index_is_shown_as_it_is_written() {
    for option in ["ivrs_ioapic", "ivrs_ioapic[4]", "ivrs_ioapic[4]=00:14.0"] {
        params(&["explain", option])
            .assert()
            .success()
            .stdout(predicates::str::starts_with("ivrs_ioapic[N]=\n"));
    }
    params(&["list", "ivrs_ioapic"])
        .assert()
        .success()
        .stdout(predicates::str::starts_with("ivrs_ioapic[N]=  "));
    params(&["lint", "ivrs_ioapic[4]"])
        .assert()
        .code(6)
        .stdout("error: ivrs_ioapic[4]: Xen has no such option (did you mean ivrs_ioapic[N]=?)\n");
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
    // What GRUB's scripts put there where firmware is UEFI.
    params(&["diff", "-", "dom0_mem=1G,max:1G"])
        .write_stdin("xen_commandline : placeholder dom0_mem=1G,max:1G no-real-mode edd=off\n")
        .assert()
        .success()
        .stdout("");
    let json = |b| {
        let diff = params(&["diff", "--json", "smt=0 noreboot", b]).assert();
        let output = diff.get_output();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), document)
    };
    assert_eq!(json("noreboot no-smt"), (Some(0), serde_json::json!([])));
    let different = serde_json::json!([
        {"name": "smt", "a": ["smt=0"], "b": ["no-smt=0"]},
        {"name": "noreboot", "a": ["noreboot"], "b": []},
    ]);
    assert_eq!(json("no-smt=0"), (Some(6), different));
    params(&["diff", "-", "-"]).assert().code(2);
}
