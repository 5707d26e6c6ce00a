//! How the bridge is: the report of `show`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::Error;
use crate::address::Address;
use crate::cli::Show;
use crate::facts::{Depth, Facts, Interface, Subject};
use crate::journal::pending;
use crate::link::Link;
use crate::managers::{Manager, read_managers};
use crate::names::{InterfaceName, is_guests};
use crate::netfilter::{Netfilter, read_netfilter};
use crate::netlink::Connection;
use crate::record::Record;
use crate::route::{RT_TABLE_MAIN, Route};
use crate::settings::{AGEING, FORWARD_DELAY, MCAST_SNOOPING, STP, VLAN_FILTERING};
use crate::up::not_a_bridge;
use crate::values::Centiseconds;

/// Prints the report.
pub(crate) fn show(args: &Show, out: &mut dyn Write) -> Result<(), Error> {
    let report = Report::read(&mut Connection::open()?, &args.root, &args.bridge.name)?;
    if args.json {
        report.write_json(out)
    } else {
        report.write_text(out)
    }
    .and_then(|()| out.flush())
    .map_err(|source| Error::system("write to standard output", source))
}

/// The report; its fields are the keys of the JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The bridge's name.
    pub name: String,
    /// Its number.
    pub ifindex: u32,
    /// `up`, `no-carrier` (up, but nothing is plugged in) or `down`.
    pub state: &'static str,
    /// `up` made it; null: its record cannot be read.
    pub made_by_xen_bridge: Option<bool>,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its longest packet, in bytes.
    pub mtu: u32,
    /// The spanning tree protocol.
    pub stp: bool,
    /// How long a new port waits before it forwards.
    pub forward_delay_ms: u64,
    /// How long a silent station is remembered.
    pub ageing_ms: u64,
    /// VLAN tags are heeded.
    pub vlan_filtering: bool,
    /// Multicast goes only where it is asked for.
    pub mcast_snooping: bool,
    /// Its addresses, without those that every interface has.
    pub addresses: Vec<AddressReport>,
    /// The routes through it, without those that every interface has.
    pub routes: Vec<RouteReport>,
    /// Its ports, in the order of their numbers.
    pub ports: Vec<PortReport>,
    /// Who else configures it or one of its ports.
    pub managers: Vec<Manager>,
    /// Whether bridged frames go through iptables.
    pub br_netfilter: Netfilter,
    /// A change waits to be confirmed, or was left half-way; null: that cannot
    /// be read.
    pub unconfirmed: Option<bool>,
    /// What keeps guests from the network, or may, in words.
    pub problems: Vec<String>,
}

/// An address of the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressReport {
    /// With its prefix length.
    pub address: String,
    /// Null where there is none.
    pub broadcast: Option<String>,
    /// Until it goes by itself; null: never.
    pub valid_seconds: Option<u32>,
    /// `up` added it; null: the record cannot be read.
    pub added_by_xen_bridge: Option<bool>,
}

/// A route through the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteReport {
    /// Where to: `default`, or an address with its prefix length.
    pub destination: String,
    /// Over whom, of several the first; null: straight there.
    pub gateway: Option<String>,
    /// All of them, where several take turns.
    #[serde(skip)]
    pub gateways: Vec<String>,
    /// The routing table; 254 is the main one.
    pub table: u32,
}

/// A port of the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortReport {
    /// Its name.
    pub name: String,
    /// Its number.
    pub ifindex: u32,
    /// As for the bridge.
    pub state: &'static str,
    /// `disabled`, `listening`, `learning`, `forwarding`, `blocking` or `unknown`.
    pub stp_state: &'static str,
    /// By its name, a guest's interface.
    pub guest: bool,
    /// `up` added it; null: the record cannot be read.
    pub added_by_xen_bridge: Option<bool>,
}

