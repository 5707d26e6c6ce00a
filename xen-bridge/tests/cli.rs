//! The command line: what is wrong is said in one line, before the kernel is asked.

use assert_cmd::Command;
use predicates::str::{contains, ends_with};

fn program() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("xen-bridge");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("XEN_") {
            command.env_remove(name);
        }
    }
    command
}

#[track_caller]
fn refuses(arguments: &[&str], complaint: &str) {
    program()
        .args(arguments)
        .assert()
        .code(2)
        .stdout("")
        .stderr(format!("xen-bridge: {complaint} (see --help)\n"));
}

#[test]
fn refuses_names_that_no_interface_can_have() {
    for (name, why) in [
        (
            "1234567890123456",
            "an interface name has at most 15 bytes, this one has 16",
        ),
        ("", "an interface name cannot be empty"),
        ("..", "the kernel keeps this name for itself"),
        (
            "xen br0",
            "an interface name has no '/', ':', '%', white space or control characters",
        ),
        (
            "../../etc/x",
            "an interface name has no '/', ':', '%', white space or control characters",
        ),
    ] {
        for verb in ["up", "down", "show"] {
            refuses(
                &[verb, name],
                &format!("invalid value '{name}' for '[NAME]': {why}"),
            );
        }
    }
    refuses(
        &["up", "--port", "eth0:1"],
        "invalid value 'eth0:1' for '--port <IF>': \
         an interface name has no '/', ':', '%', white space or control characters",
    );
}

#[test]
fn refuses_values_that_make_no_sense() {
    for (option, metavar, value, why) in [
        (
            "--mtu",
            "BYTES",
            "60",
            "the longest packet has 68 to 65535 bytes",
        ),
        (
            "--forward-delay",
            "SECONDS",
            "31",
            "the forward delay is at most 30 s",
        ),
        (
            "--ageing",
            "SECONDS",
            "5m",
            "seconds are a number with at most two decimals",
        ),
        (
            "--mac",
            "MAC",
            "01:00:5e:00:00:01",
            "no interface can have a multicast or zero hardware address",
        ),
        (
            "--address",
            "CIDR",
            "10.0.0.1",
            "an address has a prefix length, as in 172.16.0.1/16",
        ),
        (
            "--address",
            "CIDR",
            "10.0.0.0/8",
            "this is the network's own address, not a host's",
        ),
    ] {
        refuses(
            &["up", option, value],
            &format!("invalid value '{value}' for '{option} <{metavar}>': {why}"),
        );
    }
}

#[test]
fn refuses_what_contradicts_itself() {
    let too_short = "with STP on, a forward delay below 2 s is not kept";
    refuses(&["up", "--stp", "on", "--forward-delay", "0"], too_short);
    refuses(
        &["up", "br7", "--port", "br7"],
        "br7 cannot be a port of itself",
    );
    program()
        .args(["up", "--stp=1"])
        .env("XEN_BRIDGE_FORWARD_DELAY", "1.99")
        .assert()
        .code(2);
}

#[test]
fn takes_one_port_and_one_address_at_a_time() {
    for value in ["", "a b", " "] {
        refuses(&["up", "--port", value], "--port: one interface expected");
    }
    for value in ["", "10.0.0.1/8 10.0.0.2/8"] {
        refuses(
            &["up", "--port", "eth0", "--address", value],
            "--address: one address expected",
        );
    }
}

#[test]
fn refuses_a_root_where_the_kernel_is_changed() {
    for verb in ["up", "down"] {
        program()
            .args([verb, "--root", "/tmp"])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("--dry-run"));
    }
}

#[test]
fn refuses_what_is_no_verb() {
    refuses(&["fly"], "unrecognized subcommand 'fly'");
    program().assert().code(2).stderr(ends_with(
        "[subcommands: up, down, show, confirm, restore] (see --help)\n",
    ));
}

#[test]
fn names_its_exit_statuses_in_each_help() {
    for arguments in [
        &["--help"][..],
        &["up", "--help"],
        &["down", "-h"],
        &["show", "-h"],
    ] {
        program()
            .args(arguments)
            .assert()
            .code(0)
            .stdout(contains("5  no such bridge (show)"))
            .stderr("");
    }
}

#[test]
fn a_setting_in_the_environment_never_keeps_another_verb_from_working() {
    for verb in ["down", "show"] {
        program()
            .args([verb, "xbtest-absent"])
            .env("XEN_BRIDGE_STP", "nonsense")
            .env("XEN_BRIDGE_PORTS", "'")
            .env("XEN_BRIDGE_MTU", "1")
            .assert()
            .code(if verb == "down" { 0 } else { 5 })
            .stdout("");
    }
    program()
        .args(["up", "-n", "xbtest-absent"])
        .env("XEN_BRIDGE", "ignored by the name given")
        .env("XEN_BRIDGE_STP", "")
        .env("XEN_BRIDGE_PORTS", "")
        .env("XEN_BRIDGE_MTU", "")
        .assert()
        .code(0)
        .stdout(
            "ip link add name xbtest-absent type bridge stp_state 0 forward_delay 0\n\
             ip link set dev xbtest-absent up\n",
        );
}

#[test]
fn says_of_each_command_what_the_list_of_them_says() {
    let help_of = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for command in ["up", "down", "show", "confirm", "restore"] {
        let list = help_of(&["-h"]);
        let line = list
            .lines()
            .find_map(|line| line.trim().strip_prefix(command));
        assert_eq!(
            help_of(&[command, "-h"]).lines().next(),
            line.map(str::trim)
        );
    }
}
