//! Files and others that do what they should not: a clear line, the right
//! status, no hang, and never a wrong "loaded".

mod machine;
mod made;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use machine::Machine;
use made::{MODULES, assert_refused, program, root, write};

#[test]
fn a_line_without_end_is_refused() {
    let root = root("kernel/tun.ko:\n");
    let alias = format!("{MODULES}/modules.alias");
    write(&root, &alias, &"x".repeat(40 << 20));
    let output = program(&root).args(["xen-backend:vif"]).output().unwrap();
    let path = root.path().join(alias);
    assert_refused(
        &output,
        &format!(
            "xen-backend:vif: failed: {}: a line without end",
            path.display()
        ),
        6,
    );
}

#[test]
fn an_index_cut_off_anywhere_gives_the_right_answer_or_none() {
    let dep = "kernel/a.ko:\nkernel/tun.ko: kernel/b.ko kernel/a.ko\nkernel/b.ko: kernel/a.ko\n";
    let expected: String = ["a", "b", "tun"]
        .map(|name| format!("insmod /{MODULES}/kernel/{name}.ko \n"))
        .concat();
    for end in 0..dep.len() {
        let root = root(&dep[..end]);
        write(
            &root,
            &format!("{MODULES}/modules.order"),
            "kernel/tun.ko\n",
        );
        let output = program(&root).args(["--strict", "tun"]).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        match output.status.code() {
            Some(0) => assert_eq!(stdout, expected, "cut at {end}"),
            // Cut off between two lines it is an index, of fewer modules.
            Some(5) => assert!(dep[..end].ends_with(".ko:\n"), "cut at {end}"),
            status => assert_eq!((status, stdout.as_ref()), (Some(6), ""), "cut at {end}"),
        }
    }
}

#[test]
fn who_collides_with_another_run_asks_again_and_comes_to_an_end() {
    let machine = Machine::new("kernel/tun.ko:\n");
    for (errno, words) in [
        (
            "EBUSY",
            "what it drives is taken, or another run failed to load it",
        ),
        ("EEXIST", "the kernel says that it is there, and it is not"),
    ] {
        let inject = format!("finit_module:error={errno}");
        let outcome = machine.run(&[&inject], &["--strict", "tun"]);
        let line = format!("xen-modload: tun: failed: {errno}, {words}\n");
        assert_eq!(
            (outcome.stderr.as_str(), outcome.status),
            (line.as_str(), Some(1))
        );
        // The driver may mean itself, and nobody else is seen: but once more.
        assert_eq!(outcome.calls.matches("finit_module(").count(), 2);
    }
    // One that another run takes out is waited for, but not for ever.
    machine.write("proc/modules", b"tun 1 0 - Unloading 0x0\n");
    let begun = Instant::now();
    let outcome = machine.run(&["finit_module:error=EBUSY"], &["--strict", "tun"]);
    assert_eq!(outcome.status, Some(1));
    assert_eq!(outcome.calls.matches("finit_module(").count(), 4);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn modules_that_vanish_meanwhile_are_not_said_to_be_loaded() {
    let machine =
        Machine::new("kernel/tun.ko: kernel/helper.ko\nkernel/helper.ko:\nkernel/loop.ko:\n");
    let folder = machine.root.path().join(&machine.modules);
    fs::remove_file(folder.join("kernel/helper.ko")).unwrap();
    let args = ["--report", "--require", "tun", "tun", "loop"];
    let outcome = machine.run(&["finit_module:retval=0"], &args);
    let place = Path::new("/").join(&machine.modules);
    let what = format!(
        "failed: ENOENT, open {}/kernel/helper.ko: No such file or directory (os error 2) (of helper, which it needs)",
        place.display()
    );
    assert_eq!(outcome.stdout, format!("tun   {what}\nloop  loaded\n"));
    assert_eq!(
        (outcome.stderr, outcome.status),
        (format!("xen-modload: tun: {what}\n"), Some(1))
    );
    // The whole folder, too.
    fs::remove_dir_all(&folder).unwrap();
    let outcome = machine.run(&["finit_module:retval=0"], &["--strict", "tun"]);
    assert_eq!(outcome.status, Some(5));
    assert!(
        outcome.stderr.ends_with("is not there\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_configuration_that_is_no_file_is_named_and_not_waited_for() {
    let root = root("");
    write(&root, "proc/sys/kernel/osrelease", "6.1.0-test\n");
    let packed = root.path().join("proc/config.gz");
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xen-modload"));
        command.env_clear().args(["--check", "--root"]);
        command.arg(root.path()).output().unwrap()
    };
    let made = Command::new("mkfifo").arg(&packed).status().unwrap();
    assert!(made.success());
    let line = format!("{}: a pipe, not a file", packed.display());
    assert_refused(&check(), &line, 6);
    fs::remove_file(&packed).unwrap();
    fs::create_dir(&packed).unwrap();
    let line = format!("{}: Is a directory (os error 21)", packed.display());
    assert_refused(&check(), &line, 6);
    fs::remove_dir(&packed).unwrap();
    fs::write(&packed, "no gzip").unwrap();
    let line = format!("{}: not gzip", packed.display());
    assert_refused(&check(), &line, 6);
}
