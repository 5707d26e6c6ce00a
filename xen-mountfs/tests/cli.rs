//! Runs the program over fake roots, each named for its situation.

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::{contains, ends_with};

fn program() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("xen-mountfs");
    command
        .env_remove("XEN_MOUNTFS_DEVICES")
        .env_remove("XEN_MOUNTFS_TARGET");
    command
}

fn under(root: &str, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .args(arguments)
        .arg("--root")
        .arg(format!("{}/tests/roots/{root}", env!("CARGO_MANIFEST_DIR")));
    command
}

/// Status, the whole of stdout, the whole of stderr.
fn expect(mut command: Command, status: i32, stdout: &str, stderr: &str) {
    command
        .assert()
        .code(status)
        .stdout(stdout.to_owned())
        .stderr(stderr.to_owned());
}

#[test]
fn finds_a_dom0_in_silence() {
    expect(under("dom0", &["--check"]), 0, "", "");
}

#[test]
fn takes_a_target_that_does_not_begin_with_a_slash() {
    expect(
        under("dom0", &["--check", "--target", "proc/xen"]),
        0,
        "",
        "",
    );
}

#[test]
fn has_nothing_to_do_where_xenfs_is_mounted() {
    expect(under("dom0", &["--dry-run"]), 0, "", "");
    expect(under("mounted-twice", &["--dry-run"]), 0, "", "");
}

#[test]
fn mounts_and_looks_where_nothing_is_mounted() {
    expect(
        under("not-mounted", &["-n"]),
        0,
        "mount -t xenfs -o nosuid,nodev,noexec xenfs /proc/xen\n\
         grep -q control_d /proc/xen/capabilities\n",
        "",
    );
}

#[test]
fn check_tells_not_mounted_from_not_xen_and_guest() {
    expect(
        under("not-mounted", &["--check"]),
        5,
        "",
        "xen-mountfs: xenfs is not mounted on /proc/xen\n",
    );
    expect(
        under("not-xen", &["--check"]),
        5,
        "",
        "xen-mountfs: not running under Xen\n",
    );
    expect(
        under("guest", &["--check"]),
        5,
        "",
        "xen-mountfs: this is a Xen guest, not a Dom0: no control_d in /proc/xen/capabilities\n",
    );
}

#[test]
fn names_the_option_that_the_kernel_lacks() {
    expect(
        under("no-compat-xenfs", &["--check"]),
        5,
        "",
        "xen-mountfs: /proc/xen: no such folder: \
         this kernel has no CONFIG_XEN_COMPAT_XENFS\n",
    );
}

#[test]
fn does_not_blame_the_kernel_where_there_is_no_proc() {
    for arguments in [&["--check"][..], &["-n"], &["-n", "--unmount"]] {
        let mut command = under("no-proc", arguments);
        let line = contains("/proc is not mounted below ").and(ends_with("/no-proc\n"));
        command.assert().code(5).stdout("").stderr(line);
    }
}

#[test]
fn does_not_blame_a_driver_where_there_is_no_sys() {
    let line = contains("/sys is not mounted below ").and(ends_with("/no-sys\n"));
    let mut command = under("no-sys", &["--check", "--devices"]);
    command.assert().code(5).stdout("").stderr(line);
    expect(under("no-sys", &["--check"]), 0, "", "");
}

#[test]
fn says_that_xenfs_is_mounted_twice_if_asked() {
    let line = "xen-mountfs: xenfs is mounted twice on /proc/xen\n";
    for arguments in [&["--check", "-v"][..], &["-n", "-v"]] {
        expect(under("mounted-twice", arguments), 0, "", line);
    }
    expect(under("mounted-twice", &["--check"]), 0, "", "");
    expect(under("dom0", &["--check", "-v"]), 0, "", "");
}

#[test]
fn tells_a_target_that_is_no_folder_from_none() {
    let target = ["--check", "--target", "/proc/self/mountinfo"];
    expect(
        under("not-mounted", &target),
        6,
        "",
        "xen-mountfs: /proc/self/mountinfo: this is not a folder\n",
    );
    expect(
        under("not-mounted", &["--check", "--target", "/a\nb\u{1b}[m"]),
        5,
        "",
        "xen-mountfs: /a\\nb\\u{1b}[m: no such folder\n",
    );
}

#[test]
fn keeps_each_byte_of_the_target_in_a_dry_run() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = tempfile::tempdir().unwrap();
    let target = std::ffi::OsStr::from_bytes(b"/\xfc");
    std::fs::create_dir_all(root.path().join(std::ffi::OsStr::from_bytes(b"\xfc"))).unwrap();
    std::fs::create_dir_all(root.path().join("proc/xen")).unwrap();
    std::fs::create_dir_all(root.path().join("proc/self")).unwrap();
    std::fs::write(root.path().join("proc/self/mountinfo"), "").unwrap();
    let mut command = program();
    command.arg("-n").arg("--target").arg(target);
    let assert = command.arg("--root").arg(root.path()).assert().success();
    let commands = assert.get_output().stdout.escape_ascii().to_string();
    assert!(commands.contains(r"xenfs \'/\xfc\'\ngrep"), "{commands}");
}

#[test]
fn refuses_a_target_that_something_else_covers() {
    for root in ["covered", "covered-by-a-move"] {
        for arguments in [&["--check"][..], &["-n"], &["-n", "--unmount"]] {
            expect(
                under(root, arguments),
                6,
                "",
                "xen-mountfs: /proc/xen: tmpfs is mounted there, not xenfs\n",
            );
        }
    }
}

