//! What the kernel does not permit: this process, or this module.

mod machine;
mod outcome;

use machine::Machine;
use outcome::assert_outcome;

const NO_RIGHT: &[u8] = b"Name:\tx\nCapEff:\t0000000000000000\n";

/// Two to be loaded by finit_module, and two packed ones by init_module: strace
/// gives one answer for each call.
fn machine() -> Machine {
    let dep = "kernel/a.ko.xz:\nkernel/b.ko: kernel/a.ko.xz\nkernel/c.ko:\nkernel/d.ko.xz:\n";
    let machine = Machine::new(dep);
    for file in ["kernel/a.ko.xz", "kernel/d.ko.xz"] {
        let file = machine.modules.join(file);
        machine.write(
            file.to_str().expect("the test machine can be made"),
            include_bytes!("compressed/module.xz"),
        );
    }
    machine
}

const REFUSED: &[&str] = &["finit_module:error=EPERM", "init_module:retval=0"];

#[test]
fn without_the_right_there_is_one_line_and_status_4() {
    let machine = machine();
    machine.write("proc/self/status", NO_RIGHT);
    let outcome = machine.run(REFUSED, &["c", "b"]);
    let line = "xen-modload: load c: not permitted: this process lacks CAP_SYS_MODULE\n";
    assert_outcome(&outcome, line, 4);
    assert_eq!(outcome.calls.matches("finit_module(").count(), 1);
}

#[test]
fn the_report_is_written_where_nothing_can_be_loaded() {
    let machine = machine();
    machine.write("proc/self/status", NO_RIGHT);
    machine.write("proc/modules", b"d 1 0 - Live 0x0\n");
    let why = "not permitted: this process lacks CAP_SYS_MODULE";
    let report = format!(
        "a             loaded\n\
         b             failed: EPERM, {why}\n\
         c             failed: not tried: {why}\n\
         nosuchmodule  not in this kernel\n\
         d             already loaded\n"
    );
    let outcome = machine.run(REFUSED, &["--report", "a", "b", "c", "nosuchmodule", "d"]);
    assert_eq!(outcome.stdout, report);
    assert_eq!(outcome.stderr, format!("xen-modload: load b: {why}\n"));
    assert_eq!(outcome.status, Some(4));
    assert_eq!(outcome.calls.matches(" finit_module(").count(), 1);
}

#[test]
fn a_module_that_only_lockdown_refuses_costs_no_other() {
    let machine = machine();
    let modes = b"none [integrity] confidentiality\n";
    machine.write("sys/kernel/security/lockdown", modes);
    let words = "failed: EPERM, not permitted: the kernel is locked down, and takes only modules \
         signed by a key it trusts";
    let outcome = machine.run(REFUSED, &["--report", "c", "a", "d"]);
    let report = format!("c  {words}\na  loaded\nd  loaded\n");
    assert_eq!(outcome.stdout, report);
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
    let outcome = machine.run(REFUSED, &["--require", "c", "c", "d"]);
    assert_outcome(&outcome, &format!("xen-modload: c: {words}\n"), 4);
    assert_eq!(outcome.calls.matches(" init_module(").count(), 1);
}

#[test]
fn what_the_kernel_command_line_blacklists_is_said_to_be_so() {
    let machine = machine();
    let modes = b"none [integrity] confidentiality\n";
    machine.write("sys/kernel/security/lockdown", modes);
    machine.write("etc/modprobe.d/a.conf", b"softdep d pre: c\n");
    machine.write("proc/cmdline", b"quiet module_blacklist=c,a\n");
    let inject = &["finit_module:error=EPERM", "init_module:error=EPERM"];
    let words = "blacklisted by module_blacklist= on the kernel command line";
    let args = ["--report", "--ignore-blacklist", "b", "c"];
    let outcome = machine.run(inject, &args);
    let report = format!(
        "b  failed: EPERM, {words} (of a, which it needs)\n\
         c  failed: EPERM, {words}\n"
    );
    assert_eq!(outcome.stdout, report);
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Some(0)));
    let outcome = machine.run(inject, &["--strict", "b"]);
    let line = format!("xen-modload: b: failed: EPERM, {words} (of a, which it needs)\n");
    assert_outcome(&outcome, &line, 6);
    // The dry run prints what modprobe prints, and remarks on it.
    let folder = machine.modules.display().to_string();
    let outcome = machine.run(inject, &["-n", "b", "d"]);
    let insmod = |file: &str| format!("insmod /{folder}/kernel/{file} \n");
    let lines = ["a.ko.xz", "b.ko", "c.ko", "d.ko.xz"].map(insmod).concat();
    assert_eq!(outcome.stdout, lines);
    let line = format!("xen-modload: b: failed: {words} (of a, which it needs)\n");
    assert_eq!((outcome.stderr, outcome.status), (line, Some(0)));
    assert_eq!(
        machine.run(inject, &["-n", "--strict", "b"]).status,
        Some(6)
    );
}
