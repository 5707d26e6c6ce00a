//! A route, with all that it takes to lead it through another interface.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteHeader, RouteProtocol};

use crate::address::Address;
use crate::cidr::{Cidr, is_link_local};
use crate::facts::Interface;
use crate::hops::{Hop, hops, hops_through, via};
use crate::reply::{attributes, ip, number, push, rebuilt};

// linux/rtnetlink.h
pub(crate) const RTA_DST: u16 = 1;
pub(crate) const RTA_OIF: u16 = 4;
pub(crate) const RTA_GATEWAY: u16 = 5;
pub(crate) const RTA_PRIORITY: u16 = 6;
pub(crate) const RTA_PREFSRC: u16 = 7;
pub(crate) const RTA_METRICS: u16 = 8;
pub(crate) const RTA_MULTIPATH: u16 = 9;
pub(crate) const RTA_CACHEINFO: u16 = 12;
pub(crate) const RTA_TABLE: u16 = 15;
pub(crate) const RTA_VIA: u16 = 18;
pub(crate) const RTA_EXPIRES: u16 = 23;
pub(crate) const RTA_NH_ID: u16 = 30;
pub(crate) const RTNH_F_ONLINK: u32 = 4;
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
    /// The interfaces that it leads through, one for each gateway.
    pub interfaces: Vec<u32>,
    /// It names a next-hop object, which may hide the interfaces.
    pub by_object: bool,
    /// Where to; `None` for the default route.
    pub destination: Option<Cidr>,
    /// Over whom; of several, the first ([`Route::gateways`]).
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
    pub(crate) details: [Option<String>; 2],
    /// All that the kernel said of it.
    pub(crate) payload: Vec<u8>,
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
                RTA_MULTIPATH => {
                    let hops = hops(value);
                    route
                        .interfaces
                        .extend(hops.iter().map(|hop| hop.interface));
                    route.gateway = hops.iter().find_map(Hop::gateway);
                }
                RTA_NH_ID => route.by_object = true,
                RTA_GATEWAY => route.gateway = ip(value),
                RTA_VIA => route.gateway = via(value),
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
        // One that somebody put into the kernel's table goes with the last
        // IPv4 address of its interface; IPv6's serve where they are.
        let of_an_address = self.table == RT_TABLE_LOCAL && (self.by_kernel || self.is_v6);
        !of_an_address && !of_every_interface
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
        let is_one = |all: &[u32]| {
            all.first()
                .is_some_and(|first| all.iter().all(|it| it == first))
        };
        self.by_object || !is_one(&self.interfaces)
    }

    /// Over whom, where several take turns.
    #[must_use]
    pub fn gateways(&self) -> Vec<IpAddr> {
        match self.attribute(RTA_MULTIPATH) {
            Some(list) => hops(list).iter().filter_map(Hop::gateway).collect(),
            None => self.gateway.into_iter().collect(),
        }
    }

    /// Those of them that are reached through that interface.
    #[must_use]
    pub fn gateways_through(&self, interface: u32) -> Vec<IpAddr> {
        let Some(list) = self.attribute(RTA_MULTIPATH) else {
            return self.gateways();
        };
        let mut hops = hops(list);
        hops.retain(|hop| hop.interface == interface);
        hops.iter().filter_map(Hop::gateway).collect()
    }

    /// To tell them apart no more is needed.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |route: &Self| {
            let service = route.payload.get(3).copied();
            (route.table, route.is_v6, service, route.details[0].clone())
        };
        self.destination == other.destination
            && self.gateways() == other.gateways()
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
        let mut gateways = self.gateways().into_iter();
        is_given && (is_source || gateways.any(|gateway| cidr.contains(gateway)))
    }

    /// `RTNH_F_*`.
    pub(crate) fn flags(&self) -> u32 {
        self.payload.get(8..HEADER).and_then(number).unwrap_or(0)
    }

    /// All that the kernel said of it behind the header.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (u16, &[u8])> {
        attributes(self.payload.get(HEADER..).unwrap_or_default())
    }

    pub(crate) fn attribute(&self, of: u16) -> Option<&[u8]> {
        let mut all = self.attributes();
        all.find(|(kind, _)| *kind == of).map(|(_, value)| value)
    }

    /// The payload that leads it through that interface, with its metric,
    /// source, table and all else that it has.
    #[must_use]
    pub fn through(&self, interface: &Interface) -> Vec<u8> {
        let mut header = self.payload.get(..HEADER).unwrap_or_default().to_vec();
        // The other flags are what the kernel found.
        let flags = self.flags() & RTNH_F_ONLINK;
        header[8..].copy_from_slice(&flags.to_ne_bytes());
        let mut payload = rebuilt(header, self.attributes(), |kind, value| match kind {
            RTA_CACHEINFO => None,
            RTA_OIF => Some(interface.index.to_ne_bytes().to_vec()),
            RTA_MULTIPATH => Some(hops_through(value, interface.index)),
            _ => Some(value.to_vec()),
        });
        if let Some(seconds) = self.seconds_left() {
            push(&mut payload, RTA_EXPIRES, &seconds.to_ne_bytes());
        }
        payload
    }

    /// Until it goes by itself.
    pub(crate) fn seconds_left(&self) -> Option<u32> {
        // struct rta_cacheinfo: clntref, lastuse, expires ...
        let info = self.attribute(RTA_CACHEINFO)?;
        let ticks = info.get(8..12).and_then(number)?;
        let goes = self.is_v6 && (TICKS..u32::MAX / 2).contains(&ticks);
        goes.then_some(ticks / TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