#[test]
fn is_not_mounted_where_it_cannot_be_met() {
    for root in ["proc-of-its-own", "unmounted-meanwhile"] {
        expect(
            under(root, &["--check"]),
            5,
            "",
            "xen-mountfs: xenfs is not mounted on /proc/xen\n",
        );
        expect(
            under(root, &["-n"]),
            0,
            "mount -t xenfs -o nosuid,nodev,noexec xenfs /proc/xen\n\
             grep -q control_d /proc/xen/capabilities\n",
            "",
        );
    }
    expect(under("proc-of-its-own", &["-n", "--unmount"]), 0, "", "");
}

#[test]
fn unmounts_every_layer_and_nothing_where_none_is() {
    expect(
        under("mounted-twice", &["-n", "--unmount"]),
        0,
        "umount /proc/xen\numount /proc/xen\n",
        "",
    );
    expect(under("not-mounted", &["-n", "--unmount"]), 0, "", "");
}

#[test]
fn makes_the_nodes_that_drivers_offer() {
    expect(
        under("no-nodes", &["-n", "--devices"]),
        0,
        "mkdir -p -m 755 /dev/xen\n\
         mknod -m 600 /dev/xen/evtchn c 10 122\n\
         mknod -m 600 /dev/xen/gntdev c 10 121\n\
         mknod -m 600 /dev/xen/privcmd c 10 120\n\
         mknod -m 600 /dev/xen/xenbus c 10 125\n\
         mknod -m 600 /dev/xen/hypercall c 10 119\n",
        "",
    );
}

#[test]
fn check_names_the_first_missing_node() {
    expect(
        under("no-nodes", &["--check", "--devices"]),
        5,
        "",
        "xen-mountfs: /dev/xen/evtchn: no such device node\n",
    );
}

#[test]
fn says_which_driver_is_missing() {
    expect(
        under("dom0", &["--check", "--devices"]),
        5,
        "",
        "xen-mountfs: /dev/xen/evtchn: no driver for it is loaded (run xen-modload)\n",
    );
}

#[test]
fn replaces_a_wrong_node_only_if_told_to() {
    expect(
        under("wrong-node", &["-n", "--devices"]),
        6,
        "",
        "xen-mountfs: /dev/xen/gntdev: is a file, not character device 10:121 \
         (replace it with --force)\n",
    );
    under("wrong-node", &["-n", "--devices", "--force"])
        .assert()
        .success()
        .stdout(contains(
            "rm -f /dev/xen/gntdev\nmknod -m 600 /dev/xen/gntdev c 10 121\n",
        ));
}

#[test]
fn replaces_no_folder_even_if_told_to() {
    for arguments in [&["-n", "--devices"][..], &["-n", "--devices", "--force"]] {
        expect(
            under("folder-for-node", arguments),
            6,
            "",
            "xen-mountfs: /dev/xen/evtchn: is a folder, not character device 10:122\n",
        );
    }
}

#[test]
fn refuses_a_file_where_the_folder_of_the_nodes_should_be() {
    let mut command = under("file-for-folder", &["-n", "--devices"]);
    command
        .assert()
        .code(6)
        .stdout("")
        .stderr(contains("/dev/xen: this is not a folder\n"));
}

#[test]
fn refuses_a_device_number_it_cannot_read() {
    under("garbage-number", &["-n", "--devices"])
        .assert()
        .code(6)
        .stderr(contains("\"ten\" is no device number\n"));
}

#[test]
fn off_xen_nothing_is_done_and_one_line_says_so() {
    for arguments in [&[][..], &["--check"], &["--unmount"], &["--devices"]] {
        let mut command = program();
        command.args(arguments);
        expect(command, 5, "", "xen-mountfs: not running under Xen\n");
    }
}

#[test]
fn refuses_a_root_for_what_only_a_kernel_can_do() {
    expect(
        under("not-mounted", &[]),
        2,
        "",
        "xen-mountfs: --root goes with --check or --dry-run: \
         a mount is made where the kernel is (see --help)\n",
    );
}

#[test]
fn an_empty_variable_is_not_set_and_a_wrong_one_is_refused() {
    let mut command = under("no-nodes", &["--check"]);
    command.env("XEN_MOUNTFS_DEVICES", "");
    expect(command, 0, "", "");

    let mut command = under("no-nodes", &["--check"]);
    command.env("XEN_MOUNTFS_DEVICES", "maybe");
    expect(
        command,
        6,
        "",
        "xen-mountfs: XEN_MOUNTFS_DEVICES: 'maybe': value was not a boolean\n",
    );
}

#[test]
fn names_the_variable_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = under("no-nodes", &["--check"]);
    command.env("XEN_MOUNTFS_DEVICES", std::ffi::OsStr::from_bytes(b"\xff"));
    expect(
        command,
        6,
        "",
        "xen-mountfs: XEN_MOUNTFS_DEVICES: '\u{fffd}': not UTF-8\n",
    );
}

#[test]
fn a_variable_is_taken_and_a_flag_beats_it() {
    let mut command = under("no-nodes", &["--check"]);
    command.env("XEN_MOUNTFS_DEVICES", "yes");
    command.assert().code(5);

    let mut command = under("dom0", &["--check", "--target", "/proc/xen"]);
    command.env("XEN_MOUNTFS_TARGET", "/nowhere");
    expect(command, 0, "", "");
}

#[test]
fn a_full_disk_is_an_error_with_a_status() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("xen-mountfs"));
    let output = command
        .args(["-n", "--root"])
        .arg(format!(
            "{}/tests/roots/not-mounted",
            env!("CARGO_MANIFEST_DIR")
        ))
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "xen-mountfs: write to standard output: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_wrong_flag_is_blamed_where_the_variable_is_wrong_too() {
    let mut command = under("no-nodes", &["--check", "--no-such"]);
    command.env("XEN_MOUNTFS_DEVICES", "maybe");
    command.assert().code(2);
}
