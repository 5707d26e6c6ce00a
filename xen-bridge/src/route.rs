//! A route, with all that it takes to lead it through another interface.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteHeader, RouteProtocol};

use crate::address::Address;
use crate::cidr::{Cidr, is_link_local};
use crate::facts::Interface;
use crate::reply::{attributes, ip, number, push, rebuilt};

// linux/rtnetlink.h
pub(crate) const RTA_DST: u16 = 1;
pub(crate) const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTAX_MTU: u16 = 2;
const RTA_MULTIPATH: u16 = 9;
const RTA_CACHEINFO: u16 = 12;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_EXPIRES: u16 = 23;
const RTA_NH_ID: u16 = 30;
const RTNH_F_ONLINK: u32 = 4;
/// The kernel's own table of what is local, broadcast or multicast.
const RT_TABLE_LOCAL: u32 = 255;
pub(crate) const RT_TABLE_MAIN: u32 = 254;
const RTN_LOCAL: u8 = 2;
const HEADER: usize = 12;
/// `USER_HZ`: what is left of a route's life is counted in these.
const TICKS: u32 = 100;

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
    /// The kernel made it for an address, or somebody says so
    /// ([`Route::follows_from`]).
    pub by_kernel: bool,
    /// The kernel made it of what a router announced.
    pub by_router: bool,
    /// The routing table.
    pub table: u32,
    /// It is an IPv6 route.
    pub is_v6: bool,
    /// Metric, and the source address that it gives.
    details: [Option<String>; 2],
    /// All that the kernel said of it.
    payload: Vec<u8>,
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
            by_router: header.protocol == RouteProtocol::Ra,
            table: header.table.into(),
            is_v6: header.address_family == AddressFamily::Inet6,
            details: [None, None],
            payload: payload.to_vec(),
        };
        for (kind, value) in attributes(payload.get(HEADER..)?) {
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
                // struct rtvia: family, address.
                RTA_VIA => route.gateway = value.get(2..).and_then(ip),
                RTA_TABLE => route.table = number(value)?,
                RTA_PRIORITY => route.details[0] = number(value).map(|it| it.to_string()),
                RTA_PREFSRC => route.details[1] = ip(value).map(|it| it.to_string()),
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

    /// It leads to that address of this machine's own, and to no other.
    #[must_use]
    pub fn is_of_address(&self, cidr: &Cidr) -> bool {
        let longest = if cidr.address.is_ipv4() { 32 } else { 128 };
        let is_local = self.payload.get(7) == Some(&RTN_LOCAL);
        let to = self.destination;
        is_local && to.is_some_and(|to| to.address == cidr.address && to.prefix_length == longest)
    }

    /// It leads through several interfaces, or through an object.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.by_object || self.interfaces.len() != 1
    }

    /// To tell them apart no more is needed.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |route: &Self| {
            let service = route.payload.get(3).copied();
            (route.table, route.is_v6, service, route.details[0].clone())
        };
        self.destination == other.destination
            && self.gateway == other.gateway
            && self.interfaces == other.interfaces
            && of(self) == of(other)
    }

    /// Of several to one destination the kernel takes the lowest.
    #[must_use]
    pub fn metric(&self) -> u32 {
        let metric = self.details[0].as_ref().and_then(|it| it.parse().ok());
        metric.unwrap_or(0)
    }

    /// The kernel made it for one of these addresses, or of what a router
    /// announced, and makes it again with them. It says no less of the routes
    /// that a manager makes in its stead (`noprefixroute`).
    #[must_use]
    pub fn follows_from(&self, addresses: &[Address], heeds_routers: bool) -> bool {
        let is_announced = heeds_routers && self.seconds_left().is_some();
        let mut all = addresses.iter();
        self.by_kernel && (is_announced || all.any(|address| address.brings(self)))
    }

    /// Its gateway is in reach by that address, or that is the source that it
    /// gives.
    #[must_use]
    pub fn rests_on(&self, cidr: &Cidr) -> bool {
        let is_source = self.details[1] == Some(cidr.address.to_string());
        let is_given = !self.by_kernel;
        is_given && (is_source || self.gateway.is_some_and(|gateway| cidr.contains(gateway)))
    }

    /// As `ip route` begins its line.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = match self.destination {
            Some(cidr) => format!("route {cidr}"),
            None => "default route".to_owned(),
        };
        if let Some(gateway) = self.via() {
            words.push_str(&format!(" via {gateway}"));
        }
        words
    }

    /// The gateway as `ip` takes it: with its family where that is another.
    fn via(&self) -> Option<String> {
        self.gateway.map(|gateway| match gateway {
            IpAddr::V6(_) if !self.is_v6 => format!("inet6 {gateway}"),
            gateway => gateway.to_string(),
        })
    }

    /// The end of an `ip route` command.
    #[must_use]
    pub fn command(&self, interface: &Interface) -> String {
        let [_, _, _, _, _, protocol, scope, ..] = self.payload[..] else {
            return String::new();
        };
        let destination = self.destination.map(|cidr| cidr.to_string());
        let mut words = destination.unwrap_or_else(|| "default".to_owned());
        let other_table = Some(self.table).filter(|table| *table != RT_TABLE_MAIN);
        let [metric, source] = &self.details;
        for (word, value) in [
            ("via", self.via()),
            (
                "dev",
                Some(shell_words::quote(&interface.name).into_owned()),
            ),
            ("table", other_table.map(|it| it.to_string())),
            ("proto", Some(protocol.to_string())),
            ("scope", Some(scope.to_string()).filter(|_| !self.is_v6)),
            ("metric", metric.clone()),
            ("src", source.clone()),
            ("mtu", self.mtu().map(|it| it.to_string())),
        ] {
            if let Some(value) = value {
                words.push_str(&format!(" {word} {value}"));
            }
        }
        if self.flags() & RTNH_F_ONLINK != 0 {
            words.push_str(" onlink");
        }
        words
    }

    fn mtu(&self) -> Option<u32> {
        let rest = self.payload.get(HEADER..)?;
        let (_, metrics) = attributes(rest).find(|(kind, _)| *kind == RTA_METRICS)?;
        let (_, mtu) = attributes(metrics).find(|(kind, _)| *kind == RTAX_MTU)?;
        number(mtu)
    }

    fn flags(&self) -> u32 {
        self.payload.get(8..HEADER).and_then(number).unwrap_or(0)
    }

    /// The payload that leads it through that interface, with its metric,
    /// source, table and all else that it has.
    #[must_use]
    pub fn through(&self, interface: &Interface) -> Vec<u8> {
        let mut header = self.payload.get(..HEADER).unwrap_or_default().to_vec();
        // The other flags are what the kernel found.
        let flags = self.flags() & RTNH_F_ONLINK;
        header[8..].copy_from_slice(&flags.to_ne_bytes());
        let rest = attributes(self.payload.get(HEADER..).unwrap_or_default());
        let mut payload = rebuilt(header, rest, |kind, value| match kind {
            RTA_CACHEINFO => None,
            RTA_OIF => Some(interface.index.to_ne_bytes().to_vec()),
            _ => Some(value.to_vec()),
        });
        if let Some(seconds) = self.seconds_left() {
            push(&mut payload, RTA_EXPIRES, &seconds.to_ne_bytes());
        }
        payload
    }

    /// Until it goes by itself.
    fn seconds_left(&self) -> Option<u32> {
        let mut all = attributes(self.payload.get(HEADER..)?);
        // struct rta_cacheinfo: clntref, lastuse, expires ...
        let (_, info) = all.find(|(kind, _)| *kind == RTA_CACHEINFO)?;
        let ticks = info.get(8..12).and_then(number)?;
        let goes = self.is_v6 && (TICKS..u32::MAX / 2).contains(&ticks);
        goes.then_some(ticks / TICKS)
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
            by_router: false,
            table,
            is_v6: true,
            details: [None, None],
            payload: vec![],
        };
        assert!(!route("fe80::1/64", true, 254).carries_the_host());
        assert!(!route("fd00::1/128", true, 255).carries_the_host());
        assert!(route("fd00::1/64", true, 254).carries_the_host());
        assert!(route("default", false, 254).carries_the_host());
        assert!(route("fe80::1/64", false, 100).carries_the_host());
    }
}
