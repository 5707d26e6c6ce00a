//! What is there: the bridge, the interfaces named, and the record.

use std::path::Path;

use crate::Error;
use crate::address::Address;
use crate::back::Gone;
use crate::cidr::Cidr;
use crate::link::Link;
use crate::lookups::{
    ask, read_addresses, read_given_neighbors, read_link, read_ports, read_routes, user_of,
};
use crate::managers::{Manager, read_managers};
use crate::names::InterfaceName;
use crate::neighbors::Neighbor;
use crate::netlink::Connection;
use crate::record::{self, Found, Record};
use crate::request;
use crate::route::Route;
use crate::routers::Heeding;
use crate::values::SMALLEST_V6_MTU;

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

impl Port {
    /// What routers announce is made anew by the kernel, wherever they are
    /// heard.
    #[must_use]
    pub fn heeds_routers(&self) -> bool {
        self.heeding.is_none_or(Heeding::heeds)
    }

    /// A bridge that becomes as small has no IPv6 any more.
    pub(crate) fn is_too_small_for_v6(&self) -> bool {
        self.link.mtu < SMALLEST_V6_MTU
    }
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
    /// The routes through it, where they matter.
    pub routes: Vec<Route>,
    /// The neighbours that somebody laid down, where they matter.
    pub neighbors: Vec<Neighbor>,
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
    /// Its addresses; not read where it is the bridge's port already, unless
    /// they are to move.
    pub addresses: Vec<Address>,
    /// The routes through it; likewise.
    pub routes: Vec<Route>,
    /// The neighbours that somebody laid down; read where it has addresses
    /// that are to move.
    pub neighbors: Vec<Neighbor>,
    /// Who else configures it; read where it is to move, and not a port yet.
    pub managers: Vec<Manager>,
    /// Whether it heeds what routers announce; likewise.
    pub heeding: Option<Heeding>,
}

/// What was read before anything was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What has the bridge's name.
    pub bridge: Option<Bridge>,
    /// The ports named, each once, in the order of their naming; `None`: no such interface.
    pub ports: Vec<(InterfaceName, Option<Port>)>,
    /// Addresses named that another interface has: its number and name.
    pub in_use: Vec<(Cidr, u32, String)>,
    /// Whether the bridge, or one that is made, heeds what routers announce;
    /// read where something is to move.
    pub heeding: Option<Heeding>,
    /// What an earlier `up` kept.
    pub record: Found,
    /// What became of the bridge that it is about, where that is no longer
    /// what has the name.
    pub lost: Option<Lost>,
    /// The cards that something is to go back to, and that are gone; read for
    /// `down`.
    pub gone: Vec<Gone>,
}

/// What became of a bridge that lost its name, and of the ports that `up`
/// added to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// The name that it has now; `None`: it is gone.
    pub renamed: Option<String>,
    /// A port that serves another by now, and that.
    pub taken: Option<(String, String)>,
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The bridge.
    pub name: &'a InterfaceName,
    /// How much of it.
    pub depth: Depth,
    /// The ports named.
    pub ports: &'a [InterfaceName],
    /// The addresses named.
    pub addresses: &'a [Cidr],
    /// What the ports have is to move to the bridge.
    pub moves: bool,
}

