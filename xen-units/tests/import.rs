//! What `import` takes over, and what it says of the rest.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use common::{copy_of, generate, write, xen_units};

/// Scripts that use some of the settings that their file proposes.
fn ignoring() -> tempfile::TempDir {
    let machine = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "etc/init.d/xen",
            "#!/bin/sh\n. /etc/default/xen\necho $XENSTORED_ARGS $XENSTORED\n",
        ),
        (
            "etc/init.d/xendomains",
            "#!/bin/sh\n. /etc/default/xendomains\necho $XEN_DOM0_UUID\n",
        ),
        (
            "etc/default/xen",
            "XENSTORED_ARGS=\"-a 'b c'\"\n#XENSTORED_TRACE=\nXEN_DOM0_UUID=1-2\nXENSTORED=$HOME/x\n",
        ),
        ("etc/conf.d/xenconsoled", "XENCONSOLED_OPTS=\"-v\"\n"),
    ] {
        write(machine.path(), name, text);
    }
    machine
}

#[test]
fn takes_over_the_settings_of_others() {
    let machine = ignoring();
    let import = || {
        let mut command = xen_units();
        command.args(["import", "--root"]).arg(machine.path());
        command
    };
    let output = import().output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    for line in [
        "/etc/conf.d/xenconsoled: XENCONSOLED_OPTS: is called XENCONSOLED_ARGS here",
        "/etc/conf.d/xenconsoled: XENCONSOLED_ARGS=-v",
        "/etc/default/xen: XEN_DOM0_UUID: its own scripts ignored it; it counts from now on",
        "/etc/default/xen: XEN_DOM0_UUID=1-2",
        "/etc/default/xen: XENSTORED: not taken, a shell would have to work it out: $HOME/x",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    let own = machine.path().join("etc/default/xen-dom0");
    let written = fs::read_to_string(&own).unwrap();
    import().assert().success();
    assert_eq!(fs::read_to_string(&own).unwrap(), written);
    let sh = Process::new("sh")
        .args([
            "-euc",
            ". \"$0\"; eval \"set -- $XENSTORED_ARGS\"; echo \"$2\"",
        ])
        .arg(&own)
        .output()
        .unwrap();
    assert_eq!(sh.stdout, b"b c\n");
    // An administrator's own file stays, and wins.
    fs::write(&own, "XEN_DOM0_UUID=mine\n").unwrap();
    import().assert().code(6);
    assert_eq!(fs::read_to_string(&own).unwrap(), "XEN_DOM0_UUID=mine\n");
    import().arg("--force").assert().success();
    let text = fs::read_to_string(&own).unwrap();
    assert!(text.contains("XEN_DOM0_UUID=mine\n"), "{text}");
}

fn import(machine: &Path) -> String {
    let mut command = xen_units();
    let output = command
        .args(["import", "--root"])
        .arg(machine)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// `import` has a value in quotes of both kinds, and one that goes on in the
/// next line.
#[test]
fn writes_what_generate_reads_as_it_was_read_before() {
    let machine = copy_of("debian-12");
    let settings = "XENSTORED_ARGS=\"-a 'b \\\"c\\\"'\"\nXENCONSOLED_ARGS=\"-v \\\n  -t x\"\n";
    write(machine.path(), "etc/default/xen", settings);
    let lines = || {
        ["xen-store", "xen-console"].map(|name| {
            let mut command = xen_units();
            let args = ["command", name, "--bin-dir", "/usr/bin", "--root"];
            command.args(args).arg(machine.path()).output().unwrap()
        })
    };
    let before = lines();
    assert!(before.iter().all(|output| output.status.success()));
    generate(machine.path()).assert().success();
    assert_eq!(
        import(machine.path()),
        "/etc/default/xen: XENSTORED_ARGS=\"-a 'b \\\"c\\\"'\"\n\
         /etc/default/xen: XENCONSOLED_ARGS='-v   -t x'\n"
    );
    generate(machine.path()).assert().success().stderr("");
    fs::remove_file(machine.path().join("etc/default/xen")).unwrap();
    assert_eq!(lines(), before);
}

#[test]
fn says_what_becomes_of_each_setting_for_the_domains() {
    let machine = tempfile::tempdir().unwrap();
    let script = "#!/bin/bash\n. /etc/default/xendomains\nls $XENDOMAINS_AUTO\n";
    let settings = "XENDOMAINS_AUTO=/etc/xen/auto\nXENDOMAINS_SYSRQ=s\n";
    write(machine.path(), "etc/default/xendomains", settings);
    let unread = "/etc/default/xendomains: XENDOMAINS_AUTO: stays there, where no script that \
                  xen-domains runs reads it\n";
    assert!(import(machine.path()).starts_with(unread));
    // Upstream's, which another script starts.
    let wrapper = "#!/bin/sh\n${LIBEXEC_BIN}/xendomains $1\n";
    write(machine.path(), "usr/lib/xen/bin/xendomains", script);
    write(machine.path(), "etc/init.d/xendomains", wrapper);
    let said = import(machine.path());
    assert!(
        said.contains("xen-domains runs /usr/lib/xen/bin/xendomains,"),
        "{said}"
    );
    // Debian's reads them itself.
    write(machine.path(), "etc/init.d/xendomains", script);
    assert_eq!(
        import(machine.path()),
        "/etc/default/xendomains: XENDOMAINS_AUTO: stays there and goes on counting: \
         xen-domains runs /etc/init.d/xendomains, which reads it\n\
         /etc/default/xendomains: XENDOMAINS_SYSRQ: stays there, where \
         /etc/init.d/xendomains ignores it\n\
         nothing to take over\n"
    );
    // OpenRC's has the file of its name, and is not run.
    fs::remove_file(machine.path().join("etc/default/xendomains")).unwrap();
    write(machine.path(), "etc/conf.d/xendomains", "AUTODIR=/x\n");
    let script = "#!/sbin/openrc-run\nls $AUTODIR\n";
    write(machine.path(), "etc/init.d/xendomains", script);
    assert_eq!(
        import(machine.path()),
        "/etc/conf.d/xendomains: AUTODIR: stays there, where /usr/lib/xen/bin/xendomains \
         ignores it\nnothing to take over\n"
    );
}

#[test]
fn reads_a_value_of_several_lines_and_what_an_empty_one_takes_back() {
    let machine = copy_of("debian-12");
    write(
        machine.path(),
        "etc/conf.d/xencommons",
        "XEN_KERNEL_MODULES=\"tun\n loop\"\n",
    );
    write(
        machine.path(),
        "etc/sysconfig/xencommons",
        "XEN_BRIDGE=br5\n",
    );
    write(machine.path(), "etc/default/xencommons", "XEN_BRIDGE=\n");
    let said = import(machine.path());
    assert!(said.contains("XEN_MODULES='tun\n loop'\n"), "{said}");
    let ours = fs::read_to_string(machine.path().join("etc/default/xen-dom0")).unwrap();
    assert!(ours.contains("XEN_MODULES='tun\n loop'\n"), "{ours}");
    assert!(!ours.contains("XEN_BRIDGE"), "{ours}");
    generate(machine.path()).assert().success().stderr("");
}

#[test]
fn takes_nothing_that_generate_would_refuse_and_leaves_nothing_out_in_silence() {
    let machine = copy_of("debian-12");
    for (name, text) in [
        ("etc/conf.d/xenconsoled", "XENCONSOLED_LOG=\"yes\"\n"),
        ("etc/conf.d/xenqemu", "XENQEMU_OPTS=-v\n"),
        (
            "etc/conf.d/xenstored",
            "XENSTORED_STUBDOM=no\nXENSTORED_OPTS='-v\n",
        ),
        (
            "etc/default/xencommons",
            "XENSTORED_FOO=1\nXENSTORED_TRACE=[yes|on|1]\nXENSTORED=/usr/sbin/nosuch\nPATH=/x\n",
        ),
        (
            "etc/default/xen",
            "XENSTORED_ARGS=\nXENSTORED_MAX_OPEN_FDS=4096 # enough\n",
        ),
    ] {
        write(machine.path(), name, text);
    }
    assert_eq!(
        import(machine.path()),
        "/etc/conf.d/xenconsoled: XENCONSOLED_LOG: not taken, yes is none of none, guest, hv, all\n\
         /etc/conf.d/xenqemu: XENQEMU_OPTS: not taken, nothing here uses it\n\
         /etc/conf.d/xenstored: XENSTORED_STUBDOM: is called XENSTORETYPE here\n\
         /etc/conf.d/xenstored: XENSTORETYPE=daemon\n\
         /etc/conf.d/xenstored: XENSTORED_OPTS: not taken, a quote is not closed\n\
         /etc/default/xencommons: XENSTORED_FOO: not taken, nothing here uses it\n\
         /etc/default/xencommons: XENSTORED_TRACE=yes\n\
         /etc/default/xencommons: XENSTORED: not taken, /usr/sbin/nosuch is not installed\n\
         /etc/default/xencommons: PATH: not taken, nothing here uses it\n\
         /etc/default/xen: XENSTORED_MAX_OPEN_FDS=4096\n"
    );
    let own = fs::read_to_string(machine.path().join("etc/default/xen-dom0")).unwrap();
    let lines = "\nXENSTORETYPE=daemon\nXENSTORED_TRACE=yes\nXENSTORED_MAX_OPEN_FDS=4096\n";
    assert!(own.ends_with(lines), "{own}");
    // All that the own file has is kept, whoever uses it.
    write(
        machine.path(),
        "etc/default/xen-dom0",
        "XEN_UNITS_WATCHDOG=1\nLANG=C\n",
    );
    let mut command = xen_units();
    command
        .args(["import", "--force", "--root"])
        .arg(machine.path());
    command.assert().success();
    let own = fs::read_to_string(machine.path().join("etc/default/xen-dom0")).unwrap();
    assert!(own.ends_with("\nXEN_UNITS_WATCHDOG=1\nLANG=C\n"), "{own}");
}
