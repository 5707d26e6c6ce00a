//! What somebody laid down about neighbours: their hardware addresses, and
//! those that an interface answers for.

use std::net::IpAddr;

use crate::facts::Interface;
use crate::reply::{attributes, ip, number, rebuilt};
use crate::values::Mac;

// linux/neighbour.h
pub(crate) const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_PROBES: u16 = 4;
pub(crate) const NTF_PROXY: u8 = 0x08;
const NUD_REACHABLE: u8 = 0x02;
/// Entries of interfaces and addresses that nobody is asked for.
const NUD_NOARP: u8 = 0x40;
const NUD_PERMANENT: u8 = 0x80;
/// struct ndmsg: family, padding, index, state, flags, type.
const HEADER: usize = 12;

/// An entry of an interface's table of neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbor {
    /// The interface's number.
    pub index: u32,
    /// The neighbour's address.
    pub address: IpAddr,
    state: u8,
    flags: u8,
    mac: Option<Mac>,
    payload: Vec<u8>,
}

impl Neighbor {
    /// From the payload of an `RTM_NEWNEIGH`; `None` where it is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (header, rest) = payload.split_at_checked(HEADER)?;
        let (mut address, mut mac) = (None, None);
        for (kind, value) in attributes(rest) {
            match kind {
                NDA_DST => address = ip(value),
                NDA_LLADDR => mac = value.try_into().ok().map(Mac),
                _ => {}
            }
        }
        Some(Self {
            index: header.get(4..8).and_then(number)?,
            address: address?,
            state: header[8],
            flags: header[10],
            mac,
            payload: payload.to_vec(),
        })
    }

    /// Somebody laid it down, and the kernel does not find it out by itself.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.state & NUD_PERMANENT != 0 || self.is_proxy()
    }

    /// It has answered, or is not to be asked.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP) != 0
    }

    /// The interface answers for it.
    fn is_proxy(&self) -> bool {
        self.flags & NTF_PROXY != 0
    }

    /// The payload that makes it a neighbour of that interface, or takes it
    /// from there.
    #[must_use]
    pub fn on(&self, interface: &Interface) -> Vec<u8> {
        let mut header = self.payload.get(..HEADER).unwrap_or_default().to_vec();
        header[4..8].copy_from_slice(&interface.index.to_ne_bytes());
        let rest = attributes(self.payload.get(HEADER..).unwrap_or_default());
        rebuilt(header, rest, |kind, value| match kind {
            NDA_CACHEINFO | NDA_PROBES => None,
            _ => Some(value.to_vec()),
        })
    }

    /// The end of an `ip neighbor` command that gives it.
    #[must_use]
    pub fn command(&self, interface: &Interface) -> String {
        let mac = self
            .mac
            .map_or_else(String::new, |mac| format!(" lladdr {mac}"));
        let dev = shell_words::quote(&interface.name);
        match self.is_proxy() {
            true => format!("proxy {} dev {dev}", self.address),
            false => format!("{}{mac} nud permanent dev {dev}", self.address),
        }
    }

    /// The end of one that takes it.
    #[must_use]
    pub fn short_command(&self, interface: &Interface) -> String {
        let proxy = if self.is_proxy() { "proxy " } else { "" };
        let dev = shell_words::quote(&interface.name);
        format!("{proxy}{} dev {dev}", self.address)
    }
}