/// How much of the bridge is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The link.
    Link,
    /// The link and its addresses.
    Addresses,
    /// The link, its addresses and ports.
    Ports,
    /// The link, its addresses, ports and routes.
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
        subject: Subject<'_>,
    ) -> Result<Self, Error> {
        let mut facts = Self::read_once(connection, root, subject)?;
        for _ in 0..ATTEMPTS {
            if !facts.is_outdated(subject.name) {
                break;
            }
            facts = Self::read_once(connection, root, subject)?;
        }
        Ok(facts)
    }

    fn read_once(
        connection: &mut Connection,
        root: &Path,
        subject: Subject<'_>,
    ) -> Result<Self, Error> {
        let name = subject.name;
        let bridge = read_bridge(connection, name, subject.depth, subject.moves)?;
        let index = bridge.as_ref().map(|bridge| bridge.link.index);
        let mut facts = Self {
            record: record::read(root, real_name(bridge.as_ref(), name)),
            bridge,
            ..Self::default()
        };
        if let Some(record) = facts.record.of_another(index) {
            facts.lost = Some(read_lost(connection, record)?);
        }
        if subject.moves {
            let of = facts.bridge.as_ref().map(|it| it.link.name.as_str());
            facts.heeding = Heeding::read(root, of.unwrap_or("default"));
        }
        for port in subject.ports {
            let found = read_port(connection, root, port, index, subject.moves)?;
            // It may be named twice, once by an alternative name.
            let is_known = found.as_ref().is_some_and(|found| facts.has(&found.link));
            if !is_known {
                facts.ports.push((port.clone(), found));
            }
        }
        let mut ports = facts.ports.iter().filter_map(|(_, port)| port.as_ref());
        let takes_v6 = ports.any(Port::is_too_small_for_v6);
        let unread = facts.bridge.as_mut();
        let unread = unread.filter(|it| subject.depth < Depth::Addresses && it.link.is_bridge());
        if let Some(bridge) = unread.filter(|_| takes_v6) {
            bridge.addresses = read_addresses(connection, &bridge.link)?;
        }
        for cidr in subject.addresses {
            let mut had = facts.bridge.iter().flat_map(|bridge| &bridge.addresses);
            if !had.any(|address| address.cidr.address == cidr.address) {
                let user = user_of(connection, cidr)?;
                facts
                    .in_use
                    .extend(user.map(|user| (*cidr, user.index, user.name)));
            }
        }
        Ok(facts)
    }

    /// What an earlier `up` kept of that bridge. By force, one that cannot be
    /// read counts as none.
    ///
    /// # Errors
    /// [`Error::BadRecord`].
    pub fn record_of(&self, bridge: &Link, force: bool) -> Result<Option<&Record>, Error> {
        match self.record.of(bridge) {
            Err(_) if force => Ok(None),
            found => found,
        }
    }

    /// The bridge went by other means, and what was moved to it is nowhere.
    #[must_use]
    pub fn has_lost_what_was_moved(&self) -> bool {
        let record = match &self.record {
            Found::Record(record) => Some(record),
            _ => None,
        };
        self.lost.is_some() && record.is_some_and(|record| !record.back.is_empty())
    }

    /// That port is among those named already.
    fn has(&self, link: &Link) -> bool {
        let mut ports = self.ports.iter().filter_map(|(_, port)| port.as_ref());
        ports.any(|port| port.link.index == link.index)
    }

    /// The bridge was made after it was looked for, and before a port or the
    /// record was.
    fn is_outdated(&self, name: &InterfaceName) -> bool {
        let bridge = real_name(self.bridge.as_ref(), name);
        let renamed = self.lost.as_ref().and_then(|lost| lost.renamed.as_deref());
        let ports = self.ports.iter().filter_map(|(_, port)| port.as_ref());
        let mut masters = ports.filter_map(|port| port.master.as_deref());
        renamed == Some(bridge) || masters.any(|master| master == bridge)
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
    moves: bool,
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
    if depth >= Depth::Addresses {
        bridge.addresses = read_addresses(connection, &bridge.link)?;
    }
    if depth >= Depth::Ports {
        bridge.ports = read_ports(connection, &bridge.link)?;
    }
    if depth >= Depth::All {
        bridge.routes = read_routes(connection, &Interface::from(&bridge.link))?;
    }
    if depth >= Depth::All || moves {
        bridge.neighbors = read_given_neighbors(connection, &bridge.link)?;
    }
    Ok(Some(bridge))
}

fn read_lost(connection: &mut Connection, record: &Record) -> Result<Lost, Error> {
    let mut by_index = |index: u32| {
        let name = format!("interface {index}");
        ask(connection, request::get_link_by_index(index), &name)
    };
    let bridge = by_index(record.ifindex)?.filter(Link::is_bridge);
    let mut lost = Lost {
        renamed: bridge.map(|bridge| bridge.name),
        taken: None,
    };
    for added in &record.ports {
        let link = by_index(added.ifindex)?;
        let master = link.as_ref().and_then(|link| link.master);
        if let (Some(link), Some(master)) = (link, master) {
            let name = by_index(master)?.map(|it| it.name).unwrap_or_default();
            lost.taken = Some((link.name, name));
        }
    }
    Ok(lost)
}

fn read_port(
    connection: &mut Connection,
    root: &Path,
    name: &InterfaceName,
    bridge: Option<u32>,
    moves: bool,
) -> Result<Option<Port>, Error> {
    let Some(link) = read_link(connection, name.as_str())? else {
        return Ok(None);
    };
    let mut port = Port {
        link,
        ..Port::default()
    };
    let is_its_port = port.link.master.is_some() && port.link.master == bridge;
    if let Some(master) = port.link.master.filter(|_| !is_its_port) {
        let message = request::get_link_by_index(master);
        let found = ask(connection, message, name.as_str())?;
        port.master = Some(found.map_or_else(|| format!("interface {master}"), |it| it.name));
        return Ok(Some(port));
    }
    if !is_its_port {
        let card = root.join("sys/class/net").join(&port.link.name);
        port.wireless = card.join("phy80211").exists();
    }
    if !is_its_port || moves {
        port.addresses = read_addresses(connection, &port.link)?;
        port.routes = read_routes(connection, &Interface::from(&port.link))?;
    }
    if moves && !is_its_port {
        port.managers = read_managers(root, &Interface::from(&port.link));
    }
    if moves && !(port.addresses.is_empty() && port.routes.is_empty()) {
        port.neighbors = read_given_neighbors(connection, &port.link)?;
        port.heeding = Heeding::read(root, &port.link.name);
    }
    Ok(Some(port))
}
