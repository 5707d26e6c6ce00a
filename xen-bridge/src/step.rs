//! One thing to do to a bridge, as a request, a shell command and words.

use nix::libc;

use crate::address::Address;
use crate::cidr::Cidr;
use crate::facts::Interface;
use crate::held::Held;
use crate::link::Link;
use crate::record::Record;
use crate::request::{self, MAKE, REPLACE, Request};
use crate::route::Route;
use crate::settings::Settings;
use crate::values::Mac;

/// One thing to do: one request to the kernel, or one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the bridge, set and up.
    Make {
        /// Its hardware address; in the same request, or udev gives it another.
        mac: Option<Mac>,
        /// Its settings.
        settings: Settings,
    },
    /// Remove the bridge.
    Remove,
    /// Set what differs.
    Set(Settings),
    /// Set the bridge's hardware address.
    SetMac(Mac),
    /// Set the bridge's longest packet.
    SetMtu(u32),
    /// Switch the bridge on or off.
    SetUp(bool),
    /// Make the interface a port of the bridge.
    AddPort(Interface),
    /// The interface is a port of nothing.
    ReleasePort(Interface),
    /// Switch a port on or off.
    SetPortUp(Interface, bool),
    /// Give the bridge an address.
    AddAddress(Cidr),
    /// Give the bridge an IPv6 address that it had with another prefix length:
    /// nobody else has it, and it is usable at once.
    AddAgain(Cidr),
    /// Take an address from the bridge.
    RemoveAddress(Cidr),
    /// Give it to a port, or to the bridge (`None`).
    Give(Held, Option<Interface>),
    /// Take it from there.
    Take(Held, Option<Interface>),
    /// Mark an address that was given as nothing special.
    Settle(Address, Option<Interface>),
    /// Wait until the bridge can be sent through.
    Await,
    /// Heed what routers announce as the uplink did, which had this `accept_ra`.
    HeedRouters(u8),
    /// A request that was kept, with its shell command; its lifetimes were as
    /// they are in it that many seconds ago.
    Kept(Request, u16, String, u32),
    /// Keep that the bridge is about to be made: who is killed after making
    /// it leaves no bridge that nobody owns.
    Intend(Record),
    /// Keep what `up` does, before it does it. The bridge's number is filled
    /// in where it was not known when this was planned.
    Keep(Record),
    /// Remove what was kept.
    Forget,
}

/// What is done at each step, before and after: "make", "made".
type Words = (&'static str, &'static str, String);

impl Step {
    /// The same as shell commands, quoted; none for what only this program
    /// needs.
    #[must_use]
    pub fn commands(&self, bridge: &str) -> Vec<String> {
        let switch = |on: bool| if on { "up" } else { "down" };
        let quoted = |name: &str| shell_words::quote(name).into_owned();
        let dev = quoted(bridge);
        let on = |interface: &Option<Interface>| Interface {
            index: interface.as_ref().map_or(0, |it| it.index),
            name: interface.as_ref().map_or(bridge, |it| &it.name).to_owned(),
        };
        let line = match self {
            Self::Make { mac, settings } => {
                let mac = mac.map_or_else(String::new, |mac| format!(" address {mac}"));
                let arguments = settings.arguments();
                return vec![
                    format!("ip link add name {dev}{mac} type bridge{arguments}"),
                    format!("ip link set dev {dev} up"),
                ];
            }
            Self::Remove => format!("link delete dev {dev}"),
            Self::Set(settings) => {
                format!("link set dev {dev} type bridge{}", settings.arguments())
            }
            Self::SetMac(mac) => format!("link set dev {dev} address {mac}"),
            Self::SetMtu(mtu) => format!("link set dev {dev} mtu {mtu}"),
            Self::SetUp(up) => format!("link set dev {dev} {}", switch(*up)),
            Self::AddPort(port) => format!("link set dev {} master {dev}", quoted(&port.name)),
            Self::ReleasePort(port) => format!("link set dev {} nomaster", quoted(&port.name)),
            Self::SetPortUp(port, up) => {
                format!("link set dev {} {}", quoted(&port.name), switch(*up))
            }
            Self::AddAddress(cidr) => {
                let broadcast = cidr.broadcast().map(|it| format!(" broadcast {it}"));
                format!(
                    "address add {cidr}{} dev {dev}",
                    broadcast.unwrap_or_default()
                )
            }
            Self::AddAgain(cidr) => format!("address add {cidr} dev {dev} nodad"),
            Self::RemoveAddress(cidr) => format!("address delete {cidr} dev {dev}"),
            Self::Give(held, to) => held.command(true, &on(to)),
            Self::Take(held, from) => held.command(false, &on(from)),
            Self::Settle(it, to) => format!("address change {}", it.words(&on(to), true)),
            Self::Kept(_, _, command, _) => return vec![command.clone()],
            Self::HeedRouters(accept) => {
                return vec![format!(
                    "echo {accept} > /proc/sys/net/ipv6/conf/{dev}/accept_ra"
                )];
            }
            Self::Await | Self::Intend(_) | Self::Keep(_) | Self::Forget => return vec![],
        };
        vec![format!("ip {line}")]
    }

