//! A dry run prints commands of Xen's own tools that do the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod program;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Output;

use tempfile::tempdir;

use program::{program, said};

/// Runs it with words that are split at blanks.
fn run(root: &Path, line: &str) -> Output {
    let words = line.split(' ').filter(|word| !word.is_empty());
    program(root).args(words).output().unwrap()
}

#[test]
fn prints_the_commands_of_a_dry_run_and_asks_nobody() {
    let root = tempdir().unwrap();
    let mut program = program(root.path());
    program.args(["-n", "--timeout", "2.5", "--write", "/a=b c", "--seed-dom0"]);
    program.args(["--wait", "/x=1", "--read", "/a"]);
    let expected = "\
timeout 2.5 sh -c 'until xenstore-exists /; do sleep 1; done'
xenstore-write /a 'b c'
xenstore-exists /local/domain/0/domid || xenstore-write /local/domain/0/domid 0
xenstore-exists /local/domain/0/name || xenstore-write /local/domain/0/name Domain-0
timeout 2.5 sh -c 'until test \"$(xenstore-read /x)\" = 1; do sleep 1; done'
xenstore-read /a
";
    assert_eq!(said(&program.output().unwrap()), (expected, "", 0));
}

#[test]
fn prints_in_a_dry_run_where_the_store_is() {
    let root = tempdir().unwrap();
    let output = run(root.path(), "-n --socket /s$x --seed-dom0 --read /a");
    let expected = "\
XENSTORED_PATH='/s$x' timeout 30 sh -c 'until xenstore-exists /; do sleep 1; done'
XENSTORED_PATH='/s$x' xenstore-exists /local/domain/0/domid || \
XENSTORED_PATH='/s$x' xenstore-write /local/domain/0/domid 0
XENSTORED_PATH='/s$x' xenstore-exists /local/domain/0/name || \
XENSTORED_PATH='/s$x' xenstore-write /local/domain/0/name Domain-0
XENSTORED_PATH='/s$x' xenstore-read /a
";
    assert_eq!(said(&output), (expected, "", 0));
    let output = run(root.path(), "-n --rundir /r --read /a");
    assert!(
        said(&output)
            .0
            .ends_with("\nXENSTORED_PATH=/r/socket xenstore-read /a\n")
    );
}

#[test]
fn prints_no_loop_where_no_time_is_given() {
    let root = tempdir().unwrap();
    let output = run(
        root.path(),
        "-n --timeout 0 --socket /s --wait /a --wait !/b --wait /c=1",
    );
    let expected = r#"XENSTORED_PATH=/s timeout 1 xenstore-exists /
XENSTORED_PATH=/s xenstore-exists /a
! XENSTORED_PATH=/s xenstore-exists /b
test "$(XENSTORED_PATH=/s xenstore-read /c)" = 1
"#;
    assert_eq!(said(&output), (expected, "", 0));
}

#[test]
fn names_the_device_that_is_asked() {
    let root = tempdir().unwrap();
    let output = run(root.path(), "-n --device --timeout 0 --read /a");
    let device = format!("{}/dev/xen/xenbus", root.path().display());
    let expected = format!(
        "XENSTORED_PATH={device} timeout 1 xenstore-exists /\n\
         XENSTORED_PATH={device} xenstore-read /a\n"
    );
    assert_eq!(said(&output), (expected.as_str(), "", 0));
}

#[test]
fn escapes_values_as_the_tools_of_xen_do() {
    let root = tempdir().unwrap();
    let mut program = program(root.path());
    program.args(["-n", "--timeout", "0", "--write", r"/a=x\ny"]);
    program.arg(OsStr::from_bytes(b"--write=/b=\x01\n\xff'"));
    program.args(["--wait", r"/c=x\y", "--wait", "/d="]);
    let expected = r#"timeout 1 xenstore-exists /
xenstore-write /a 'x\\ny'
xenstore-write /b '\001\n\xff'\'''
test "$(xenstore-read /c)" = 'x\\y'
xenstore-exists /d && test "$(xenstore-read /d)" = ''
"#;
    assert_eq!(said(&program.output().unwrap()), (expected, "", 0));
}

#[test]
fn keeps_each_byte_and_lets_no_value_be_an_option() {
    let root = tempdir().unwrap();
    let mut program = program(root.path());
    program.args(["-n", "--timeout", "0", "--write=/a=-R", "--raw"]);
    program.args([OsStr::from_bytes(b"--read=/\xfc"), OsStr::new("--read=-x")]);
    let expected = b"timeout 1 xenstore-exists /
xenstore-write -- /a -R
xenstore-read -R '/\xfc'
xenstore-read -R -- -x
";
    let output = program.output().unwrap().stdout;
    assert_eq!(
        output.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}
