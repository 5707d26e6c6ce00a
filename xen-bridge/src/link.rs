//! What the kernel says of interfaces.

use netlink_packet_route::link::{LinkFlags, LinkHeader};

use crate::reply::{attributes, number, text};
use crate::settings::{KINDS, Settings};
use crate::values::Mac;

// linux/if_link.h
pub(crate) const IFLA_ADDRESS: u16 = 1;
pub(crate) const IFLA_IFNAME: u16 = 3;
pub(crate) const IFLA_MTU: u16 = 4;
pub(crate) const IFLA_MASTER: u16 = 10;
pub(crate) const IFLA_LINKINFO: u16 = 18;
pub(crate) const IFLA_INFO_KIND: u16 = 1;
pub(crate) const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
/// `IFLA_BR_NF_CALL_IPTABLES`, `_IP6TABLES`, `_ARPTABLES`.
const IFLA_BR_NF_CALLS: [u16; 3] = [36, 37, 38];
const IFLA_BRPORT_STATE: u16 = 1;

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number, which no other interface of the namespace gets again,
    /// unless somebody asks for it (`ip link add ... index`).
    pub index: u32,
    /// Its name; the one asked for may be an alternative name.
    pub name: String,
    /// It is switched on.
    pub up: bool,
    /// Something answers at the other end.
    pub carrier: bool,
    /// It is on, and the kernel has taken notice of the carrier: what is sent
    /// is no longer thrown away.
    pub running: bool,
    /// It is lo.
    pub loopback: bool,
    /// Its hardware address, where that is six bytes.
    pub mac: Option<Mac>,
    /// The longest packet, in bytes.
    pub mtu: u32,
    /// What drives it, such as `bridge` or `veth`; hardware has none.
    pub kind: Option<String>,
    /// The interface that it is a port of.
    pub master: Option<u32>,
    /// What that is, such as `bridge` or `bond`.
    pub master_kind: Option<String>,
    /// What a bridge is set to.
    pub bridge: BridgeState,
    /// The state of a bridge's port, as `bridge link` prints it.
    pub port_state: Option<&'static str>,
}

/// What a bridge is set to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeState {
    /// Its settings.
    pub settings: Settings,
    /// By the bridge's own switches, frames go through iptables, ip6tables,
    /// arptables.
    pub netfilter: [bool; 3],
}

impl Link {
    /// From the payload of an `RTM_NEWLINK`; `None` where it is none.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        Self::of(payload).filter(|link| !link.name.is_empty())
    }

    /// From the payload of a request, which need not have a name.
    pub(crate) fn of(payload: &[u8]) -> Option<Self> {
        let header = LinkHeader::parse(payload).ok()?;
        let mut link = Self {
            index: header.index,
            up: header.flags.contains(LinkFlags::Up),
            carrier: header.flags.contains(LinkFlags::LowerUp),
            running: header.flags.contains(LinkFlags::Running),
            loopback: header.flags.contains(LinkFlags::Loopback),
            ..Self::default()
        };
        for (kind, value) in attributes(payload.get(16..)?) {
            match kind {
                IFLA_ADDRESS => link.mac = value.try_into().ok().map(Mac),
                IFLA_IFNAME => link.name = text(value),
                IFLA_MTU => link.mtu = number(value)?,
                IFLA_MASTER => link.master = number(value),
                IFLA_LINKINFO => link.read_info(value),
                _ => {}
            }
        }
        Some(link)
    }

    /// It is a bridge.
    #[must_use]
    pub fn is_bridge(&self) -> bool {
        self.kind.as_deref() == Some("bridge")
    }

    fn read_info(&mut self, info: &[u8]) {
        for (kind, value) in attributes(info) {
            match kind {
                IFLA_INFO_KIND => self.kind = Some(text(value)),
                IFLA_INFO_SLAVE_KIND => self.master_kind = Some(text(value)),
                // The kinds come before the data that they explain.
                IFLA_INFO_DATA if self.is_bridge() => self.bridge.read(value),
                IFLA_INFO_SLAVE_DATA if self.master_kind.as_deref() == Some("bridge") => {
                    self.port_state = read_port_state(value);
                }
                _ => {}
            }
        }
    }
}

impl BridgeState {
    fn read(&mut self, data: &[u8]) {
        for (attribute, value) in attributes(data) {
            if let Some(place) = KINDS.iter().position(|it| it.attribute == attribute) {
                let kind = &KINDS[place];
                let value = match value {
                    [byte] if kind.is_byte => Some((*byte).into()),
                    [_, _, _, _] if !kind.is_byte => number(value),
                    _ => continue,
                };
                let limit = if kind.is_time { u32::MAX } else { 1 };
                self.settings.0[place] = value.map(|value| value.min(limit));
            }
            if let Some(place) = IFLA_BR_NF_CALLS.iter().position(|it| *it == attribute) {
                self.netfilter[place] = !matches!(value, [0] | []);
            }
        }
    }
}

/// `BR_STATE_DISABLED` and so on, `linux/if_bridge.h`.
fn read_port_state(data: &[u8]) -> Option<&'static str> {
    let (_, state) = attributes(data).find(|(kind, _)| *kind == IFLA_BRPORT_STATE)?;
    Some(match state {
        [0] => "disabled",
        [1] => "listening",
        [2] => "learning",
        [3] => "forwarding",
        [4] => "blocking",
        _ => "unknown",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::route::Route;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn bridge() -> Vec<u8> {
        let mut settings = attribute(5, &1u32.to_ne_bytes());
        settings.extend(attribute(1, &1500u32.to_ne_bytes()));
        // Wrong length: passed over.
        settings.extend(attribute(4, &[1]));
        let mut info = attribute(IFLA_INFO_KIND, b"bridge\0");
        info.extend(attribute(IFLA_INFO_DATA, &settings));
        let mut payload = vec![0; 16];
        payload[4] = 9;
        payload[8] = 1;
        payload.extend(attribute(IFLA_IFNAME, b"xenbr0\0"));
        payload.extend(attribute(999, b"?"));
        payload.extend(attribute(IFLA_LINKINFO, &info));
        payload
    }

    #[test]
    fn reads_a_bridge() {
        let link = Link::parse(&bridge()).unwrap();
        assert_eq!((link.index, link.name.as_str()), (9, "xenbr0"));
        assert!(link.up && !link.carrier && link.is_bridge());
        let settings = Settings([Some(1), Some(1500), None, None, None]);
        assert_eq!(link.bridge.settings, settings);
    }

    #[test]
    fn survives_every_cut_and_every_flipped_byte() {
        let whole = bridge();
        for length in 0..whole.len() {
            let _ = Link::parse(&whole[..length]);
        }
        for position in 0..whole.len() {
            let mut bent = whole.clone();
            bent[position] ^= 0xff;
            let _ = (
                Link::parse(&bent),
                Address::parse(&bent),
                Route::parse(&bent),
            );
        }
    }
}
