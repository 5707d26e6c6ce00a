//! An address that the kernel says it made of a router's announcement.

use std::net::Ipv6Addr;

use xen_bridge::{Connection, Request};

use super::Machine;

const FLAG: &str = "BRIDGE_TEST_ANNOUNCE";
const RTM_NEWADDR: u16 = 20;
const CREATE: u16 = 0x400;

/// Gives an interface such an address, /64, for an hour. (`ip` knows no way.)
pub fn announce(machine: &Machine, address: &str, name: &str) {
    let index = &machine.link(name)["ifindex"];
    let mut command = machine.command(std::env::current_exe().unwrap().to_str().unwrap());
    command.args(["--exact", "common::announced::announces_where_it_is_asked"]);
    command.env(FLAG, format!("{index} {address}"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn announces_where_it_is_asked() {
    let Ok(text) = std::env::var(FLAG) else {
        return;
    };
    let (index, address) = text.split_once(' ').unwrap();
    let (index, address): (u32, Ipv6Addr) = (index.parse().unwrap(), address.parse().unwrap());
    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    let mut payload = vec![10, 64, 0, 0];
    payload.extend(index.to_ne_bytes());
    // struct ifa_cacheinfo: preferred, valid, created, updated.
    let times: Vec<u8> = [1800u32, 3600, 0, 0]
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    for (kind, value) in [
        (1u16, &address.octets()[..]),
        (6, &times),
        // Without looking for duplicates; IFAPROT_KERNEL_RA.
        (8, &2u32.to_ne_bytes()),
        (11, &[2]),
    ] {
        payload.extend((4 + value.len() as u16).to_ne_bytes());
        payload.extend(kind.to_ne_bytes());
        payload.extend(value);
        payload.resize(payload.len().next_multiple_of(4), 0);
    }
    let request = Request {
        kind: RTM_NEWADDR,
        payload,
    };
    Connection::open().unwrap().change(request, CREATE).unwrap();
}
