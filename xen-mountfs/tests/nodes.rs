//! The device nodes, in roots made for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use tempfile::{TempDir, tempdir};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xen-mountfs");

/// A Dom0 whose drivers have the number of /dev/null.
fn dom0() -> TempDir {
    let root = tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("proc/xen/capabilities", "control_d\n");
    let mounts = "22 28 0:21 / /proc rw - proc proc rw\n\
                  61 22 0:47 / /proc/xen rw - xenfs xenfs rw\n";
    write("proc/self/mountinfo", mounts);
    for name in ["evtchn", "gntdev", "privcmd", "xenbus"] {
        write(&format!("sys/class/misc/xen!{name}/dev"), "1:3\n");
    }
    root
}

fn said(output: &Output) -> (&str, &str, Option<i32>) {
    (
        std::str::from_utf8(&output.stdout).unwrap(),
        std::str::from_utf8(&output.stderr).unwrap(),
        output.status.code(),
    )
}

#[test]
fn refuses_a_folder_of_nodes_that_is_a_link_to_nowhere() {
    let root = dom0();
    fs::create_dir(root.path().join("dev")).unwrap();
    symlink("nowhere", root.path().join("dev/xen")).unwrap();
    let line = format!(
        "xen-mountfs: {}/dev/xen: this is not a folder\n",
        root.path().display()
    );
    for arguments in [&["--check"][..], &["-n"], &["-n", "--force"]] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--devices");
        let output = command.arg("--root").arg(root.path()).output().unwrap();
        assert_eq!(said(&output), ("", line.as_str(), Some(6)));
    }
}
