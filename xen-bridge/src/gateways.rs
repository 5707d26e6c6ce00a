//! The gateways that must answer through the bridge before a change confirms
//! itself.

use std::net::IpAddr;

use nix::libc;

use crate::Error;
use crate::cidr::{Cidr, is_link_local};
use crate::facts::Interface;
use crate::lookups::{read_neighbors, read_routes};
use crate::neighbors::Neighbor;
use crate::netlink::Connection;
use crate::request::{self, PREPEND};
use crate::route::Route;

/// `linux/neighbour.h`.
const NTF_USE: u8 = 1;

/// Gateways that must answer through the bridge.
#[derive(Debug, Default)]
pub struct Gateways {
    /// The bridge's number.
    pub bridge: u32,
    /// The numbers of the interfaces whose routes moved to it.
    pub uplinks: Vec<u32>,
    /// All of them.
    pub all: Vec<IpAddr>,
    /// Those that have not answered yet.
    pub silent: Vec<IpAddr>,
}

impl Gateways {
    /// Has the kernel ask who has their addresses; an answer is told as an
    /// event. What somebody laid down for one is as good as its answer.
    ///
    /// # Errors
    /// A socket that failed.
    pub(crate) fn ask(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let name = self.bridge.to_string();
        for neighbor in read_neighbors(connection, self.bridge, &name, 0)? {
            if neighbor.is_given() {
                self.silent.retain(|silent| *silent != neighbor.address);
            }
        }
        for address in &self.silent {
            // An old answer would do for a new one; there may be none.
            let forget = request::neighbor(libc::RTM_DELNEIGH, self.bridge, *address, 0);
            let _ = connection.change(forget, 0);
            // Refused where the bridge is gone, which the watcher sees too.
            let ask = request::neighbor(libc::RTM_NEWNEIGH, self.bridge, *address, NTF_USE);
            let _ = connection.change(ask, PREPEND);
        }
        Ok(())
    }

    /// Takes those off the list that answered, as `RTM_NEWNEIGH` tells.
    pub fn hear<'a>(&mut self, neighbors: impl Iterator<Item = &'a [u8]>) {
        for neighbor in neighbors {
            let neighbor = Neighbor::parse(neighbor);
            let of_bridge = neighbor.filter(|it| it.index == self.bridge && it.is_known());
            if let Some(neighbor) = of_bridge {
                self.silent.retain(|silent| *silent != neighbor.address);
            }
        }
    }

    /// All answered, and what is sent to them goes through the bridge. Those
    /// that are reached past it are waited for again.
    ///
    /// # Errors
    /// A socket that failed.
    pub(crate) fn are_in_reach(&mut self, connection: &mut Connection) -> Result<bool, Error> {
        if self.silent.is_empty() {
            for address in &self.all {
                if self.leads_past_the_bridge(connection, *address)? {
                    self.silent.push(*address);
                }
            }
        }
        Ok(self.silent.is_empty())
    }

    /// The way to it is straight out of an uplink, where nothing comes in for
    /// the host any more: somebody left or put an address there.
    fn leads_past_the_bridge(
        &self,
        connection: &mut Connection,
        address: IpAddr,
    ) -> Result<bool, Error> {
        // Every interface has a way to these. Where a router announced the
        // default route, it must have done so again.
        if matches!(address, IpAddr::V6(address) if is_link_local(address)) {
            let (index, name) = (self.bridge, self.bridge.to_string());
            let routes = read_routes(connection, &Interface { index, name })?;
            let mut default = routes.iter().filter(|it| it.destination.is_none());
            return Ok(!default.any(|it| it.gateways_through(index).contains(&address)));
        }
        let prefix_length = if address.is_ipv4() { 32 } else { 128 };
        let to = Cidr {
            address,
            prefix_length,
        };
        let route = match connection.get(request::get_route_to(&to)) {
            Ok(reply) => Route::parse(&reply),
            Err(failure) if failure.is_refusal() => None,
            Err(failure) => {
                return Err(Error::netlink(format!("ask the way to {address}"), failure));
            }
        };
        let straight = route.filter(|route| route.gateway.is_none());
        Ok(straight.is_some_and(|route| {
            let mut through = route.interfaces.iter();
            through.any(|index| self.uplinks.contains(index))
        }))
    }

    /// What is wrong with them.
    pub(crate) fn blame(self) -> String {
        // An answer that came too late was none.
        let silent = match self.silent.is_empty() {
            true => self.all,
            false => self.silent,
        };
        let silent: Vec<String> = silent.iter().map(IpAddr::to_string).collect();
        let silent = silent.join(", ");
        format!("after the change {silent} did not answer through it in time")
    }
}
