//! An address of an interface, with all that it takes to give it to another.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_route::address::AddressHeader;

use crate::cidr::{Cidr, is_link_local};
use crate::facts::Interface;
use crate::reply::{attributes, ip, number, push, rebuilt, text};
use crate::route::{RT_TABLE_MAIN, Route};

// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_PROTO: u16 = 11;
/// The two are one: this for IPv4, that for IPv6.
const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_TEMPORARY: u32 = 0x01;
const IFA_F_NODAD: u32 = 0x02;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
const IFA_F_STABLE_PRIVACY: u32 = 0x800;
/// `linux/ipv6_route.h`: the metric of the routes that come with addresses.
const IP6_RT_PRIO_ADDRCONF: u32 = 256;
/// What somebody may ask for; the other flags are the kernel's findings:
/// nodad, home, mngtmpaddr, noprefixroute, autojoin.
const GIVEN: u32 = IFA_F_NODAD | 0x10 | 0x100 | IFA_F_NOPREFIXROUTE | 0x400;
/// `IFAPROT_KERNEL_RA`, `IFAPROT_KERNEL_LL`; Linux says so since 5.18.
const BY_ROUTER: u8 = 2;
const BY_KERNEL: u8 = 3;
const HEADER: usize = 8;

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
    /// Its flags (`IFA_F_*`).
    pub flags: u32,
    /// Who gave it (`IFAPROT_*`, 0 is unspecified); `None`: the kernel does
    /// not say.
    pub protocol: Option<u8>,
    /// Its name where it has one of its own, such as `eth0:1`.
    pub label: Option<String>,
    /// All that the kernel said of it.
    payload: Vec<u8>,
}

