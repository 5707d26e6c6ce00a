//! The device nodes, in roots made for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
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

/// Where each node is a device of this mode.
fn with_nodes(root: &Path, mode: &str, arguments: &str) -> Output {
    let script = r#"
        mkdir -p "$ROOT/dev/xen"
        cd "$ROOT/dev/xen"
        for node in evtchn gntdev privcmd xenbus; do
            : > $node
            mount --bind /dev/null $node
        done
        test "$(stat -c %a evtchn)" = "$MODE"
        exec "$PROGRAM" --devices --root "$ROOT" $ARGUMENTS"#;
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-euc", script]);
    command.env("PROGRAM", PROGRAM).env("ROOT", root);
    command.env("MODE", mode).env("ARGUMENTS", arguments);
    command.output().unwrap()
}

#[test]
fn tells_of_a_node_that_is_open_to_all() {
    let line = "xen-mountfs: /dev/xen/evtchn: mode 0666 lets others in (mend it with --force)\n";
    for arguments in ["--check", "-n"] {
        let root = dom0();
        let output = with_nodes(root.path(), "666", arguments);
        assert_eq!(said(&output), ("", line, Some(6)));
    }
    let root = dom0();
    let output = with_nodes(root.path(), "666", "-n --force");
    let commands = "chmod 600 /dev/xen/evtchn\nchmod 600 /dev/xen/gntdev\n\
                    chmod 600 /dev/xen/privcmd\nchmod 600 /dev/xen/xenbus\n";
    assert_eq!(said(&output), (commands, "", Some(0)));
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
