//! What is amiss and must not cost a boot: all that can be loaded is.

mod machine;

use std::fs;

use machine::{Machine, Outcome};

const LOADS: &[&str] = &["finit_module:retval=0"];

#[track_caller]
fn assert_outcome(outcome: &Outcome, stderr: &str, status: i32) {
    assert_eq!(outcome.stderr, stderr);
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.status, Some(status));
}

#[test]
fn a_kernel_that_has_all_that_is_required_built_in_needs_no_folder_of_modules() {
    let machine = Machine::new("");
    fs::remove_dir_all(machine.root.path().join("lib/modules")).unwrap();
    for module in ["xen_evtchn", "xen_gntdev"] {
        fs::create_dir_all(machine.root.path().join("sys/module").join(module)).unwrap();
    }
    let names = ["xen-evtchn", "xen-gntdev", "xen-privcmd", "tun", "loop"];
    let folder = format!("/{} is not there", machine.modules.display());
    let release = machine.modules.file_name().unwrap().to_str().unwrap();
    let line = format!("xen-modload: no modules of kernel {release}: {folder}\n");
    assert_outcome(&machine.run(LOADS, &names), &line, 5);

    fs::create_dir(machine.root.path().join("sys/module/xen_privcmd")).unwrap();
    let lines = format!(
        "{line}xen-modload: tun: not in this kernel\nxen-modload: loop: not in this kernel\n"
    );
    assert_outcome(&machine.run(LOADS, &names), &lines, 0);
}
