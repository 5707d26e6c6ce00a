//! What is there: the bridge, the interfaces named, and the record.

use std::path::Path;

use netlink_packet_route::AddressFamily;
use nix::errno::Errno;

use crate::Error;
use crate::link::Link;
use crate::names::InterfaceName;
use crate::netlink::{Connection, Payload};
use crate::record::{self, Found};
use crate::reply::{Address, Route};
use crate::request::{self, Request};

/// How often what changes while it is read is read again.
const ATTEMPTS: usize = 10;

/// An interface, as steps name it. The kernel goes by the number; 0 is "not
/// yet known".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
}

impl From<&Link> for Interface {
    fn from(link: &Link) -> Self {
        Self {
            index: link.index,
            name: link.name.clone(),
        }
    }
}

/// A bridge, or what else has its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bridge {
    /// The link itself.
    pub link: Link,
    /// Its addresses, where they matter.
    pub addresses: Vec<Address>,
    /// Its ports, where they matter.
    pub ports: Vec<Link>,
}

/// An interface that is named as a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Port {
    /// The link itself.
    pub link: Link,
    /// The name of what it is a port of already.
    pub master: Option<String>,
    /// A wireless card (sysfs has `phy80211` for it).
    pub wireless: bool,
    /// Its addresses; not read where it is the bridge's port already.
    pub addresses: Vec<Address>,
    /// The routes through it; likewise.
    pub routes: Vec<Route>,
}

/// What was read before anything was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What has the bridge's name.
    pub bridge: Option<Bridge>,
    /// The ports named, in the order of their naming; `None`: no such interface.
    pub ports: Vec<(InterfaceName, Option<Port>)>,
    /// What an earlier `up` kept.
    pub record: Found,
}

/// How much of the bridge is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The link.
    Link,
    /// The link and its addresses.
    Addresses,
    /// The link, its addresses and its ports.
    All,
}

impl Facts {
    /// Asks the kernel, and reads the record below `root`.
    ///
    /// # Errors
    /// A request that failed for another reason than that there is no such
    /// interface.
    pub fn read(
        connection: &mut Connection,
        root: &Path,
        name: &InterfaceName,
        depth: Depth,
        ports: &[InterfaceName],
    ) -> Result<Self, Error> {
        let mut facts = Self::read_once(connection, root, name, depth, ports)?;
        for _ in 0..ATTEMPTS {
            if !facts.is_outdated(name) {
                break;
            }
            facts = Self::read_once(connection, root, name, depth, ports)?;
        }
        Ok(facts)
    }

    fn read_once(
        connection: &mut Connection,
        root: &Path,
        name: &InterfaceName,
        depth: Depth,
        ports: &[InterfaceName],
    ) -> Result<Self, Error> {
        let bridge = read_bridge(connection, name, depth)?;
        let index = bridge.as_ref().map(|bridge| bridge.link.index);
        let mut facts = Self {
            record: record::read(root, real_name(bridge.as_ref(), name)),
            bridge,
            ports: vec![],
        };
        for port in ports {
            let found = read_port(connection, root, port, index)?;
            facts.ports.push((port.clone(), found));
        }
        Ok(facts)
    }

    /// The bridge was made after it was looked for, and before a port was.
    fn is_outdated(&self, name: &InterfaceName) -> bool {
        let bridge = real_name(self.bridge.as_ref(), name);
        let ports = self.ports.iter().filter_map(|(_, port)| port.as_ref());
        ports
            .filter_map(|port| port.master.as_deref())
            .any(|master| master == bridge)
    }
}

/// The name that the kernel knows the bridge by, which an alternative name is not.
fn real_name<'a>(bridge: Option<&'a Bridge>, name: &'a InterfaceName) -> &'a str {
    bridge.map_or(name.as_str(), |bridge| bridge.link.name.as_str())
}

fn read_bridge(
    connection: &mut Connection,
    name: &InterfaceName,
    depth: Depth,
) -> Result<Option<Bridge>, Error> {
    let Some(link) = read_link(connection, name.as_str())? else {
        return Ok(None);
    };
    let mut bridge = Bridge {
        link,
        ..Bridge::default()
    };
    if !bridge.link.is_bridge() {
        return Ok(Some(bridge));
    }
    if depth != Depth::Link {
        bridge.addresses = read_addresses(connection, &bridge.link)?;
    }
    if depth == Depth::All {
        bridge.ports = read_ports(connection, &bridge.link)?;
    }
    Ok(Some(bridge))
}

