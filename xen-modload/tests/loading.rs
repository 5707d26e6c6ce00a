//! Loading itself: what the kernel is asked, and what is made of its answers.

mod machine;
mod outcome;

use std::fs;
use std::path::Path;

use machine::Machine;
use outcome::assert_outcome;

const XENFS: &str = "kernel/xen-privcmd.ko:\n\
    kernel/xenfs.ko: kernel/xen-privcmd.ko\n\
    kernel/tun.ko:\n";

const LOADS: &[&str] = &["finit_module:retval=0"];

#[test]
fn loads_what_a_module_needs_before_it_and_each_once() {
    let machine = Machine::new(XENFS);
    let outcome = machine.run(LOADS, &["-v", "xenfs", "tun", "xen-privcmd", "xenfs"]);
    assert_outcome(
        &outcome,
        "xen-modload: loaded xen_privcmd\n\
         xen-modload: loaded xenfs\n\
         xen-modload: loaded tun\n",
        0,
    );
    assert_eq!(outcome.calls.matches("finit_module(").count(), 3);
}

#[test]
fn is_silent_when_all_is_well() {
    let outcome = Machine::new(XENFS).run(LOADS, &["xenfs", "tun"]);
    assert_outcome(&outcome, "", 0);
}

#[test]
fn gives_a_module_its_options() {
    let machine = Machine::new(XENFS);
    machine.write("etc/modprobe.d/a.conf", b"options tun a=1 b=\"x y\"\n");
    let outcome = machine.run(LOADS, &["tun"]);
    assert_outcome(&outcome, "", 0);
    assert!(
        outcome.calls.contains(r#""a=1 b=\"x y\"", 0)"#),
        "{}",
        outcome.calls
    );
}

#[test]
fn reads_no_index_when_all_is_loaded_already() {
    let machine = Machine::new(XENFS);
    machine.write(
        "proc/modules",
        b"xenfs 1 1 - Live 0x0\nxen_privcmd 1 1 xenfs, Live 0x0\n",
    );
    fs::create_dir_all(machine.root.path().join("sys/module/tun")).unwrap();
    let outcome = machine.run(LOADS, &["xenfs", "xen-privcmd", "tun"]);
    assert_outcome(&outcome, "", 0);
    assert!(!outcome.calls.contains("finit_module"));
    assert!(!outcome.calls.contains("modules.dep"));
    assert!(!outcome.calls.contains("modprobe.d"));
}

#[test]
fn off_xen_nothing_is_changed() {
    let machine = Machine::new(XENFS);
    fs::remove_dir_all(machine.root.path().join("proc/xen")).unwrap();
    for args in [&["tun"][..], &["--report", "tun"]] {
        let outcome = machine.run(LOADS, args);
        assert_outcome(&outcome, "xen-modload: not running under Xen\n", 5);
        assert!(!outcome.calls.contains("finit_module"));
    }
    machine.write("sys/hypervisor/type", b"xen\n");
    assert_outcome(&machine.run(LOADS, &["tun"]), "", 0);
}

#[test]
fn tells_the_kernels_answers_apart() {
    let machine = Machine::new(XENFS);
    for (errno, words, status) in [
        ("ENODEV", "no such device", 5),
        (
            "ENOENT",
            "failed: ENOENT, unknown symbol: a module that it needs is missing or another build",
            1,
        ),
        (
            "ENOEXEC",
            "failed: ENOEXEC, not built for this kernel, or not a module",
            1,
        ),
        (
            "EKEYREJECTED",
            "failed: EKEYREJECTED, its signature is not one this kernel trusts",
            1,
        ),
        ("EPERM", "failed: EPERM, not permitted", 4),
        (
            "EEXIST",
            "failed: EEXIST, the kernel says that it is there, and it is not",
            1,
        ),
    ] {
        let inject = format!("finit_module:error={errno}");
        let outcome = machine.run(&[&inject], &["tun", "--require", "tun"]);
        assert_outcome(&outcome, &format!("xen-modload: tun: {words}\n"), status);
        // What is not required only gets its line, but a lacking right is none
        // of the module's business.
        let outcome = machine.run(&[&inject], &["tun"]);
        let status = if errno == "EPERM" { 4 } else { 0 };
        assert_outcome(&outcome, &format!("xen-modload: tun: {words}\n"), status);
    }
}

#[test]
fn names_the_module_that_another_needs_and_that_fails() {
    let machine = Machine::new(XENFS);
    let outcome = machine.run(
        &["finit_module:error=ENOEXEC:when=1"],
        &["--strict", "xenfs"],
    );
    let line = "xen-modload: xenfs: failed: ENOEXEC, not built for this kernel, or not a module \
         (of xen_privcmd, which it needs)\n";
    assert_outcome(&outcome, line, 1);
    assert_eq!(outcome.calls.matches("finit_module(").count(), 1);
}

#[test]
fn somebody_else_who_was_first_is_believed_when_it_is_seen() {
    let machine = Machine::new("kernel/tun.ko:\nkernel/helper.ko:\n");
    // The install line of a module that tun wants first plays the other.
    machine.write(
        "etc/modprobe.d/a.conf",
        b"softdep tun pre: helper\n\
          install helper echo 'tun 1 0 - Live 0x0' > /proc/modules\n",
    );
    let outcome = machine.run(
        &["finit_module:error=EEXIST"],
        &["--report", "--strict", "tun"],
    );
    assert_eq!(outcome.stdout, "tun  already loaded\n");
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
}

#[test]
fn an_install_line_is_run_with_its_options_and_looked_after() {
    let machine = Machine::new(XENFS);
    machine.write(
        "etc/modprobe.d/a.conf",
        b"options tun a=1\n\
          install tun echo said $CMDLINE_OPTS; echo \"$MODPROBE_MODULE 1 0 - Live 0x0\" >/proc/modules\n\
          install xenfs echo nothing done\n",
    );
    let outcome = machine.run(LOADS, &["--report", "tun", "xenfs"]);
    assert_eq!(
        outcome.stdout,
        "tun    loaded\n\
         xenfs  failed: its install line ended well but did not load it\n"
    );
    assert_eq!(outcome.stderr, "said a=1\nnothing done\n");
    assert_eq!(outcome.status, Some(0));
    // Only what the module needs was loaded by the program itself.
    assert_eq!(outcome.calls.matches("finit_module(").count(), 1);
}

#[test]
fn an_install_line_whose_name_no_module_has_need_load_none() {
    let machine = Machine::new(XENFS);
    machine.write(
        "etc/modprobe.d/a.conf",
        b"install mynet exit 0\ninstall other exit 3\n",
    );
    let outcome = machine.run(LOADS, &["--strict", "--report", "mynet"]);
    assert_eq!(outcome.stdout, "mynet  ran its install line\n");
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
    let outcome = machine.run(LOADS, &["--strict", "other"]);
    let line = "xen-modload: other: failed: its line in modprobe.d ended with status 3: exit 3\n";
    assert_outcome(&outcome, line, 1);
}

#[test]
fn a_compressed_module_is_left_to_a_kernel_that_can() {
    let machine = Machine::new("kernel/nbd.ko.xz:\n");
    let file = machine.modules.join("kernel/nbd.ko.xz");
    let packed = include_bytes!("compressed/module.xz");
    machine.write(file.to_str().unwrap(), packed);
    let inject = &["finit_module:retval=0", "init_module:retval=0"];
    machine.write("sys/module/compression", b"xz\n");
    let outcome = machine.run(inject, &["nbd"]);
    assert_outcome(&outcome, "", 0);
    let calls = &outcome.calls;
    assert!(
        calls.contains(" finit_module(") && calls.contains("\"\", 0x4)"),
        "{calls}"
    );
    assert!(!calls.contains(" init_module("), "{calls}");

    for unable in ["zstd\n", ""] {
        machine.write("sys/module/compression", unable.as_bytes());
        let outcome = machine.run(inject, &["nbd"]);
        assert_outcome(&outcome, "", 0);
        let calls = &outcome.calls;
        assert!(
            calls.contains(" init_module(") && calls.contains(", 7, \"\")"),
            "{calls}"
        );
        assert!(!calls.contains(" finit_module("), "{calls}");
    }
}

#[test]
fn a_module_that_cannot_be_unpacked_or_opened_is_named() {
    let machine = Machine::new("kernel/nbd.ko.xz:\nkernel/tun.ko:\n");
    let folder = machine.root.path().join(&machine.modules).join("kernel");
    fs::remove_file(folder.join("tun.ko")).unwrap();
    let outcome = machine.run(LOADS, &["nbd", "tun"]);
    let place = Path::new("/").join(&machine.modules).join("kernel");
    let lines = format!(
        "xen-modload: nbd: failed: decompress {0}/nbd.ko.xz: damaged\n\
         xen-modload: tun: failed: ENOENT, open {0}/tun.ko: No such file or directory (os error 2)\n",
        place.display()
    );
    assert_outcome(&outcome, &lines, 0);
}