impl Report {
    /// Asks the kernel, and reads files below `root`.
    ///
    /// # Errors
    /// No such bridge, or the name is something else's.
    pub fn read(
        connection: &mut Connection,
        root: &Path,
        name: &InterfaceName,
    ) -> Result<Self, Error> {
        let subject = Subject {
            name,
            depth: Depth::All,
            ports: &[],
            addresses: &[],
            moves: false,
        };
        let facts = Facts::read(connection, root, subject)?;
        let bridge = facts
            .bridge
            .as_ref()
            .ok_or_else(|| Error::NoSuchBridge(name.to_string()))?;
        let link = &bridge.link;
        if !link.is_bridge() {
            return Err(not_a_bridge(link));
        }
        // Unreadable is "unknown".
        let record = facts.record.of(link).ok();
        let interfaces = std::iter::once(link).chain(&bridge.ports);
        let br_netfilter = read_netfilter(root);
        let time = |place: usize| {
            let time = link.bridge.settings.0[place].map(Centiseconds);
            time.map_or(0, Centiseconds::milliseconds)
        };
        let unconfirmed = pending(root, &link.name).ok();
        let unconfirmed = unconfirmed.map(|it| it.map(|pending| pending.watched));
        Ok(Self {
            name: link.name.clone(),
            ifindex: link.index,
            state: state(link),
            made_by_xen_bridge: record.map(|record| record.is_some_and(|it| it.made)),
            mac: link.mac.map(|mac| mac.to_string()),
            mtu: link.mtu,
            stp: link.bridge.settings.is_on(STP),
            forward_delay_ms: time(FORWARD_DELAY),
            ageing_ms: time(AGEING),
            vlan_filtering: link.bridge.settings.is_on(VLAN_FILTERING),
            mcast_snooping: link.bridge.settings.is_on(MCAST_SNOOPING),
            addresses: bridge
                .addresses
                .iter()
                .map(|address| AddressReport::new(address, record))
                .collect(),
            routes: bridge
                .routes
                .iter()
                .map(|route| RouteReport::new(route, link.index))
                .collect(),
            ports: bridge
                .ports
                .iter()
                .map(|port| PortReport::new(port, record))
                .collect(),
            managers: interfaces
                .flat_map(|link| read_managers(root, &Interface::from(link)))
                .collect(),
            br_netfilter,
            unconfirmed: unconfirmed.map(|it| it.is_some()),
            problems: problems(link, &bridge.ports, br_netfilter, unconfirmed.flatten()),
        })
    }

    /// One JSON document on one line.
    ///
    /// # Errors
    /// That of the writer.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// For people.
    ///
    /// # Errors
    /// That of the writer.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let switch = |on: bool| if on { "on" } else { "off" };
        let made = match self.made_by_xen_bridge {
            Some(true) => ", made by xen-bridge",
            Some(false) => "",
            None => ", its record cannot be read",
        };
        writeln!(out, "{}: {}{made}", self.name, in_words(self.state))?;
        let mac = self.mac.as_deref().unwrap_or("none");
        writeln!(out, "  mac {mac}, mtu {}", self.mtu)?;
        writeln!(
            out,
            "  stp {}, forward delay {} s, ageing {} s, vlan filtering {}, mcast snooping {}",
            switch(self.stp),
            seconds(self.forward_delay_ms),
            seconds(self.ageing_ms),
            switch(self.vlan_filtering),
            switch(self.mcast_snooping),
        )?;
        for address in &self.addresses {
            write!(out, "  address {}", address.address)?;
            match address.valid_seconds {
                Some(seconds) => writeln!(out, ", for {seconds} s")?,
                None => writeln!(out)?,
            }
        }
        for route in &self.routes {
            write!(out, "  route {}", route.destination)?;
            if !route.gateways.is_empty() {
                write!(out, " via {}", route.gateways.join(", "))?;
            }
            match route.table {
                RT_TABLE_MAIN => writeln!(out)?,
                other => writeln!(out, " table {other}")?,
            }
        }
        for port in &self.ports {
            let guest = if port.guest { ", a guest's" } else { "" };
            let (state, stp_state) = (in_words(port.state), port.stp_state);
            writeln!(out, "  port {}: {state}, {stp_state}{guest}", port.name)?;
        }
        for Manager {
            interface,
            manager,
            state,
        } in &self.managers
        {
            writeln!(out, "  {manager} has a hand in {interface}: {state}")?;
        }
        for problem in &self.problems {
            writeln!(out, "  problem: {problem}")?;
        }
        Ok(())
    }
}