fn read_port(
    connection: &mut Connection,
    root: &Path,
    name: &InterfaceName,
    bridge: Option<u32>,
) -> Result<Option<Port>, Error> {
    let Some(link) = read_link(connection, name.as_str())? else {
        return Ok(None);
    };
    let mut port = Port {
        link,
        ..Port::default()
    };
    match port.link.master {
        Some(master) if Some(master) == bridge => {}
        Some(master) => {
            let found = ask(
                connection,
                request::get_link_by_index(master),
                name.as_str(),
            )?;
            port.master = Some(found.map_or_else(|| format!("interface {master}"), |it| it.name));
        }
        None => {
            port.addresses = read_addresses(connection, &port.link)?;
            port.routes = read_routes(connection, &port.link)?;
            let card = root.join("sys/class/net").join(&port.link.name);
            port.wireless = card.join("phy80211").exists();
        }
    }
    Ok(Some(port))
}

/// The link of that name or alternative name.
///
/// # Errors
/// A request that failed otherwise than with `ENODEV`.
pub fn read_link(connection: &mut Connection, name: &str) -> Result<Option<Link>, Error> {
    ask(connection, request::get_link(name), name)
}

fn ask(connection: &mut Connection, message: Request, name: &str) -> Result<Option<Link>, Error> {
    match connection.get(message) {
        Ok(reply) => Link::parse(&reply)
            .map(Some)
            .ok_or_else(|| Error::system(format!("look at interface {name}"), Errno::EBADMSG)),
        Err(failure) if failure.is_no_device() => Ok(None),
        Err(failure) => Err(Error::netlink(format!("look at interface {name}"), failure)),
    }
}

/// An interface can go while it is being looked at; then it has nothing.
fn dump(
    connection: &mut Connection,
    message: &Request,
    what: &str,
    link: &Link,
) -> Result<Vec<Payload>, Error> {
    match connection.dump(message) {
        Err(failure) if failure.is_no_device() => Ok(vec![]),
        result => result.map_err(|failure| {
            Error::netlink(format!("list the {what} of {}", link.name), failure)
        }),
    }
}

/// The bridge's ports, in the order of their numbers.
fn read_ports(connection: &mut Connection, bridge: &Link) -> Result<Vec<Link>, Error> {
    let replies = dump(
        connection,
        &request::get_ports(bridge.index),
        "ports",
        bridge,
    )?;
    let links = replies.iter().filter_map(|reply| Link::parse(reply));
    let mut ports: Vec<Link> = links
        .filter(|link| link.master == Some(bridge.index))
        .collect();
    ports.sort_unstable_by_key(|port| port.index);
    Ok(ports)
}

/// The interface's addresses, without those that every interface has.
fn read_addresses(connection: &mut Connection, link: &Link) -> Result<Vec<Address>, Error> {
    let replies = dump(
        connection,
        &request::get_addresses(link.index),
        "addresses",
        link,
    )?;
    let addresses = replies.iter().filter_map(|reply| Address::parse(reply));
    Ok(addresses
        .filter(|address| address.index == link.index && !address.cidr.is_link_local_v6())
        .collect())
}

/// The routes through the interface, without those that every interface has.
fn read_routes(connection: &mut Connection, link: &Link) -> Result<Vec<Route>, Error> {
    let mut routes = vec![];
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let is_v6 = family == AddressFamily::Inet6;
        let message = request::get_routes(link.index, family);
        let replies = match connection.dump(&message) {
            // A kernel without IPv6, or with it switched off.
            Err(failure) if is_v6 && failure.is(Errno::EOPNOTSUPP) => vec![],
            Err(failure) if is_v6 && failure.is(Errno::EAFNOSUPPORT) => vec![],
            Err(failure) if failure.is_no_device() => vec![],
            result => result.map_err(|failure| {
                Error::netlink(format!("list the routes through {}", link.name), failure)
            })?,
        };
        let parsed = replies.iter().filter_map(|reply| Route::parse(reply));
        routes.extend(parsed.filter(|route| {
            route.is_v6 == is_v6
                && route.carries_the_host()
                && (route.by_object || route.interfaces.contains(&link.index))
        }));
    }
    Ok(routes)
}
