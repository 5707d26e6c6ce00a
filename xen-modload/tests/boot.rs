//! What is amiss and must not cost a boot: all that can be loaded is.

mod machine;
mod outcome;

use std::fs;
use std::os::unix::fs::symlink;

use machine::{Machine, Outcome};
use outcome::assert_outcome;

const LOADS: &[&str] = &["finit_module:retval=0"];

/// Which module each call of finit_module was for is not seen, but how many.
fn loads(outcome: &Outcome) -> usize {
    outcome.calls.matches(" finit_module(").count()
}

#[test]
fn a_file_of_modprobe_d_that_cannot_be_read_costs_no_module() {
    let machine = Machine::new("kernel/tun.ko:\nkernel/loop.ko:\n");
    let folder = machine.root.path().join("etc/modprobe.d");
    machine.write("etc/modprobe.d/c.conf", b"blacklist loop\n");
    symlink("b.conf", folder.join("b.conf")).unwrap();
    let unread =
        "xen-modload: /etc/modprobe.d/b.conf: Too many levels of symbolic links (os error 40)";
    let outcome = machine.run(LOADS, &["tun"]);
    assert_outcome(&outcome, &format!("{unread}\n"), 6);
    assert_eq!(loads(&outcome), 1);
    // What the others say counts, and what is required is told as ever.
    let outcome = machine.run(LOADS, &["--strict", "tun", "loop"]);
    assert_outcome(&outcome, &format!("{unread}; loop: blacklisted\n"), 6);
    assert_eq!(loads(&outcome), 1);

    // One that would fill all memory.
    fs::remove_file(folder.join("b.conf")).unwrap();
    machine.write("dev/zero", b"");
    symlink("/dev/zero", folder.join("b.conf")).unwrap();
    let endless = fs::File::create(machine.root.path().join("dev/zero")).unwrap();
    endless.set_len(1 << 40).unwrap();
    let outcome = machine.run(LOADS, &["tun"]);
    let line = "xen-modload: /etc/modprobe.d/b.conf: a file without end\n";
    assert_outcome(&outcome, line, 6);
    assert_eq!(loads(&outcome), 1);
}

#[test]
fn a_kernel_that_has_all_that_is_required_built_in_needs_no_folder_of_modules() {
    let machine = Machine::new("");
    fs::remove_dir_all(machine.root.path().join("lib/modules")).unwrap();
    for module in ["xen_evtchn", "xen_gntdev"] {
        fs::create_dir_all(machine.root.path().join("sys/module").join(module)).unwrap();
    }
    let names = ["xen-evtchn", "xen-gntdev", "xen-privcmd", "tun", "loop"];
    let folder = machine.modules.display();
    let release = machine.modules.file_name().unwrap().to_str().unwrap();
    let line = format!("xen-modload: no modules of kernel {release}: /{folder} is not there\n");
    assert_outcome(&machine.run(LOADS, &names), &line, 5);

    fs::create_dir(machine.root.path().join("sys/module/xen_privcmd")).unwrap();
    let lines = format!(
        "xen-modload: /{folder}: not there, so nothing can be loaded\n\
         xen-modload: tun: not in this kernel\n\
         xen-modload: loop: not in this kernel\n"
    );
    assert_outcome(&machine.run(LOADS, &names), &lines, 0);
}

#[test]
fn a_damaged_index_costs_only_the_names_that_it_hides() {
    let dep = "kernel/xen-evtchn.ko:\nkernel/tun.ko:\nkernel/xenfs.ko: kernel/xen-pri";
    let machine = Machine::new(dep);
    let place = machine.modules.join("modules.dep");
    let cut = format!("failed: /{}: cut off in the line of xenfs", place.display());
    let outcome = machine.run(LOADS, &["--report", "xenfs", "xen-evtchn", "tun"]);
    assert_eq!(
        outcome.stdout,
        format!("xenfs       {cut}\nxen-evtchn  loaded\ntun         loaded\n")
    );
    let line = format!("xen-modload: xenfs: {cut}\n");
    assert_eq!(loads(&outcome), 2);
    assert_eq!((outcome.stderr, outcome.status), (line, Some(6)));

    // A line of garbage hides what a name of long ago is, and no whole line.
    let machine = Machine::new("kernel/xen-evtchn.ko:\nkernel/xen-gntdev.ko:\n");
    let index = machine.root.path().join(&machine.modules);
    let garbage = "\nkernel/xen-evtchn.ko:\nkernel/xen-gntdev.ko:\n";
    fs::write(index.join("modules.dep"), garbage).unwrap();
    let outcome = machine.run(LOADS, &["netbk", "xen-evtchn", "xen-gntdev"]);
    let release = machine.modules.file_name().unwrap().to_str().unwrap();
    let what = format!("line 1 names no module (run depmod {release})");
    let place = machine.modules.join("modules.dep");
    let line = format!("xen-modload: netbk: failed: /{}: {what}\n", place.display());
    assert_outcome(&outcome, &line, 6);
    assert_eq!(loads(&outcome), 2);
}
