//! Who else configures an interface, as their files below `/run` tell.
//!
//! A file that is there and cannot be read, or does not say, counts as
//! "unknown", never as "nobody".

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;

use crate::facts::Interface;

/// Somebody who configures an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manager {
    /// The interface.
    pub interface: String,
    /// The program.
    pub manager: &'static str,
    /// In its own words what it does, or `unknown`.
    pub state: String,
}

/// How a program's file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NetworkManager,
    Networkd,
    Ifstate,
    PidFile,
    /// Of one process that asks for the interfaces on its command line.
    Dhclient,
    /// Of one process that takes every interface that it is not told to leave.
    Connman,
}

/// Who keeps what where below `/run`; `@` is the interface's name, `#` its
/// number. Of one program's files the first that says something counts.
const FILES: [(&str, Kind, &[&str]); 8] = [
    (
        "NetworkManager",
        Kind::NetworkManager,
        &["NetworkManager/devices/#"],
    ),
    (
        "systemd-networkd",
        Kind::Networkd,
        &["systemd/netif/links/#"],
    ),
    ("ifupdown", Kind::Ifstate, &["network/ifstate", "ifstate"]),
    (
        "dhcpcd",
        Kind::PidFile,
        &[
            "dhcpcd/@.pid",
            "dhcpcd/@-4.pid",
            "dhcpcd/@-6.pid",
            "dhcpcd-@.pid",
            "dhcpcd/pid",
            "dhcpcd.pid",
        ],
    ),
    (
        "dhclient",
        Kind::PidFile,
        &["dhclient.@.pid", "dhclient-@.pid", "dhclient6.@.pid"],
    ),
    (
        "dhclient",
        Kind::Dhclient,
        &["dhclient.pid", "dhclient6.pid"],
    ),
    ("udhcpc", Kind::PidFile, &["udhcpc.@.pid"]),
    (
        "connman",
        Kind::Connman,
        &[
            "connman/connmand.pid",
            "connman/connman.pid",
            "connmand.pid",
        ],
    ),
];

/// Reads the state files of the programs known, below `root`.
#[must_use]
pub fn read_managers(root: &Path, interface: &Interface) -> Vec<Manager> {
    let number = interface.index.to_string();
    let mut managers = vec![];
    for (manager, kind, files) in FILES {
        let state = files.iter().find_map(|file| {
            let file = file.replace('#', &number).replace('@', &interface.name);
            let path = root.join("run").join(file);
            state_in(&path, |text| match kind {
                Kind::NetworkManager => network_manager(text),
                Kind::Networkd => networkd(text),
                Kind::Ifstate => ifupdown(text, &interface.name),
                Kind::PidFile | Kind::Connman => running(root, text),
                Kind::Dhclient => running(root, text).filter(|_| asks(root, text, &interface.name)),
            })
        });
        let state = match kind {
            Kind::Connman => connman(root, state, &interface.name),
            _ => state,
        };
        managers.extend(state.map(|state| Manager {
            interface: interface.name.clone(),
            manager,
            state,
        }));
    }
    managers
}

/// What makes the bridge the one that asks for an address, under that program.
#[must_use]
pub fn remedy(manager: &str, bridge: &str, port: &str) -> String {
    let (_, words) = REMEDIES
        .into_iter()
        .find(|(name, _)| *name == manager)
        .unwrap_or(("", "dhclient # instead of dhclient @"));
    words.replace('#', bridge).replace('@', port)
}

/// `#` is the bridge, `@` the port.
const REMEDIES: [(&str, &str); 6] = [
    (
        "NetworkManager",
        "nmcli connection add type bridge ifname # stp no && \
         nmcli connection add type ethernet ifname @ master #",
    ),
    (
        "systemd-networkd",
        "[NetDev] Name=# Kind=bridge; [Match] Name=@ [Network] Bridge=#; \
         [Match] Name=# [Network] DHCP=yes (systemd.network(5))",
    ),
    (
        "ifupdown",
        "iface @ inet manual, iface # inet dhcp with bridge_ports @ (interfaces(5))",
    ),
    (
        "dhcpcd",
        "denyinterfaces @ in /etc/dhcpcd.conf, then dhcpcd -k @ and dhcpcd #",
    ),
    ("udhcpc", "udhcpc -i # instead of -i @"),
    (
        "connman",
        "NetworkInterfaceBlacklist=@ in /etc/connman/main.conf, start it again, then a DHCP client \
         on #",
    ),
];

