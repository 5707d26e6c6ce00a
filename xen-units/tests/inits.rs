//! The files for the init systems that run scripts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{copy_of, generate_for, tree, write, xen_units};

/// From 4.19 on a supervisor can have the watchdog as its child.
#[test]
fn gives_supervisors_a_watchdog_that_stays_in_the_foreground() {
    for (init, path, line) in [
        ("runit", "sv/xen-watchdog/control/t", "exec kill -USR1"),
        ("s6", "s6-rc/sv/xen-watchdog/down-signal", "SIGUSR1\n"),
        ("s6", "s6-rc/sv/xen-watchdog/timeout-kill", "0\n"),
        ("dinit", "dinit.d/xen-watchdog", "\nterm-signal = USR1\n"),
        ("dinit", "dinit.d/xen-watchdog", "\nstop-timeout = 0\n"),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path())
            .args(["--watchdog", "--xen", "4.20"])
            .assert()
            .success()
            .stderr("");
        let text = fs::read_to_string(root.path().join("etc").join(path)).unwrap();
        assert!(text.contains(line), "{init}: {text}");
    }
}

#[test]
fn writes_a_path_as_dinit_reads_it() {
    let root = copy_of("debian-12");
    generate_for("dinit", "/opt/my etc", root.path())
        .assert()
        .success();
    let path = "opt/my etc/dinit.d/xen-domains";
    let text = fs::read_to_string(root.path().join(path)).unwrap();
    let script = "\"/opt/my etc/dinit.d/xen-dom0.d/xen-domains\"";
    assert!(text.contains(&format!("\ncommand = {script} start\n")));
    assert!(text.contains(&format!("\nstop-command = {script} stop\n")));
    for output in ["/a$HOME", "/a\nb"] {
        generate_for("dinit", output, root.path())
            .assert()
            .code(2)
            .stderr(
                "xen-units: --output: no path that dinit's files could have in them \
                 (see --help)\n",
            );
    }
}

#[test]
fn refuses_a_folder_of_programs_that_no_file_could_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = copy_of("debian-12");
    for (folder, said) in [
        (&b"/opt/\xff"[..], "\"/opt/\\xFF\""),
        (b"/a\nb", "\"/a\\nb\""),
    ] {
        xen_units()
            .args([
                "generate", "--init", "systemd", "--output", "/etc", "--root",
            ])
            .arg(root.path())
            .arg("--bin-dir")
            .arg(std::ffi::OsStr::from_bytes(folder))
            .assert()
            .code(2)
            .stderr(format!(
                "xen-units: --bin-dir: {said} cannot be written into a file (see --help)\n"
            ));
    }
}

/// Where nobody asked for it, only who wants to know is told.
#[test]
fn says_that_a_supervisor_gets_no_old_watchdog() {
    let said = "xen-units: xen-watchdog is left out: that of Xen 4.17 cannot stay in the \
        foreground, and only its parent could disarm it (from 4.19 on it can)\n";
    for init in ["runit", "s6", "dinit"] {
        let root = copy_of("debian-12");
        let run = || generate_for(init, "/etc", root.path());
        run().assert().success().stderr("");
        run().arg("-v").assert().success().stderr(said);
        run().arg("--watchdog").assert().success().stderr(said);
        assert!(!root.path().join("etc/elogind").exists());
    }
}

/// A tool of the init system's that knows the watchdog as up, and writes down
/// what it is told.
const TOOL: &str = "#!/bin/sh\necho \"${0##*/} $*\" >>\"$SAID\"\n\
    case $* in 'status xen-watchdog') echo 'run: xen-watchdog: (pid 7) 3s' ;; \
    '-a list') printf 'a\\nxen-watchdog\\n' ;; esac\n";