    /// The request for the kernel with its flags; `None` where it is not for
    /// the kernel to do, or the bridge has no number yet and that is needed.
    #[must_use]
    pub fn request(&self, bridge: &Interface) -> Option<(Request, u16)> {
        let is_made = bridge.index != 0;
        let number = || Some(bridge.index).filter(|_| is_made);
        let on = |interface: &Option<Interface>| match interface {
            Some(interface) => Some(interface.clone()),
            None => Some(bridge.clone()).filter(|_| is_made),
        };
        Some(match self {
            Self::Make { mac, settings } => {
                (request::make_bridge(&bridge.name, *mac, settings), MAKE)
            }
            // Also where the number was never learnt.
            Self::Remove => (request::remove_link(bridge.index, &bridge.name), 0),
            Self::Set(settings) => (request::set_bridge(number()?, settings), 0),
            Self::SetMac(mac) => (request::set_mac(number()?, *mac), 0),
            Self::SetMtu(mtu) => (request::set_mtu(number()?, *mtu), 0),
            Self::SetUp(up) => (request::set_up(number()?, *up), 0),
            Self::AddPort(port) => (request::set_master(port.index, number()?), 0),
            Self::ReleasePort(port) => (request::set_master(port.index, 0), 0),
            Self::SetPortUp(port, up) => (request::set_up(port.index, *up), 0),
            Self::AddAddress(cidr) => (request::add_address(number()?, cidr), MAKE),
            Self::AddAgain(cidr) => (request::add_address_again(number()?, cidr), MAKE),
            Self::RemoveAddress(cidr) => (request::remove_address(number()?, cidr), 0),
            Self::Give(held, to) => held.request(true, &on(to)?),
            Self::Take(held, from) => held.request(false, &on(from)?),
            Self::Settle(address, to) => {
                let payload = address.onto(&on(to)?, true);
                let kind = libc::RTM_NEWADDR;
                (Request { kind, payload }, REPLACE)
            }
            Self::Kept(request, flags, _, seconds) => (request.later(*seconds), *flags),
            Self::Await | Self::HeedRouters(_) | Self::Intend(_) | Self::Keep(_) | Self::Forget => {
                return None;
            }
        })
    }

    /// What is being done, for the beginning of an error.
    #[must_use]
    pub fn doing(&self, bridge: &str) -> String {
        let (verb, _, rest) = self.words(bridge);
        format!("{verb} {rest}")
    }

    /// What was done, in words.
    #[must_use]
    pub fn done(&self, bridge: &str) -> String {
        let (_, verb, rest) = self.words(bridge);
        match self {
            Self::Make { settings, .. } => format!("{verb} {rest}: {}", settings.words()),
            _ => format!("{verb} {rest}"),
        }
    }