/// What a file says; `None` where there is none, or it says "not mine".
fn state_in(file: &Path, state: impl Fn(&str) -> Option<String>) -> Option<String> {
    match fs::read(file) {
        Ok(content) => state(&String::from_utf8_lossy(&content)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => None,
            _ => Some("unknown".to_owned()),
        },
    }
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
    Some(value.trim())
}

fn network_manager(text: &str) -> Option<String> {
    match value_of(text, "managed") {
        Some("false") => None,
        Some("true") => Some("managed".to_owned()),
        _ => Some("unknown".to_owned()),
    }
}

fn networkd(text: &str) -> Option<String> {
    match value_of(text, "ADMIN_STATE") {
        Some("unmanaged") => None,
        state => Some(state.unwrap_or("unknown").to_owned()),
    }
}

/// One `interface=logical-name` a line; ifupdown-ng has a count after it.
fn ifupdown(text: &str, name: &str) -> Option<String> {
    let mut words = text
        .lines()
        .filter_map(|line| line.split([' ', '=']).next());
    words
        .any(|word| word == name)
        .then(|| "configured".to_owned())
}

/// A pid file outlives its process.
fn running(root: &Path, text: &str) -> Option<String> {
    match text.trim().parse::<u32>() {
        Ok(pid) => root
            .join(format!("proc/{pid}"))
            .is_dir()
            .then(|| format!("running as process {pid}")),
        Err(_) => Some("unknown".to_owned()),
    }
}

/// Where systemd or D-Bus starts connmand it writes no pid file. It makes
/// `/var/lib/connman` as it starts, so that elsewhere no process is looked at.
/// (`/run/connman` is made at every boot, whether it is to run or not.)
fn connman(root: &Path, by_file: Option<String>, name: &str) -> Option<String> {
    let has_run = || root.join("var/lib/connman").is_dir();
    let by_process =
        || process_named(root, "connmand").map(|pid| format!("running as process {pid}"));
    let state = by_file.or_else(|| has_run().then(by_process).flatten())?;
    let settings = fs::read(root.join("etc/connman/main.conf")).unwrap_or_default();
    let settings = String::from_utf8_lossy(&settings);
    let left = value_of(&settings, "NetworkInterfaceBlacklist").unwrap_or_default();
    // The beginnings of names (connman.conf(5)).
    let mut left = left
        .split([',', ';'])
        .map(str::trim)
        .filter(|it| !it.is_empty());
    (!left.any(|beginning| name.starts_with(beginning))).then_some(state)
}

/// A process in this network whose executable has that name, which its first
/// 15 characters tell.
fn process_named(root: &Path, name: &str) -> Option<u32> {
    let network = |process: &Path| fs::metadata(process.join("ns/net")).map(|it| it.ino()).ok();
    let processes = root.join("proc");
    let ours = network(&processes.join("self"));
    let entries = fs::read_dir(&processes).ok()?;
    entries.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = fs::read_to_string(entry.path().join("comm")).ok()?;
        let is_it = command.trim_end() == name;
        // Who cannot be told is here.
        let theirs = network(&entry.path()).filter(|_| is_it);
        let is_elsewhere = theirs.is_some_and(|theirs| ours.is_some_and(|ours| ours != theirs));
        (is_it && !is_elsewhere).then_some(pid)
    })
}

/// dhclient asks for the interfaces named last on its command line, and for
/// all where it names none (dhclient(8)).
fn asks(root: &Path, text: &str, name: &str) -> bool {
    let path = root.join(format!("proc/{}/cmdline", text.trim()));
    let line = fs::read(path).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|it| !it.is_empty());
    let words: Vec<&[u8]> = words.skip(1).collect();
    // The last word may be an option, or an option's file.
    let names_one = words
        .last()
        .is_some_and(|last| !last.starts_with(b"-") && !last.contains(&b'/'));
    !names_one || words.contains(&name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_programs_own_words() {
        assert_eq!(network_manager("[device]\nmanaged=false\n"), None);
        assert_eq!(network_manager("managed=true").unwrap(), "managed");
        assert_eq!(network_manager("").unwrap(), "unknown");
        assert_eq!(networkd("ADMIN_STATE=unmanaged\n"), None);
        assert_eq!(
            networkd("OPER_STATE=routable\nADMIN_STATE=configured\n").unwrap(),
            "configured"
        );
        assert_eq!(
            ifupdown("lo=lo\neth0=eth0\n", "eth0").unwrap(),
            "configured"
        );
        assert_eq!(ifupdown("lo=lo\neth01=eth01\n", "eth0"), None);
        assert_eq!(ifupdown("eth0=eth0 1\n", "eth0").unwrap(), "configured");
    }
}
