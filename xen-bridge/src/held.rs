//! What an interface has, and can have moved to another.

use nix::libc;

use crate::address::Address;
use crate::facts::Interface;
use crate::neighbors::Neighbor;
use crate::request::{PREPEND, REPLACE, Request};
use crate::route::Route;

/// What can move from one interface to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// An address.
    Address(Address),
    /// A route.
    Route(Route),
    /// An entry of the table of neighbours.
    Neighbor(Neighbor),
}

impl Held {
    /// As the kernel names it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Address(address) => format!("address {}", address.cidr),
            Self::Route(route) => route.words(),
            Self::Neighbor(neighbor) => format!("neighbor {}", neighbor.address),
        }
    }

    /// The end of the `ip` command that gives it to that interface, or takes
    /// it from there.
    #[must_use]
    pub fn command(&self, give: bool, interface: &Interface) -> String {
        match (self, give) {
            (Self::Address(it), true) => format!("address replace {}", it.words(interface, false)),
            (Self::Address(it), false) => {
                let dev = shell_words::quote(&interface.name);
                format!("address delete {} dev {dev}", it.with_peer())
            }
            (Self::Route(it), _) => {
                let family = if it.is_v6 { "-6 " } else { "" };
                let verb = if give { "prepend" } else { "delete" };
                // It may have come with its address already.
                let anyway = if give && it.by_kernel { " || :" } else { "" };
                let more = if it.is_more_than_its_command() {
                    " # and more, see ip -d route"
                } else {
                    ""
                };
                format!(
                    "{family}route {verb} {}{anyway}{more}",
                    it.command(interface)
                )
            }
            (Self::Neighbor(it), true) => format!("neighbor replace {}", it.command(interface)),
            (Self::Neighbor(it), false) => {
                format!("neighbor delete {}", it.short_command(interface))
            }
        }
    }

    /// The request that gives it to that interface, or takes it from there,
    /// with its flags.
    #[must_use]
    pub fn request(&self, give: bool, interface: &Interface) -> (Request, u16) {
        let (kind, flags, payload) = match (self, give) {
            (Self::Address(it), true) => (libc::RTM_NEWADDR, REPLACE, it.onto(interface, false)),
            (Self::Address(it), false) => (libc::RTM_DELADDR, 0, it.off(interface)),
            (Self::Route(it), true) => (libc::RTM_NEWROUTE, PREPEND, it.through(interface)),
            (Self::Route(it), false) => (libc::RTM_DELROUTE, 0, it.through(interface)),
            (Self::Neighbor(it), true) => (libc::RTM_NEWNEIGH, REPLACE, it.on(interface)),
            (Self::Neighbor(it), false) => (libc::RTM_DELNEIGH, 0, it.on(interface)),
        };
        (Request { kind, payload }, flags)
    }
}
