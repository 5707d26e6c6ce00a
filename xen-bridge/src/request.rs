//! What the kernel is asked for: one message each, and nothing decided.

use std::net::{IpAddr, Ipv6Addr};

use netlink_packet_core::{
    DefaultNla, Emitable, NLA_F_NESTED, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE,
    NetlinkSerializable,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteFlags, RouteHeader};
use nix::libc;

use crate::cidr::Cidr;
use crate::link::{
    IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER, IFLA_MTU,
};
use crate::neighbors::NDA_DST;
use crate::route::{RTA_DST, RTA_OIF};
use crate::settings::{Kind, Settings};
use crate::values::Mac;

/// The flags that let a request make something, but not change it.
pub const MAKE: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// `linux/if_link.h`.
const IFLA_EXT_MASK: u16 = 29;
/// `linux/neighbour.h`.
const NDA_IFINDEX: u16 = 8;
/// `linux/rtnetlink.h`: the route itself, not what follows from it.
const RTM_F_FIB_MATCH: u32 = 0x2000;
/// `linux/rtnetlink.h`: leave statistics out, which are most of an answer.
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

/// Takes the place of what is there.
pub const REPLACE: u16 = NLM_F_CREATE | NLM_F_REPLACE;
/// Goes before what is there.
pub const PREPEND: u16 = NLM_F_CREATE;

/// A request, as bytes behind the header.
///
/// The library's own types for any message, and for any attribute of a link,
/// have a case for each that there is: together a quarter of a megabyte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `RTM_NEWLINK` and so on.
    pub kind: u16,
    /// All behind the common header.
    pub payload: Vec<u8>,
}

impl Request {
    fn new(kind: u16, header: &impl Emitable, attributes: &[DefaultNla]) -> Self {
        let mut payload = bytes(header);
        payload.extend(bytes(&attributes));
        Self { kind, payload }
    }

    /// The same, asked that many seconds later.
    #[must_use]
    pub fn later(&self, seconds: u32) -> Self {
        let payload = match self.kind {
            libc::RTM_NEWADDR => crate::address::later(&self.payload, seconds),
            _ => self.payload.clone(),
        };
        let kind = self.kind;
        Self { kind, payload }
    }

    fn link(kind: u16, index: u32, attributes: &[DefaultNla]) -> Self {
        Self::new(kind, &link_header(index), attributes)
    }
}

impl NetlinkSerializable for Request {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.payload.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.payload);
    }
}

fn bytes(message: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    bytes
}

fn link_header(index: u32) -> LinkHeader {
    LinkHeader {
        index,
        ..LinkHeader::default()
    }
}

fn number(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_ne_bytes().to_vec())
}

fn name_of(name: &str) -> DefaultNla {
    DefaultNla::new(IFLA_IFNAME, [name.as_bytes(), &[0]].concat())
}

fn mac_of(mac: Mac) -> DefaultNla {
    DefaultNla::new(IFLA_ADDRESS, mac.0.to_vec())
}

fn no_statistics() -> DefaultNla {
    number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
}

/// The link of that name.
pub fn get_link(name: &str) -> Request {
    Request::link(libc::RTM_GETLINK, 0, &[name_of(name), no_statistics()])
}

/// The link of that number.
pub fn get_link_by_index(index: u32) -> Request {
    Request::link(libc::RTM_GETLINK, index, &[no_statistics()])
}

/// A dump of the ports of a bridge.
pub fn get_ports(bridge: u32) -> Request {
    let attributes = [number(IFLA_MASTER, bridge), no_statistics()];
    Request::link(libc::RTM_GETLINK, 0, &attributes)
}

/// A dump of the addresses of an interface.
pub fn get_addresses(index: u32) -> Request {
    let mut message = AddressMessage::default();
    message.header.index = index;
    Request::new(libc::RTM_GETADDR, &message, &[])
}

/// That address, wherever it is: without a dump the kernel knows it for IPv6.
pub fn get_address(address: Ipv6Addr) -> Request {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.attributes = vec![AddressAttribute::Address(address.into())];
    Request::new(libc::RTM_GETADDR, &message, &[])
}

/// A dump of the routes through an interface.
pub fn get_routes(index: u32, family: AddressFamily) -> Request {
    let header = RouteHeader {
        address_family: family,
        ..RouteHeader::default()
    };
    Request::new(libc::RTM_GETROUTE, &header, &[number(RTA_OIF, index)])
}

/// A bridge with its settings, up; with [`MAKE`].
pub fn make_bridge(name: &str, mac: Option<Mac>, settings: &Settings) -> Request {
    let mut attributes = vec![name_of(name)];
    attributes.extend(mac.map(mac_of));
    attributes.push(bridge_info(settings));
    Request::new(libc::RTM_NEWLINK, &switched(0, true), &attributes)
}

/// Other settings for a bridge. Only `RTM_NEWLINK` takes them; without the
/// flags of [`MAKE`] it makes nothing.
pub fn set_bridge(index: u32, settings: &Settings) -> Request {
    Request::link(libc::RTM_NEWLINK, index, &[bridge_info(settings)])
}

