//! What `import` takes over, and what it says of the rest.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::process::Command as Process;

use common::{write, xen_units};

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
