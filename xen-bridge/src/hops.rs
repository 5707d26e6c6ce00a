//! The next hops of a route over several gateways, which are a list of
//! `struct rtnexthop` with attributes each.

use std::net::IpAddr;

use crate::reply::{attributes, ip};
use crate::route::{RTA_GATEWAY, RTA_VIA, RTNH_F_ONLINK};

/// `struct rtnexthop`: length, flags, hops, index.
const HEADER: usize = 8;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop<'a> {
    /// The number of the interface.
    pub interface: u32,
    /// `RTNH_F_*`.
    pub flags: u8,
    /// How often it is taken, less one.
    pub weight: u8,
    /// Its attributes.
    pub rest: &'a [u8],
}

impl Hop<'_> {
    /// Over whom.
    pub fn gateway(&self) -> Option<IpAddr> {
        attributes(self.rest).find_map(|(kind, value)| match kind {
            RTA_GATEWAY => ip(value),
            RTA_VIA => via(value),
            _ => None,
        })
    }
}

/// `struct rtvia`: family, address.
pub(crate) fn via(value: &[u8]) -> Option<IpAddr> {
    value.get(2..).and_then(ip)
}

/// All in a list.
pub(crate) fn hops(mut list: &[u8]) -> Vec<Hop<'_>> {
    let mut all = vec![];
    while let Some(&[a, b, flags, weight, c, d, e, f]) = list.first_chunk::<HEADER>() {
        let length = usize::from(u16::from_ne_bytes([a, b])).max(HEADER);
        all.push(Hop {
            interface: u32::from_ne_bytes([c, d, e, f]),
            flags,
            weight,
            rest: list.get(HEADER..length).unwrap_or_default(),
        });
        list = list.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    all
}

/// The same list, where all lead through that interface.
pub(crate) fn hops_through(list: &[u8], interface: u32) -> Vec<u8> {
    let mut through = vec![];
    for hop in hops(list) {
        // The other flags are what the kernel found, and it takes none of them.
        let flags = u32::from(hop.flags) & RTNH_F_ONLINK;
        // No longer than the list that it was read from.
        let length = u16::try_from(HEADER + hop.rest.len()).unwrap_or(u16::MAX);
        through.extend(length.to_ne_bytes());
        through.extend([flags.to_ne_bytes()[0], hop.weight]);
        through.extend(interface.to_ne_bytes());
        through.extend(hop.rest);
        through.resize(through.len().next_multiple_of(4), 0);
    }
    through
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_interfaces_of_a_multipath_route() {
        let mut list = vec![];
        for index in [3u32, 4] {
            list.extend(8u16.to_ne_bytes());
            list.extend([0, 0]);
            list.extend(index.to_ne_bytes());
        }
        let interfaces = |list: &[u8]| -> Vec<u32> {
            let all = hops(list);
            all.iter().map(|hop| hop.interface).collect()
        };
        assert_eq!(interfaces(&list), [3, 4]);
        assert_eq!(interfaces(&list[..9]), [3]);
        assert_eq!(interfaces(&[0; 16]), [0, 0]);
        assert_eq!(interfaces(&hops_through(&list, 9)), [9, 9]);
    }
}