    /// The verb, its past, and what it is done to.
    fn words(&self, bridge: &str) -> Words {
        let switch = |on: bool| if on { "on" } else { "off" };
        let on = |interface: &Option<Interface>| match interface {
            Some(interface) => interface.name.clone(),
            None => format!("bridge {bridge}"),
        };
        let set = |what: String| ("set", "set", format!("bridge {bridge}: {what}"));
        match self {
            Self::Intend(_) | Self::Make { .. } => ("make", "made", format!("bridge {bridge}")),
            Self::Remove => ("remove", "removed", format!("bridge {bridge}")),
            Self::Set(settings) => set(settings.words()),
            Self::SetMac(mac) => set(format!("mac {mac}")),
            Self::SetMtu(mtu) => set(format!("mtu {mtu}")),
            Self::HeedRouters(accept) => set(format!("accept_ra {accept}")),
            Self::SetUp(up) => {
                let rest = format!("bridge {bridge} {}", switch(*up));
                ("switch", "switched", rest)
            }
            Self::AddPort(port) => {
                let rest = format!("port {} to bridge {bridge}", port.name);
                ("add", "added", rest)
            }
            Self::ReleasePort(port) => {
                let rest = format!("port {} of bridge {bridge}", port.name);
                ("release", "released", rest)
            }
            Self::SetPortUp(port, up) => {
                let rest = format!("port {} {}", port.name, switch(*up));
                ("switch", "switched", rest)
            }
            Self::AddAddress(cidr) | Self::AddAgain(cidr) => {
                let rest = format!("address {cidr} to bridge {bridge}");
                ("add", "added", rest)
            }
            Self::RemoveAddress(cidr) => {
                let rest = format!("address {cidr} from bridge {bridge}");
                ("take", "took", rest)
            }
            Self::Give(held, to) => ("give", "gave", format!("{} to {}", held.words(), on(to))),
            Self::Take(held, from) => {
                let rest = format!("{} from {}", held.words(), on(from));
                ("take", "took", rest)
            }
            Self::Settle(address, to) => {
                let rest = format!("address {} of {}", address.cidr, on(to));
                ("settle", "settled", rest)
            }
            Self::Kept(_, _, command, _) => ("do", "did", command.clone()),
            Self::Await => ("wait for", "waited for", format!("bridge {bridge}")),
            Self::Keep(_) => ("keep", "kept", format!("the record of bridge {bridge}")),
            Self::Forget => {
                let rest = format!("the record of bridge {bridge}");
                ("remove", "removed", rest)
            }
        }
    }

    /// The route that it gives, where it was kept.
    #[must_use]
    pub fn route_to_give(&self) -> Option<Route> {
        match self {
            Self::Kept(request, ..) if request.kind == libc::RTM_NEWROUTE => {
                Route::parse(&request.payload)
            }
            _ => None,
        }
    }

    /// What it sets the bridge to, kept or not.
    #[must_use]
    pub fn settings(&self) -> Option<Settings> {
        let settings = match self {
            Self::Set(settings) => Some(*settings),
            Self::Kept(request, ..) if request.kind == libc::RTM_NEWLINK => {
                Link::of(&request.payload).map(|link| link.bridge.settings)
            }
            _ => None,
        };
        settings.filter(|settings| !settings.is_empty())
    }

    /// It was kept, and is done to whatever has the bridge's name by then.
    #[must_use]
    pub fn goes_by_name(&self, bridge: &str) -> bool {
        match self {
            Self::Kept(request, ..) => *request == request::remove_link(0, bridge),
            Self::HeedRouters(_) => true,
            _ => false,
        }
    }

    /// It is about this program's own files, or looks only.
    #[must_use]
    pub fn is_bookkeeping(&self) -> bool {
        matches!(
            self,
            Self::Intend(_) | Self::Keep(_) | Self::Forget | Self::Await
        )
    }
}

/// A step, and how it is taken back if a later one fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What to do.
    pub step: Step,
    /// What undoes it, in order.
    pub undo: Vec<Step>,
}

impl Change {
    /// A change that one step undoes.
    #[must_use]
    pub fn new(step: Step, undo: Step) -> Self {
        Self {
            step,
            undo: vec![undo],
        }
    }

    /// A change that nothing needs to undo.
    #[must_use]
    pub fn lasting(step: Step) -> Self {
        Self { step, undo: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_names_for_the_shell() {
        let commands = Step::SetUp(true).commands("br$0");
        assert_eq!(commands, ["ip link set dev 'br$0' up"]);
    }

    #[test]
    fn writes_the_settings_as_ip_takes_them() {
        let step = Step::Set(Settings([
            Some(1),
            Some(1500),
            Some(30_000),
            Some(0),
            Some(1),
        ]));
        assert_eq!(
            step.commands("xenbr0"),
            [
                "ip link set dev xenbr0 type bridge stp_state 1 forward_delay 1500 \
                 ageing_time 30000 vlan_filtering 0 mcast_snooping 1"
            ]
        );
        assert_eq!(
            step.doing("xenbr0"),
            "set bridge xenbr0: stp on, forward delay 15 s, ageing 300 s, vlan filtering off, \
             mcast snooping on"
        );
    }
}
