//! Unloading: in which order, what is in the way, and what is left alone.

mod machine;
mod outcome;

use std::fs;

use machine::Machine;
use outcome::assert_outcome;

const XENFS: &str = "kernel/xen-privcmd.ko:\n\
    kernel/xenfs.ko: kernel/xen-privcmd.ko\n\
    kernel/tun.ko:\n";

const UNLOADS: &[&str] = &["delete_module:retval=0"];

#[test]
fn unloads_in_reverse_order_and_names_those_who_use_the_rest() {
    let machine = Machine::new(XENFS);
    machine.write(
        "proc/modules",
        b"tun 1 2 - Live 0x0\nxenfs 1 0 - Live 0x0\nxen_privcmd 1 1 xenfs, Live 0x0\n",
    );
    let inject = &["delete_module:retval=0"];
    let args = ["-v", "--unload", "tun", "xen-privcmd", "xenfs"];
    let outcome = machine.run(inject, &args);
    assert_outcome(
        &outcome,
        "xen-modload: unloaded xenfs\n\
         xen-modload: unloaded xen_privcmd\n\
         xen-modload: unload tun: in use, 2 times\n",
        1,
    );
    let outcome = machine.run(inject, &["--unload", "xen-privcmd"]);
    assert_outcome(
        &outcome,
        "xen-modload: unload xen_privcmd: in use by xenfs\n",
        1,
    );
    machine.write("proc/modules", b"");
    let outcome = machine.run(inject, &["--unload", "xen-privcmd", "xenfs"]);
    assert_outcome(&outcome, "", 0);
    let outcome = machine.run(inject, &["--unload", "xenfs", "xenfz"]);
    assert_outcome(&outcome, "xen-modload: unload xenfz: no such module\n", 5);
    // A loaded module has its name without an index, as where the kernel was
    // replaced and its folder is gone.
    fs::remove_dir_all(machine.root.path().join("lib/modules")).unwrap();
    machine.write("proc/modules", b"xen_netback 1 0 - Live 0x0\n");
    let outcome = machine.run(inject, &["-v", "--unload", "netbk"]);
    assert_outcome(&outcome, "xen-modload: unloaded xen_netback\n", 0);
}

#[test]
fn a_module_that_goes_while_it_is_unloaded_is_gone() {
    let machine = Machine::new(XENFS);
    machine.write("proc/modules", b"tun 1 0 - Live 0x0\n");
    for (answer, stderr, status) in [
        ("error=ENOENT", "", 0),
        ("error=EAGAIN", "xen-modload: unload tun: in use\n", 1),
    ] {
        let inject = format!("delete_module:{answer}");
        let outcome = machine.run(&[&inject], &["--unload", "tun"]);
        assert_outcome(&outcome, stderr, status);
    }
}

#[test]
fn without_the_right_it_is_unloading_that_is_not_permitted() {
    let machine = Machine::new(XENFS);
    machine.write("proc/self/status", b"Name:\tx\nCapEff:\t0000000000000000\n");
    machine.write(
        "proc/modules",
        b"tun 1 0 - Live 0x0\nxenfs 1 0 - Live 0x0\n",
    );
    let outcome = machine.run(
        &["delete_module:error=EPERM"],
        &["--unload", "tun", "xenfs"],
    );
    let line = "xen-modload: unload xenfs: not permitted: this process lacks CAP_SYS_MODULE\n";
    assert_outcome(&outcome, line, 4);
    assert_eq!(outcome.calls.matches("delete_module(").count(), 1);
}

#[test]
fn what_has_no_way_out_is_told_from_what_is_in_use() {
    let machine = Machine::new(XENFS);
    machine.write("proc/modules", b"tun 1 1 [permanent], Live 0x0\n");
    for args in [
        &["--unload", "tun"][..],
        &["-n", "--unload", "tun"],
        &["--unload"],
    ] {
        let outcome = machine.run(UNLOADS, args);
        let line = "xen-modload: unload tun: it cannot be unloaded (permanent)\n";
        assert_outcome(&outcome, line, 1);
        assert!(!outcome.calls.contains("delete_module("));
    }
}

#[test]
fn what_is_built_in_is_named_if_it_was_asked_for() {
    let machine = Machine::new(XENFS);
    let list = machine.modules.join("modules.builtin");
    machine.write(
        list.to_str().unwrap(),
        b"kernel/configfs.ko\nkernel/loop.ko\n",
    );
    fs::create_dir_all(machine.root.path().join("sys/module/tun")).unwrap();
    for args in [
        &["--unload", "tun", "configfs"][..],
        &["-n", "--unload", "tun", "configfs"],
    ] {
        let outcome = machine.run(UNLOADS, args);
        let line = "xen-modload: unload configfs: built in; unload tun: built in\n";
        assert_outcome(&outcome, line, 1);
    }
    assert_outcome(&machine.run(UNLOADS, &["--unload"]), "", 0);
}

#[test]
fn a_remove_line_is_run_and_looked_after() {
    let machine = Machine::new(XENFS);
    machine.write(
        "etc/modprobe.d/a.conf",
        b"remove mynet echo down\n\
          remove tun echo nothing\n\
          remove xenfs exit 3\n",
    );
    let modules = b"tun 1 0 - Live 0x0\nxenfs 1 0 - Live 0x0\n";
    machine.write("proc/modules", modules);
    let outcome = machine.run(UNLOADS, &["-v", "--unload", "xenfs", "tun", "mynet"]);
    assert_outcome(
        &outcome,
        "down\n\
         xen-modload: ran echo down\n\
         nothing\n\
         xen-modload: ran echo nothing\n\
         xen-modload: unload tun: its remove line ended well, but it is still loaded; \
         unload xenfs: its line in modprobe.d ended with status 3: exit 3\n",
        1,
    );
    machine.write(
        "etc/modprobe.d/a.conf",
        b"remove tun echo > /proc/modules\n",
    );
    assert_outcome(&machine.run(UNLOADS, &["--unload", "tun"]), "", 0);
    // A line for many names makes none of them known.
    machine.write("etc/modprobe.d/a.conf", b"remove xen* echo never\n");
    let outcome = machine.run(UNLOADS, &["--unload", "xen-nosuch"]);
    let line = "xen-modload: unload xen_nosuch: no such module\n";
    assert_outcome(&outcome, line, 5);
}

#[test]
fn the_dry_run_leaves_out_what_is_not_loaded() {
    let machine = Machine::new(XENFS);
    machine.write(
        "etc/modprobe.d/a.conf",
        b"remove mynet echo down\nremove tun echo nothing\n",
    );
    machine.write("proc/modules", b"xenfs 1 0 - Live 0x0\n");
    let args = ["-n", "--unload", "xen-privcmd", "xenfs", "tun", "mynet"];
    let outcome = machine.run(UNLOADS, &args);
    assert_eq!(outcome.stdout, "echo down\nrmmod xenfs\n");
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
}

#[test]
fn a_name_that_cannot_be_told_keeps_no_other() {
    let machine = Machine::new(XENFS);
    let cut = "kernel/tun.ko:\nkernel/xenfs.ko: kernel/xen-pri";
    let index = machine.modules.join("modules.dep");
    machine.write(index.to_str().unwrap(), cut.as_bytes());
    machine.write("proc/modules", b"tun 1 0 - Live 0x0\n");
    let outcome = machine.run(UNLOADS, &["-v", "--unload", "tun", "xenfs"]);
    let why = format!("/{}: cut off in the line of xenfs", index.display());
    let lines = format!("xen-modload: unloaded tun\nxen-modload: unload xenfs: {why}\n");
    assert_outcome(&outcome, &lines, 6);
}
