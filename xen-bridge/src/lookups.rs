//! What the kernel is asked for: one link, or what an interface has.

use std::fs;
use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use nix::errno::Errno;

use crate::Error;
use crate::address::Address;
use crate::cidr::{Cidr, is_link_local};
use crate::facts::Interface;
use crate::link::Link;
use crate::neighbors::{NTF_PROXY, Neighbor};
use crate::netlink::{Connection, Payload};
use crate::request::{self, Request};
use crate::route::Route;

/// The interface that has the address. Of IPv4 the routes to oneself tell, also
/// where the interface is down; of IPv6 these are not there then.
pub(crate) fn user_of(
    connection: &mut Connection,
    cidr: &Cidr,
) -> Result<Option<Interface>, Error> {
    let request = match cidr.address {
        IpAddr::V4(_) => request::get_route_to(cidr),
        // Each link has its own.
        IpAddr::V6(address) if is_link_local(address) => return Ok(None),
        IpAddr::V6(address) => request::get_address(address),
    };
    let reply = match connection.get(request) {
        Ok(reply) => reply,
        // There is no such address, or no way that leads there.
        Err(failure) if failure.is_refusal() => return Ok(None),
        Err(failure) => {
            let doing = format!("ask who has {}", cidr.address);
            return Err(Error::netlink(doing, failure));
        }
    };
    let index = if cidr.address.is_ipv6() {
        Address::parse(&reply).map(|address| address.index)
    } else {
        let route = Route::parse(&reply).filter(|route| route.is_of_address(cidr));
        route.and_then(|route| route.interfaces.first().copied())
    };
    let Some(index) = index else {
        return Ok(None);
    };
    let link = ask(
        connection,
        request::get_link_by_index(index),
        &index.to_string(),
    )?;
    Ok(link.as_ref().map(Interface::from))
}

/// The link of that name or alternative name.
///
/// # Errors
/// A request that failed otherwise than with `ENODEV`.
pub fn read_link(connection: &mut Connection, name: &str) -> Result<Option<Link>, Error> {
    ask(connection, request::get_link(name), name)
}

/// The name that the kernel has for it: the one given may be an alternative
/// name, and files go by the kernel's.
///
/// # Errors
/// As for [`read_link`].
pub(crate) fn kernels_name(connection: &mut Connection, name: &str) -> Result<String, Error> {
    let link = read_link(connection, name)?;
    Ok(link.map_or_else(|| name.to_owned(), |link| link.name))
}

pub(crate) fn ask(
    connection: &mut Connection,
    message: Request,
    name: &str,
) -> Result<Option<Link>, Error> {
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
pub(crate) fn read_ports(connection: &mut Connection, bridge: &Link) -> Result<Vec<Link>, Error> {
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
pub(crate) fn read_addresses(
    connection: &mut Connection,
    link: &Link,
) -> Result<Vec<Address>, Error> {
    let replies = dump(
        connection,
        &request::get_addresses(link.index),
        "addresses",
        link,
    )?;
    let addresses = replies.iter().filter_map(|reply| Address::parse(reply));
    let mut addresses: Vec<Address> = addresses
        .filter(|address| address.index == link.index && !address.is_of_every_interface())
        .collect();
    // What looks as if a router's announcement had made it.
    if addresses.iter().any(Address::is_by_router) && tells_who_gave_addresses() {
        for address in &mut addresses {
            address.protocol.get_or_insert_default();
        }
    }
    Ok(addresses)
}

/// Linux does so since 5.18, and then says nothing where nobody said so.
fn tells_who_gave_addresses() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|it| it.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(18))
}

/// The interface's neighbours that somebody laid down, and those that it
/// answers for.
pub(crate) fn read_given_neighbors(
    connection: &mut Connection,
    link: &Link,
) -> Result<Vec<Neighbor>, Error> {
    let mut neighbors = read_neighbors(connection, link.index, &link.name, 0)?;
    neighbors.extend(read_neighbors(
        connection, link.index, &link.name, NTF_PROXY,
    )?);
    neighbors.retain(Neighbor::is_given);
    Ok(neighbors)
}

/// Those of one kind: the flags are none, or [`NTF_PROXY`].
pub(crate) fn read_neighbors(
    connection: &mut Connection,
    index: u32,
    name: &str,
    flags: u8,
) -> Result<Vec<Neighbor>, Error> {
    let message = request::get_neighbors(index, flags);
    let replies = match connection.dump(&message) {
        Err(failure) if failure.is_no_device() => vec![],
        result => result
            .map_err(|failure| Error::netlink(format!("list the neighbors of {name}"), failure))?,
    };
    let neighbors = replies.iter().filter_map(|reply| Neighbor::parse(reply));
    Ok(neighbors.filter(|it| it.index == index).collect())
}

/// The routes through the interface, without those that every interface has.
pub(crate) fn read_routes(
    connection: &mut Connection,
    link: &Interface,
) -> Result<Vec<Route>, Error> {
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
