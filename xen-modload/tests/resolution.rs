//! What the dry run prints: which modules a name stands for, what they need,
//! and what modprobe.d says about them.

mod common;

use common::{check, modload, root};

/// What the dry run of one name prints, paths without their common beginning.
#[track_caller]
fn shown(situation: &str, args: &[&str]) -> Vec<String> {
    let mut command = modload(situation, &[&["-n"], args].concat());
    let output = command.output().expect("the program can be run");
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.replace("/lib/modules/6.1.0-test/kernel/", "");
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn lists_what_loads_the_dom0_set() {
    check(
        modload("dom0", &["--dry-run"]),
        include_str!("expected/dom0-dry-run.txt"),
        "xen-modload: xen-gntalloc: blacklisted\n",
        0,
    );
}

#[test]
fn finds_a_module_by_either_spelling() {
    let line = ["insmod drivers/net/xen-netback/xen-netback.ko max_queues=2 "];
    assert_eq!(shown("dom0", &["xen-netback"]), line);
    assert_eq!(shown("dom0", &["xen_netback"]), line);
}

#[test]
fn finds_a_module_by_a_modalias() {
    let netback = ["insmod drivers/net/xen-netback/xen-netback.ko max_queues=2 "];
    assert_eq!(shown("dom0", &["xen-backend:vif"]), netback);
    assert_eq!(
        shown("dom0", &["crc32c"]),
        [
            "insmod arch/x86/crypto/crc32c-intel.ko ",
            "insmod crypto/crc32c_generic.ko "
        ]
    );
}

#[test]
fn finds_what_is_built_in_by_name_and_by_modalias() {
    assert_eq!(shown("dom0", &["configfs"]), ["builtin configfs"]);
    assert_eq!(shown("dom0", &["platform:rtc_cmos"]), ["builtin rtc_cmos"]);
    assert_eq!(shown("dom0", &["fs-debugfs"]), ["builtin debugfs"]);
}

#[test]
fn finds_a_module_by_a_symbol_and_by_an_alias_of_modprobe_d() {
    let bridge = [
        "insmod net/llc/llc.ko ",
        "insmod net/802/stp.ko ",
        "insmod net/bridge/bridge.ko ",
    ];
    assert_eq!(shown("dom0", &["symbol:br_port_flag_is_set"]), bridge);
    assert_eq!(shown("dom0", &["our-bridge"]), bridge);
}

#[test]
fn an_earlier_folder_hides_a_file_of_the_same_name() {
    assert_eq!(
        shown("dom0", &["dummy"]),
        ["insmod drivers/net/dummy.ko numdummies=0 "]
    );
    assert_eq!(
        shown("dom0", &["tun"])[0],
        "insmod drivers/net/tun.ko from=local "
    );
}

#[test]
fn what_a_module_wants_after_it_comes_after_it() {
    assert_eq!(
        shown("dom0", &["tun"])[1..],
        [
            "insmod net/llc/llc.ko ",
            "insmod net/802/stp.ko ",
            "insmod net/bridge/bridge.ko "
        ]
    );
}

#[test]
fn soft_dependencies_in_a_ring_come_to_an_end() {
    assert_eq!(
        shown("dom0", &["two"]),
        ["insmod fs/one.ko ", "insmod fs/two.ko "]
    );
}

#[test]
fn an_install_line_is_shown_and_can_be_ignored() {
    assert_eq!(
        shown("dom0", &["nbd"]),
        ["install /sbin/modprobe --ignore-install nbd $CMDLINE_OPTS && echo ready nbds_max=4 "]
    );
    assert_eq!(
        shown("dom0", &["nbd", "--ignore-install"]),
        ["insmod drivers/block/nbd.ko.xz nbds_max=4 "]
    );
}

#[test]
fn a_blacklisted_name_is_not_loaded_unless_asked() {
    check(
        modload("dom0", &["-n", "radeonfb"]),
        "",
        "xen-modload: radeonfb: blacklisted\n",
        0,
    );
    assert_eq!(
        shown("dom0", &["--ignore-blacklist", "radeonfb"]),
        ["insmod drivers/video/fbdev/aty/radeonfb.ko "]
    );
    // A modalias names nobody: there the blacklist always counts.
    let by_alias = ["--ignore-blacklist", "fb:rad"];
    assert!(shown("dom0", &by_alias).is_empty());
}

#[test]
fn all_the_names_of_the_system_replaced_are_answered_for() {
    let mut command = modload("dom0", &["-n"]);
    command.env("XEN_MODULES", include_str!("expected/old-names.txt"));
    check(
        command,
        include_str!("expected/old-names-dry-run.txt"),
        include_str!("expected/old-names-problems.txt"),
        0,
    );
}

#[test]
fn below_a_root_the_only_kernel_is_meant() {
    let folder = root("two-kernels").join("lib/modules");
    let folder = folder.display();
    let which = format!("xen-modload: 6.1.0-a, 6.12.0-b below {folder} (choose with --kernel)\n");
    check(modload("two-kernels", &["-n", "tun"]), "", &which, 5);
    let nowhere = root("nothing-there").join("lib/modules");
    let none = format!(
        "xen-modload: no kernel below {} (choose with --kernel)\n",
        nowhere.display()
    );
    check(modload("nothing-there", &["-n", "tun"]), "", &none, 5);
    let absent = format!("xen-modload: no modules of kernel 6.6: {folder}/6.6 is not there\n");
    let other = modload("two-kernels", &["-n", "--kernel", "6.6", "tun"]);
    check(other, "", &absent, 5);
    let named = modload("two-kernels", &["-n", "--kernel", "6.1.0-a", "tun"]);
    check(named, "", "xen-modload: tun: not in this kernel\n", 0);
}

#[test]
fn a_damaged_index_never_says_that_there_is_no_such_module() {
    let tun = "insmod /lib/modules/6.1.0-test/kernel/drivers/net/tun.ko \n";
    let hint = "(run depmod 6.1.0-test)";
    for (situation, name, stdout, what) in [
        ("cut-index", "tun", tun, String::new()),
        (
            "cut-index",
            "xenfs",
            "",
            "cut off in the line of xenfs".to_owned(),
        ),
        (
            "cut-index",
            "loop",
            "",
            format!("cut off in its last line {hint}"),
        ),
        ("garbage-index", "tun", tun, String::new()),
        (
            "garbage-index",
            "loop",
            "",
            format!("line 1 names no module {hint}"),
        ),
        ("no-depmod", "tun", "", format!("no such file {hint}")),
        ("no-depmod", "loop", "builtin loop\n", String::new()),
        (
            "empty-index",
            "tun",
            "",
            format!("empty, though modules.order names modules {hint}"),
        ),
    ] {
        let place = root(situation).join("lib/modules/6.1.0-test/modules.dep");
        let place = place.display();
        let (stderr, status) = match what.as_str() {
            "" => (String::new(), 0),
            what => (format!("xen-modload: {name}: failed: {place}: {what}\n"), 6),
        };
        check(modload(situation, &["-n", name]), stdout, &stderr, status);
    }
}

#[test]
fn a_line_that_modprobe_does_not_know_is_passed_over_and_named() {
    let file = root("odd-modprobe.d").join("etc/modprobe.d/odd.conf");
    let lines = [(1, "frobnicate"), (2, "options"), (4, "alias")].map(|(line, start)| {
        let place = file.display();
        format!("xen-modload: {place} line {line}: passed over, starts with {start:?}\n")
    });
    check(
        modload("odd-modprobe.d", &["-n", "tun"]),
        "insmod /lib/modules/6.1.0-test/kernel/drivers/net/tun.ko a=1 \n",
        &lines.concat(),
        0,
    );
}