fn bridge_info(settings: &Settings) -> DefaultNla {
    let attribute = |(kind, value): (&Kind, u32)| {
        let bytes = value.to_ne_bytes();
        let value = if kind.is_byte {
            vec![u8::from(value != 0)]
        } else {
            bytes.to_vec()
        };
        DefaultNla::new(kind.attribute, value)
    };
    let data: Vec<DefaultNla> = settings.named().map(attribute).collect();
    let info = [
        DefaultNla::new(IFLA_INFO_KIND, b"bridge".to_vec()),
        nested(IFLA_INFO_DATA, &data),
    ];
    nested(IFLA_LINKINFO, &info)
}

fn nested(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, bytes(&attributes))
}

/// The link is gone. By name where the number is not known (0).
pub fn remove_link(index: u32, name: &str) -> Request {
    let by_name: Vec<DefaultNla> = (index == 0).then(|| name_of(name)).into_iter().collect();
    Request::link(libc::RTM_DELLINK, index, &by_name)
}

/// A hardware address.
pub fn set_mac(index: u32, mac: Mac) -> Request {
    Request::link(libc::RTM_SETLINK, index, &[mac_of(mac)])
}

/// The longest packet.
pub fn set_mtu(index: u32, mtu: u32) -> Request {
    Request::link(libc::RTM_SETLINK, index, &[number(IFLA_MTU, mtu)])
}

/// On or off.
pub fn set_up(index: u32, up: bool) -> Request {
    Request::new(libc::RTM_SETLINK, &switched(index, up), &[])
}

fn switched(index: u32, up: bool) -> LinkHeader {
    let mut header = link_header(index);
    header.change_mask = LinkFlags::Up;
    header.flags.set(LinkFlags::Up, up);
    header
}

/// The bridge that it is a port of; 0 for none.
pub fn set_master(index: u32, bridge: u32) -> Request {
    Request::link(libc::RTM_SETLINK, index, &[number(IFLA_MASTER, bridge)])
}

/// What the kernel knows of the way to that address: the request is to go
/// on with the state and flags.
pub fn neighbor(kind: u16, index: u32, address: IpAddr, flags: u8) -> Request {
    let (family, bytes) = match address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    };
    // struct ndmsg: family, padding, index, state, flags, type.
    let mut payload = vec![family.to_ne_bytes()[0], 0, 0, 0];
    payload.extend(index.to_ne_bytes());
    payload.extend([0, 0, flags, 0]);
    crate::reply::push(&mut payload, NDA_DST, &bytes);
    Request { kind, payload }
}

/// A dump of the neighbours of an interface, or of those that it answers for.
pub fn get_neighbors(index: u32, flags: u8) -> Request {
    let mut payload = vec![0; 12];
    payload[10] = flags;
    crate::reply::push(&mut payload, NDA_IFINDEX, &index.to_ne_bytes());
    let kind = libc::RTM_GETNEIGH;
    Request { kind, payload }
}

/// The route that a packet to that address takes, as the table has it.
pub fn get_route_to(cidr: &Cidr) -> Request {
    let (family, bytes) = match cidr.address {
        IpAddr::V4(address) => (AddressFamily::Inet, address.octets().to_vec()),
        IpAddr::V6(address) => (AddressFamily::Inet6, address.octets().to_vec()),
    };
    let header = RouteHeader {
        address_family: family,
        destination_prefix_length: if cidr.address.is_ipv4() { 32 } else { 128 },
        flags: RouteFlags::from_bits_retain(RTM_F_FIB_MATCH),
        ..RouteHeader::default()
    };
    Request::new(
        libc::RTM_GETROUTE,
        &header,
        &[DefaultNla::new(RTA_DST, bytes)],
    )
}

/// An address; with [`MAKE`].
pub fn add_address(index: u32, cidr: &Cidr) -> Request {
    let mut message = address(index, cidr);
    let broadcast = cidr.broadcast().map(AddressAttribute::Broadcast);
    message.attributes.extend(broadcast);
    Request::new(libc::RTM_NEWADDR, &message, &[])
}

/// The interface has the address, and uses it before anybody was asked who
/// else has it.
pub fn add_address_again(index: u32, cidr: &Cidr) -> Request {
    let mut message = address(index, cidr);
    message.header.flags = AddressHeaderFlags::Nodad;
    Request::new(libc::RTM_NEWADDR, &message, &[])
}

/// The address is gone.
pub fn remove_address(index: u32, cidr: &Cidr) -> Request {
    Request::new(libc::RTM_DELADDR, &address(index, cidr), &[])
}

fn address(index: u32, cidr: &Cidr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = cidr.prefix_length;
    message.header.family = match cidr.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.attributes = vec![
        AddressAttribute::Local(cidr.address),
        AddressAttribute::Address(cidr.address),
    ];
    message
}