impl Address {
    /// From the payload of an `RTM_NEWADDR`; `None` where it is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let header = AddressHeader::parse(payload).ok()?;
        let (mut local, mut peer) = (None, None);
        let mut address = Self {
            index: header.index,
            cidr: Cidr {
                address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                prefix_length: header.prefix_len,
            },
            broadcast: None,
            valid_seconds: None,
            flags: header.flags.bits().into(),
            protocol: None,
            label: None,
            payload: payload.to_vec(),
        };
        for (kind, value) in attributes(payload.get(HEADER..)?) {
            match kind {
                IFA_LOCAL => local = ip(value),
                IFA_ADDRESS => peer = ip(value),
                IFA_LABEL => address.label = Some(text(value)),
                IFA_BROADCAST => address.broadcast = value.try_into().ok().map(<[u8; 4]>::into),
                // struct ifa_cacheinfo: preferred, valid, created, updated.
                IFA_CACHEINFO => address.valid_seconds = value.get(4..8).and_then(number),
                IFA_FLAGS => address.flags = number(value)?,
                IFA_PROTO => address.protocol = value.first().copied(),
                _ => {}
            }
        }
        // On a point-to-point link IFA_ADDRESS is the other end's.
        address.cidr.address = local.or(peer)?;
        address.valid_seconds = address.valid_seconds.filter(|seconds| *seconds != u32::MAX);
        Some(address)
    }

    /// The kernel gave the interface its link-local address by itself, and
    /// gives every interface one.
    #[must_use]
    pub fn is_of_every_interface(&self) -> bool {
        match self.cidr.address {
            IpAddr::V6(address) if is_link_local(address) => {
                let from_mac = address.octets()[11..13] == [0xff, 0xfe];
                let private = self.flags & IFA_F_STABLE_PRIVACY != 0;
                self.protocol == Some(BY_KERNEL) || private || from_mac
            }
            _ => false,
        }
    }

    /// The kernel made it of what a router announces, and does so again on
    /// any interface with the same hardware address.
    #[must_use]
    pub fn is_by_router(&self) -> bool {
        match self.cidr.address {
            IpAddr::V6(address) if self.valid_seconds.is_some() => {
                let from_mac = address.octets()[11..13] == [0xff, 0xfe];
                let made = self.flags & (IFA_F_TEMPORARY | IFA_F_STABLE_PRIVACY) != 0;
                match self.protocol {
                    Some(protocol) => made || protocol == BY_ROUTER,
                    None => made || (from_mac && self.cidr.prefix_length == 64),
                }
            }
            _ => false,
        }
    }

    /// Another machine has it, and the kernel does not use it.
    #[must_use]
    pub fn is_anothers(&self) -> bool {
        self.flags & IFA_F_DADFAILED != 0
    }

    /// It is an IPv4 address, and not the first of its network: it goes with
    /// that one.
    #[must_use]
    pub fn is_secondary(&self) -> bool {
        !self.is_v6() && self.flags & IFA_F_SECONDARY != 0
    }

    /// It is an IPv6 address.
    #[must_use]
    pub fn is_v6(&self) -> bool {
        self.cidr.address.is_ipv6()
    }

    /// The kernel makes that route with it, to its network or the other end.
    #[must_use]
    pub fn brings(&self, route: &Route) -> bool {
        let Some(to) = route.destination.filter(|_| route.table == RT_TABLE_MAIN) else {
            return false;
        };
        let usual = if self.is_v6() {
            IP6_RT_PRIO_ADDRCONF
        } else {
            0
        };
        let metric = self.value(IFA_RT_PRIORITY).and_then(number);
        let other_end = self.value(IFA_ADDRESS).and_then(ip);
        let other_end = other_end.filter(|it| *it != self.cidr.address);
        let of_network = |address: IpAddr| {
            let prefix_length = self.cidr.prefix_length;
            let network = Cidr {
                address,
                prefix_length,
            };
            to.prefix_length == prefix_length && network.contains(to.address)
        };
        // IPv6 has one to the other end besides, and that in any case.
        let is_to_network = match (self.cidr.address, other_end) {
            (IpAddr::V4(_), Some(other_end)) => of_network(other_end),
            (own, _) => of_network(own),
        };
        let is_to_other_end =
            self.is_v6() && to.prefix_length == 128 && other_end == Some(to.address);
        let is_there = is_to_network && self.flags & IFA_F_NOPREFIXROUTE == 0;
        route.metric() == metric.unwrap_or(usual)
            && route.gateway.is_none()
            && (is_there || is_to_other_end)
    }

    /// The payload that gives it to that interface: with scope, lifetimes,
    /// flags, and a label that it can have there. An IPv6 address is usable at
    /// once, and marked so, unless `settled`.
    #[must_use]
    pub fn onto(&self, interface: &Interface, settled: bool) -> Vec<u8> {
        let mut flags = self.flags & GIVEN;
        if self.is_v6() && !settled {
            flags |= IFA_F_NODAD;
        }
        let mut payload = self.with_others(interface, |kind, value| match kind {
            IFA_FLAGS => None,
            IFA_LABEL => Some([self.label_on(interface).as_bytes(), &[0]].concat()),
            _ => Some(value.to_vec()),
        });
        push(&mut payload, IFA_FLAGS, &flags.to_ne_bytes());
        payload
    }

    /// The payload that takes it from that interface. Without its label: the
    /// kernel takes only an address that has the very one that is named
    /// (`EADDRNOTAVAIL`).
    #[must_use]
    pub fn off(&self, interface: &Interface) -> Vec<u8> {
        self.with_others(interface, |kind, value| match kind {
            IFA_LOCAL | IFA_ADDRESS => Some(value.to_vec()),
            _ => None,
        })
    }

    fn with_others(
        &self,
        interface: &Interface,
        of: impl Fn(u16, &[u8]) -> Option<Vec<u8>>,
    ) -> Vec<u8> {
        let mut header = self.payload.get(..HEADER).unwrap_or_default().to_vec();
        header[2] = 0;
        header[4..].copy_from_slice(&interface.index.to_ne_bytes());
        let rest = attributes(self.payload.get(HEADER..).unwrap_or_default());
        rebuilt(header, rest, of)
    }

    /// Its own on the interface that it was read from; else `eth0:1` is
    /// `xenbr0:1` on xenbr0, as far as a name can be long.
    fn label_on(&self, interface: &Interface) -> String {
        let label = self.label.as_deref().unwrap_or_default();
        if interface.index == self.index && !label.is_empty() {
            return label.to_owned();
        }
        let own = label.split_once(':').map(|(_, own)| format!(":{own}"));
        let mut whole = format!("{}{}", interface.name, own.unwrap_or_default());
        while whole.len() > crate::names::LONGEST {
            whole.pop();
        }
        whole
    }

    /// The address with its prefix length, and the other end's where it names one.
    #[must_use]
    pub fn with_peer(&self) -> String {
        let peer = self.value(IFA_ADDRESS).and_then(ip);
        match peer.filter(|peer| *peer != self.cidr.address) {
            Some(peer) => {
                let Cidr {
                    address,
                    prefix_length,
                } = self.cidr;
                format!("{address} peer {peer}/{prefix_length}")
            }
            None => self.cidr.to_string(),
        }
    }

    fn value(&self, of: u16) -> Option<&[u8]> {
        let mut all = attributes(self.payload.get(HEADER..).unwrap_or_default());
        all.find(|(kind, _)| *kind == of).map(|(_, value)| value)
    }

    /// The end of an `ip address` command.
    #[must_use]
    pub fn words(&self, interface: &Interface, settled: bool) -> String {
        let mut words = self.with_peer();
        let value = |of: u16| self.value(of);
        let mut add = |word: &str, value: String| words.push_str(&format!(" {word} {value}"));
        if let Some(broadcast) = self.broadcast {
            add("broadcast", broadcast.to_string());
        }
        if let Some(scope) = self.payload.get(3).filter(|scope| **scope != 0) {
            add("scope", scope.to_string());
        }
        let label = self.label_on(interface);
        if self.label.is_some() && label != interface.name {
            add("label", shell_words::quote(&label).into_owned());
        }
        if let Some(metric) = value(IFA_RT_PRIORITY).and_then(number) {
            add("metric", metric.to_string());
        }
        add("dev", shell_words::quote(&interface.name).into_owned());
        if let Some(seconds) = self.valid_seconds {
            add("valid_lft", seconds.to_string());
            let preferred = value(IFA_CACHEINFO).and_then(|it| it.get(..4).and_then(number));
            add("preferred_lft", preferred.unwrap_or(seconds).to_string());
        }
        for (flag, word) in [(0x02, " nodad"), (IFA_F_NOPREFIXROUTE, " noprefixroute")] {
            let set = self.flags & flag != 0 || (flag == 2 && self.is_v6() && !settled);
            words.push_str(if set { word } else { "" });
        }
        words
    }
}

/// The payload that gives an address, said again some seconds later: what is
/// left of its lifetimes is less by then.
#[must_use]
pub fn later(payload: &[u8], seconds: u32) -> Vec<u8> {
    let header = payload.get(..HEADER).unwrap_or(payload).to_vec();
    let rest = attributes(payload.get(HEADER..).unwrap_or_default());
    rebuilt(header, rest, |kind, value| {
        let mut value = value.to_vec();
        if kind == IFA_CACHEINFO {
            for (position, least) in [(0, 0), (4, 1)] {
                let left = value.get(position..position + 4).and_then(number);
                if let Some(left) = left.filter(|left| *left != u32::MAX) {
                    let left = left.saturating_sub(seconds).max(least);
                    value[position..position + 4].copy_from_slice(&left.to_ne_bytes());
                }
            }
        }
        Some(value)
    })
}
