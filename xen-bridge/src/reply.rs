//! What the kernel says of addresses and routes, and how attributes are read.
//!
//! Attributes are read one by one and what is not known, or not as long as it
//! should be, is passed over: a newer kernel must not keep a bridge from
//! coming up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NlaBuffer, NlasIterator};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressHeader;
use netlink_packet_route::route::{RouteHeader, RouteProtocol};

use crate::cidr::{Cidr, is_link_local};

// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
// linux/rtnetlink.h
const RTA_DST: u16 = 1;
pub(crate) const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_NH_ID: u16 = 30;
/// The kernel's own table of what is local, broadcast or multicast.
const RT_TABLE_LOCAL: u32 = 255;

/// The kinds and values of attributes, up to the first that is cut off.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).map(value_of)
}

fn value_of(attribute: NlaBuffer<&[u8]>) -> (u16, &[u8]) {
    let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
    (kind, attribute.into_inner().get(4..length).unwrap_or(&[]))
}

pub(crate) fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value)).into_owned()
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
        _ => None,
    }
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The interface's number.
    pub index: u32,
    /// The address with its prefix length.
    pub cidr: Cidr,
    /// The broadcast address, where it has one.
    pub broadcast: Option<Ipv4Addr>,
    /// Seconds until it goes by itself; `None`: never.
    pub valid_seconds: Option<u32>,
}

impl Address {
    /// From the payload of an `RTM_NEWADDR`; `None` where it is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let header = AddressHeader::parse(payload).ok()?;
        let (mut local, mut peer, mut broadcast, mut valid_seconds) = (None, None, None, None);
        for (kind, value) in attributes(payload.get(8..)?) {
            match kind {
                IFA_LOCAL => local = ip(value),
                IFA_ADDRESS => peer = ip(value),
                IFA_BROADCAST => broadcast = value.try_into().ok().map(<[u8; 4]>::into),
                // struct ifa_cacheinfo: preferred, valid, created, updated.
                IFA_CACHEINFO => valid_seconds = value.get(4..8).and_then(number),
                _ => {}
            }
        }
        Some(Self {
            index: header.index,
            // On a point-to-point link IFA_ADDRESS is the other end's.
            cidr: Cidr {
                address: local.or(peer)?,
                prefix_length: header.prefix_len,
            },
            broadcast,
            valid_seconds: valid_seconds.filter(|seconds| *seconds != u32::MAX),
        })
    }
}

/// A route that leads through an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The interfaces that it leads through; several for a multipath route.
    pub interfaces: Vec<u32>,
    /// It names a next-hop object, which may hide the interfaces.
    pub by_object: bool,
    /// Where to; `None` for the default route.
    pub destination: Option<Cidr>,
    /// Over whom.
    pub gateway: Option<IpAddr>,
    /// The kernel made it for an address.
    pub by_kernel: bool,
    /// The routing table.
    pub table: u32,
    /// It is an IPv6 route.
    pub is_v6: bool,
}

impl Route {
    /// From the payload of an `RTM_NEWROUTE`; `None` where it is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let header = RouteHeader::parse(payload).ok()?;
        let mut route = Self {
            interfaces: vec![],
            by_object: false,
            destination: None,
            gateway: None,
            by_kernel: header.protocol == RouteProtocol::Kernel,
            table: header.table.into(),
            is_v6: header.address_family == AddressFamily::Inet6,
        };
        for (kind, value) in attributes(payload.get(12..)?) {
            match kind {
                RTA_DST => {
                    route.destination = ip(value).map(|address| Cidr {
                        address,
                        prefix_length: header.destination_prefix_length,
                    });
                }
                RTA_OIF => route.interfaces.extend(number(value)),
                RTA_MULTIPATH => route.interfaces.extend(next_hops(value)),
                RTA_NH_ID => route.by_object = true,
                RTA_GATEWAY => route.gateway = ip(value),
                RTA_TABLE => route.table = number(value)?,
                _ => {}
            }
        }
        Some(route)
    }

    /// Somebody made it, or it follows from an address that somebody gave:
    /// not the routes that every interface has which is up.
    #[must_use]
    pub fn carries_the_host(&self) -> bool {
        let of_every_interface = match self.destination.map(|cidr| cidr.address) {
            Some(IpAddr::V6(address)) => {
                address.is_multicast() || (self.by_kernel && is_link_local(address))
            }
            _ => false,
        };
        self.table != RT_TABLE_LOCAL && !of_every_interface
    }

    /// As `ip route` begins its line.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = match self.destination {
            Some(cidr) => format!("route {cidr}"),
            None => "default route".to_owned(),
        };
        if let Some(gateway) = self.gateway {
            words.push_str(&format!(" via {gateway}"));
        }
        words
    }
}

/// The interfaces in a list of `struct rtnexthop`: length, flags, hops, index.
fn next_hops(mut list: &[u8]) -> Vec<u32> {
    let mut interfaces = vec![];
    while let Some(&[a, b, _, _, c, d, e, f]) = list.first_chunk::<8>() {
        interfaces.push(u32::from_ne_bytes([c, d, e, f]));
        let length = usize::from(u16::from_ne_bytes([a, b])).max(8);
        list = list.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_interfaces_of_a_multipath_route() {
        let mut hops = vec![];
        for index in [3u32, 4] {
            hops.extend(8u16.to_ne_bytes());
            hops.extend([0, 0]);
            hops.extend(index.to_ne_bytes());
        }
        assert_eq!(next_hops(&hops), [3, 4]);
        assert_eq!(next_hops(&hops[..9]), [3]);
        assert_eq!(next_hops(&[0; 16]), [0, 0]);
    }

    #[test]
    fn passes_over_the_routes_of_every_interface() {
        let route = |destination: &str, by_kernel, table| Route {
            interfaces: vec![1],
            by_object: false,
            destination: destination.parse().ok(),
            gateway: None,
            by_kernel,
            table,
            is_v6: true,
        };
        assert!(!route("fe80::1/64", true, 254).carries_the_host());
        assert!(!route("fd00::1/128", true, 255).carries_the_host());
        assert!(route("fd00::1/64", true, 254).carries_the_host());
        assert!(route("default", false, 254).carries_the_host());
        assert!(route("fe80::1/64", false, 100).carries_the_host());
    }
}