#[test]
fn disarms_the_watchdog_while_the_host_sleeps() {
    for (init, tool, [is_up, stop, start]) in [
        (
            "runit",
            "sv",
            [
                "status xen-watchdog",
                "stop xen-watchdog",
                "start xen-watchdog",
            ],
        ),
        (
            "s6",
            "s6-rc",
            [
                "-a list",
                "-d change xen-watchdog",
                "-u change xen-watchdog",
            ],
        ),
        (
            "dinit",
            "dinitctl",
            [
                "is-started xen-watchdog",
                "stop xen-watchdog",
                "start xen-watchdog",
            ],
        ),
    ] {
        let root = copy_of("debian-12");
        let flags = ["--watchdog", "--xen", "4.20"];
        let mut generate = generate_for(init, "/etc", root.path());
        generate.args(flags).assert().success().stderr("");
        write(root.path(), "bin/tool", TOOL);
        for (hook, words) in [
            ("elogind/system-sleep/xen-dom0", ["pre", "post"]),
            ("pm/sleep.d/50xen-dom0", ["suspend", "resume"]),
        ] {
            // Its PATH and its marker are the host's; here they are the root's.
            let path = root.path().join("etc").join(hook);
            let text = fs::read_to_string(path).unwrap();
            let here = root.path().display();
            let text = text
                .replace("PATH=/usr/local/sbin", &format!("PATH={here}/bin"))
                .replace("/run/xen-watchdog-asleep", &format!("{here}/asleep"));
            let said = root.path().join("said");
            let script = "cp \"$0/bin/tool\" \"$0/bin/$1\"; chmod +x \"$0/bin/$1\"; rm -f \"$SAID\"
                for word in \"$2\" \"$3\" \"$3\"; do sh -c \"$4\" hook \"$word\" mem; done";
            let run = Command::new("sh")
                .args(["-euc", script])
                .arg(root.path())
                .args([tool, words[0], words[1], text.as_str()])
                .env("SAID", &said)
                .output()
                .unwrap();
            assert!(run.status.success(), "{init}: {run:?}");
            assert_eq!(
                fs::read_to_string(said).unwrap(),
                format!("{tool} {is_up}\n{tool} {stop}\n{tool} {start}\n")
            );
        }
    }
}

/// Every script that is written, of every init system.
fn scripts(root: &Path) -> Vec<PathBuf> {
    let starts =
        |text: &str| text.starts_with("#!/bin/sh") || text.starts_with("#!/sbin/openrc-run");
    let all = tree(&root.join("etc")).into_iter();
    let is_ours = |text: &str| text.contains("# Written by xen-units");
    all.filter(|(_, text)| starts(text) && is_ours(text))
        .map(|(path, _)| root.join("etc").join(path))
        .collect()
}

#[test]
fn shellcheck_finds_nothing_in_what_is_written() {
    for (init, version, store) in [
        ("systemd", "4.17", "daemon"),
        ("sysvinit", "4.17", "daemon"),
        ("sysvinit", "4.17", "domain"),
        ("openrc", "4.17", "daemon"),
        ("openrc", "4.17", "domain"),
        ("runit", "4.20", "daemon"),
        ("runit", "4.17", "domain"),
        ("s6", "4.20", "daemon"),
        ("dinit", "4.20", "daemon"),
        ("dinit", "4.17", "domain"),
    ] {
        let root = copy_of("debian-12");
        generate_for(init, "/etc", root.path())
            .args(["--watchdog", "--xen", version])
            .env("XENSTORETYPE", store)
            .assert()
            .success();
        let output = Command::new("shellcheck")
            .args(scripts(root.path()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{init}: {said}");
    }
}

/// runsv may be gone by then: told to exit, it leaves a finish to itself.
#[test]
fn waits_on_runits_way_down_until_the_domains_are_stopped() {
    let root = copy_of("debian-12");
    generate_for("runit", "/etc", root.path())
        .assert()
        .success();
    let mark = root.path().join("stopping");
    let finish = root.path().join("finish");
    fs::write(&finish, "sleep 1\n").unwrap();
    for script in ["xen-domains/last", "xen-qemu/control/t"] {
        let text = fs::read_to_string(root.path().join("etc/sv").join(script)).unwrap();
        let text = text.replace("/run/xen-domains.stopping", mark.to_str().unwrap());
        let text = text.replace("[ -n \"$going_down\" ] || exit", ":");
        let run = || {
            let mut shell = Command::new("sh");
            let output = shell.args(["-c", &text]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        };
        // Nobody stops any, or did.
        let _ = fs::remove_file(&mark);
        run();
        let mut stopping = Command::new("sh").arg(&finish).spawn().unwrap();
        fs::write(&mark, format!("{}\n", stopping.id())).unwrap();
        run();
        // What has ended is not waited for by its parent yet.
        assert!(stopping.try_wait().unwrap().is_some(), "{script}");
        run();
    }
}
