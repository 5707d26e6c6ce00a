//! One thing to do to a bridge, as a request, a shell command and words.

use crate::cidr::Cidr;
use crate::facts::Interface;
use crate::record::Record;
use crate::values::{Centiseconds, Mac};

/// Settings of a bridge; `None` is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The spanning tree protocol.
    pub stp: Option<bool>,
    /// How long a new port listens and learns before it forwards.
    pub forward_delay: Option<Centiseconds>,
    /// How long a silent station is remembered.
    pub ageing: Option<Centiseconds>,
    /// Heed VLAN tags.
    pub vlan_filtering: Option<bool>,
}

impl Settings {
    /// Nothing is to be set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The arguments of `ip link ... type bridge`.
    fn arguments(&self) -> Vec<String> {
        let digit = |on: bool| u32::from(on);
        [
            ("stp_state", self.stp.map(digit)),
            ("forward_delay", self.forward_delay.map(|time| time.0)),
            ("ageing_time", self.ageing.map(|time| time.0)),
            ("vlan_filtering", self.vlan_filtering.map(digit)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value?.to_string()]))
        .flatten()
        .collect()
    }

    fn words(&self) -> String {
        let switch = |on: bool| if on { "on" } else { "off" };
        let parts = [
            self.stp.map(|on| format!("stp {}", switch(on))),
            self.forward_delay
                .map(|time| format!("forward delay {time} s")),
            self.ageing.map(|time| format!("ageing {time} s")),
            self.vlan_filtering
                .map(|on| format!("vlan filtering {}", switch(on))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

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
    /// Take an address from the bridge.
    RemoveAddress(Cidr),
    /// Keep that the bridge is about to be made: who is killed after making
    /// it leaves no bridge that nobody owns.
    Intend(Record),
    /// Keep what `up` does, before it does it. The bridge's number is filled
    /// in where it was not known when this was planned.
    Keep(Record),
    /// Remove what was kept.
    Forget,
}

impl Step {
    /// The same as shell commands, quoted; none for what only this program
    /// needs.
    #[must_use]
    pub fn commands(&self, bridge: &str) -> Vec<String> {
        let link = |words: &[&str]| line("link", words);
        let switch = |on: bool| if on { "up" } else { "down" };
        match self {
            Self::Make { mac, settings } => {
                let mac = mac.map(|mac| mac.to_string());
                let mut words = vec!["add", "name", bridge];
                words.extend(mac.iter().flat_map(|mac| ["address", mac]));
                words.extend(["type", "bridge"]);
                let arguments = settings.arguments();
                words.extend(arguments.iter().map(String::as_str));
                vec![link(&words), link(&["set", "dev", bridge, "up"])]
            }
            Self::Remove => vec![link(&["delete", "dev", bridge])],
            Self::Set(settings) => {
                let arguments = settings.arguments();
                let mut words = vec!["set", "dev", bridge, "type", "bridge"];
                words.extend(arguments.iter().map(String::as_str));
                vec![link(&words)]
            }
            Self::SetMac(mac) => vec![link(&["set", "dev", bridge, "address", &mac.to_string()])],
            Self::SetMtu(mtu) => vec![link(&["set", "dev", bridge, "mtu", &mtu.to_string()])],
            Self::SetUp(up) => vec![link(&["set", "dev", bridge, switch(*up)])],
            Self::AddPort(port) => vec![link(&["set", "dev", &port.name, "master", bridge])],
            Self::ReleasePort(port) => vec![link(&["set", "dev", &port.name, "nomaster"])],
            Self::SetPortUp(port, up) => vec![link(&["set", "dev", &port.name, switch(*up)])],
            Self::AddAddress(cidr) => vec![address("add", cidr, bridge)],
            Self::RemoveAddress(cidr) => vec![address("delete", cidr, bridge)],
            Self::Intend(_) | Self::Keep(_) | Self::Forget => vec![],
        }
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
    fn words(&self, bridge: &str) -> (&'static str, &'static str, String) {
        let switch = |on: bool| if on { "on" } else { "off" };
        let (now, then, rest) = match self {
            Self::Intend(_) | Self::Make { .. } => ("make", "made", format!("bridge {bridge}")),
            Self::Remove => ("remove", "removed", format!("bridge {bridge}")),
            Self::Set(settings) => {
                let rest = format!("bridge {bridge}: {}", settings.words());
                ("set", "set", rest)
            }
            Self::SetMac(mac) => ("set", "set", format!("bridge {bridge}: mac {mac}")),
            Self::SetMtu(mtu) => ("set", "set", format!("bridge {bridge}: mtu {mtu}")),
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
            Self::AddAddress(cidr) => {
                let rest = format!("address {cidr} to bridge {bridge}");
                ("add", "added", rest)
            }
            Self::RemoveAddress(cidr) => {
                let rest = format!("address {cidr} from bridge {bridge}");
                ("take", "took", rest)
            }
            Self::Keep(_) => ("keep", "kept", format!("the record of bridge {bridge}")),
            Self::Forget => (
                "remove",
                "removed",
                format!("the record of bridge {bridge}"),
            ),
        };
        (now, then, rest)
    }

    /// It is about this program's own files, not about the bridge.
    #[must_use]
    pub fn is_bookkeeping(&self) -> bool {
        matches!(self, Self::Intend(_) | Self::Keep(_) | Self::Forget)
    }
}

fn line(object: &str, words: &[&str]) -> String {
    shell_words::join(["ip", object].iter().chain(words))
}

fn address(verb: &str, cidr: &Cidr, bridge: &str) -> String {
    let text = cidr.to_string();
    let broadcast = cidr
        .broadcast()
        .filter(|_| verb == "add")
        .map(|broadcast| broadcast.to_string());
    let mut words = vec![verb, &text];
    words.extend(broadcast.iter().flat_map(|text| ["broadcast", text]));
    words.extend(["dev", bridge]);
    line("address", &words)
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
        let step = Step::Set(Settings {
            stp: Some(true),
            forward_delay: Some(Centiseconds(1500)),
            ageing: Some(Centiseconds(30_000)),
            vlan_filtering: Some(false),
        });
        assert_eq!(
            step.commands("xenbr0"),
            [
                "ip link set dev xenbr0 type bridge stp_state 1 forward_delay 1500 \
                 ageing_time 30000 vlan_filtering 0"
            ]
        );
        assert_eq!(
            step.doing("xenbr0"),
            "set bridge xenbr0: stp on, forward delay 15 s, ageing 300 s, vlan filtering off"
        );
    }
}