impl AddressReport {
    fn new(address: &Address, record: Option<Option<&Record>>) -> Self {
        let text = address.cidr.to_string();
        Self {
            added_by_xen_bridge: record.map(|record| record.is_some_and(|it| it.has(&text))),
            address: text,
            broadcast: address.broadcast.map(|broadcast| broadcast.to_string()),
            valid_seconds: address.valid_seconds,
        }
    }
}

impl RouteReport {
    fn new(route: &Route, bridge: u32) -> Self {
        let gateways = route.gateways_through(bridge).into_iter();
        let gateways: Vec<String> = gateways.map(|it| it.to_string()).collect();
        let destination = route.destination.map(|cidr| cidr.to_string());
        Self {
            destination: destination.unwrap_or_else(|| "default".to_owned()),
            gateway: gateways.first().cloned(),
            gateways,
            table: route.table,
        }
    }
}

impl PortReport {
    fn new(port: &Link, record: Option<Option<&Record>>) -> Self {
        let added = |record: &Record| record.ports.iter().any(|it| it.ifindex == port.index);
        Self {
            name: port.name.clone(),
            ifindex: port.index,
            state: state(port),
            stp_state: port.port_state.unwrap_or("unknown"),
            guest: is_guests(&port.name),
            added_by_xen_bridge: record.map(|record| record.is_some_and(added)),
        }
    }
}

fn state(link: &Link) -> &'static str {
    match (link.up, link.carrier) {
        (false, _) => "down",
        (true, false) => "no-carrier",
        (true, true) => "up",
    }
}

fn in_words(state: &str) -> &str {
    match state {
        "no-carrier" => "up, no carrier",
        state => state,
    }
}

fn seconds(milliseconds: u64) -> String {
    let hundredths = u32::try_from(milliseconds / 10).unwrap_or(u32::MAX);
    Centiseconds(hundredths).to_string()
}

fn problems(
    bridge: &Link,
    ports: &[Link],
    netfilter: Netfilter,
    unconfirmed: Option<bool>,
) -> Vec<String> {
    let mut problems = vec![];
    problems.extend(unconfirmed.map(|watched| {
        let name = &bridge.name;
        match watched {
            true => format!("a change waits for xen-bridge confirm {name}, or restore {name}"),
            false => format!("a change was left half-way: xen-bridge restore {name}"),
        }
    }));
    if !bridge.up {
        problems.push("the bridge is down".to_owned());
    }
    for port in ports {
        match state(port) {
            "down" => problems.push(format!("port {} is down", port.name)),
            "no-carrier" => problems.push(format!("no carrier on {}", port.name)),
            _ => {}
        }
    }
    let delay = bridge.bridge.settings.delay().unwrap_or(Centiseconds(0));
    if delay > Centiseconds(0) {
        problems.push(format!("forward delay {delay} s: guests wait"));
    }
    let tables = [
        ("iptables", netfilter.iptables),
        ("ip6tables", netfilter.ip6tables),
        ("arptables", netfilter.arptables),
    ];
    // The bridge has switches of its own, beside those for all.
    let switches = |wanted: Option<bool>| {
        let all = tables.into_iter().zip(bridge.bridge.netfilter);
        let those = all.filter(|((_, of_all), of_this)| match of_this {
            true => wanted == Some(true),
            false => *of_all == wanted,
        });
        let names: Vec<&str> = those.map(|((table, _), _)| table).collect();
        Some(names.join(", ")).filter(|it| !it.is_empty() && netfilter.loaded != Some(false))
    };
    problems.extend(
        switches(Some(true))
            .map(|tables| format!("br_netfilter sends guests' traffic through {tables}")),
    );
    problems.extend(switches(None).map(|tables| {
        format!("whether br_netfilter sends guests' traffic through {tables} is unknown")
    }));
    problems
}
