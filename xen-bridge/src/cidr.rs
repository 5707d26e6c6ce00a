//! IP addresses with their prefix length.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address of an interface and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The interface's own address.
    pub address: IpAddr,
    /// Bits of the network, 0 to 32 or 128.
    pub prefix_length: u8,
}

impl Cidr {
    /// Where the network has one: with 31 and 32 bits there is none (RFC 3021),
    /// and IPv6 has none at all.
    #[must_use]
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) if self.prefix_length <= 30 => {
                Some((u32::from(address) | self.host_mask()).into())
            }
            _ => None,
        }
    }

    /// That address is in its network.
    #[must_use]
    pub fn contains(&self, other: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
            IpAddr::V6(address) => address.into(),
        };
        let shift = 128 - u32::from(self.prefix_length.min(128));
        let network = |address| bits(address).checked_shr(shift).unwrap_or(0);
        self.address.is_ipv4() == other.is_ipv4() && network(self.address) == network(other)
    }

    fn host_mask(&self) -> u32 {
        u32::MAX.checked_shr(self.prefix_length.into()).unwrap_or(0)
    }

    /// Why no interface should have it.
    fn complaint(&self) -> Option<&'static str> {
        let IpAddr::V4(address) = self.address else {
            return complaint_v6(self.address);
        };
        if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
            return Some("no interface can have this address");
        }
        if address.is_loopback() {
            return Some("loopback addresses belong to lo");
        }
        if self.prefix_length > 30 {
            return None;
        }
        match u32::from(address) & self.host_mask() {
            0 => Some("this is the network's own address, not a host's"),
            host if host == self.host_mask() => {
                Some("this is the network's broadcast address, not a host's")
            }
            _ => None,
        }
    }
}

fn complaint_v6(address: IpAddr) -> Option<&'static str> {
    if address.is_unspecified() || address.is_multicast() {
        Some("no interface can have this address")
    } else if address.is_loopback() {
        Some("loopback addresses belong to lo")
    } else {
        None
    }
}

pub(crate) fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, length) = text
            .split_once('/')
            .ok_or("an address has a prefix length, as in 172.16.0.1/16")?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| "not an IPv4 or IPv6 address".to_owned())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = Some(length)
            .filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|length| length.parse().ok())
            .filter(|length| (1..=longest).contains(length))
            .ok_or_else(|| format!("the prefix length is a number from 1 to {longest}"))?;
        let cidr = Self {
            address,
            prefix_length,
        };
        match cidr.complaint() {
            Some(complaint) => Err(complaint.to_owned()),
            None => Ok(cidr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_broadcast_address() {
        for (text, broadcast) in [
            ("172.16.0.1/16", Some("172.16.255.255")),
            ("10.1.2.3/23", Some("10.1.3.255")),
            ("10.0.0.1/30", Some("10.0.0.3")),
            ("10.0.0.0/31", None),
            ("10.0.0.1/32", None),
            ("fd00::1/64", None),
        ] {
            let cidr: Cidr = text.parse().unwrap();
            let expected = broadcast.map(|text| text.parse().unwrap());
            assert_eq!(cidr.broadcast(), expected, "{text}");
            assert_eq!(cidr.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_hosts_address() {
        for text in [
            "10.0.0.1",
            "10.0.0.1/",
            "10.0.0.1/33",
            "10.0.0.1/+8",
            "10.0.0.1/0",
            "10.0.0.0/24",
            "10.0.0.255/24",
            "127.0.0.1/8",
            "0.0.0.0/8",
            "224.0.0.1/24",
            "10.0.0.1/255.255.255.0",
            "::/64",
            "::1/128",
            "ff02::1/64",
            "fd00::1/129",
            "host/24",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }
}
