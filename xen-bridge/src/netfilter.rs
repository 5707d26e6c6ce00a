//! Whether br_netfilter sends bridged frames through iptables.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// The switches of br_netfilter in this network namespace (hazardous both
/// ways: on, a firewall that nobody meant for guests drops their frames; off,
/// Xen's own rules against forged addresses do nothing).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Netfilter {
    /// The module is there; without it the others are false. `None` in any of
    /// these: it could not be read.
    pub loaded: Option<bool>,
    /// IPv4 goes through iptables.
    pub iptables: Option<bool>,
    /// IPv6 goes through ip6tables.
    pub ip6tables: Option<bool>,
    /// ARP goes through arptables.
    pub arptables: Option<bool>,
}

/// Reads `/proc/sys/net/bridge` below `root`.
#[must_use]
pub fn read_netfilter(root: &Path) -> Netfilter {
    let folder = root.join("proc/sys/net/bridge");
    let switch = |name: &str| match fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(text.trim() != "0"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    };
    Netfilter {
        loaded: folder.try_exists().ok(),
        iptables: switch("bridge-nf-call-iptables"),
        ip6tables: switch("bridge-nf-call-ip6tables"),
        arptables: switch("bridge-nf-call-arptables"),
    }
}
