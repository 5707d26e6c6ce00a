//! What `up` has to do, decided from what was read.

use crate::Error;
use crate::address::Address;
use crate::cidr::Cidr;
use crate::cli::Up;
use crate::exact::{addresses_that_go, exact_changes};
use crate::facts::{Bridge, Facts, Port};
use crate::intent::Intent;
use crate::link::Link;
use crate::moving::{heed_routers, moved_of, port_and_move_changes};
use crate::names::InterfaceName;
use crate::record::{AddedPort, Record};
use crate::replace::add_changes;
use crate::set::{make_changes, set_changes};
use crate::settings::{STP, Settings};
use crate::step::{Change, Step};
use crate::values::{Mac, SHORTEST_STP_DELAY, SMALLEST_V6_MTU, USUAL_STP_DELAY};

/// What the caller wants to be true of the bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The bridge's name.
    pub name: InterfaceName,
    /// Its hardware address, if that matters.
    pub mac: Option<Mac>,
    /// Its longest packet, if that matters.
    pub mtu: Option<u32>,
    /// The settings named.
    pub settings: Settings,
    /// Interfaces that are its ports, among others.
    pub ports: Vec<InterfaceName>,
    /// Addresses that it has, among others.
    pub addresses: Vec<Cidr>,
    /// It has no others of these than those named.
    pub exact: bool,
    /// What the ports have of addresses and routes moves to the bridge.
    pub moves: bool,
    /// All is put back if nobody confirms it.
    pub confirms: bool,
    /// Do what may cut somebody off.
    pub force: bool,
}

impl Wanted {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// [`Error::Usage`]: they contradict each other.
    pub fn new(up: &Up) -> Result<Self, Error> {
        let wanted = Self {
            name: up.bridge.name.clone(),
            mac: up.mac,
            mtu: up.mtu,
            settings: Settings([
                up.stp.map(u32::from),
                up.forward_delay.map(|time| time.0),
                up.ageing.map(|time| time.0),
                up.vlan_filtering.map(u32::from),
                up.mcast_snooping.map(u32::from),
            ]),
            ports: up.ports(),
            addresses: up.addresses(),
            exact: up.exact,
            moves: up.move_address,
            confirms: up.confirm.is_some(),
            force: up.force,
        };
        wanted.check()?;
        Ok(wanted)
    }

    fn check(&self) -> Result<(), Error> {
        let delay = self.settings.delay().unwrap_or(USUAL_STP_DELAY);
        if self.settings.is_on(STP) && delay < SHORTEST_STP_DELAY {
            return Err(Error::Usage(format!(
                "with STP on, a forward delay below {SHORTEST_STP_DELAY} s is not kept"
            )));
        }
        if let (Some(mtu), Some(cidr)) = (self.mtu, self.first_v6()) {
            if mtu < SMALLEST_V6_MTU {
                return Err(Error::Usage(format!(
                    "--mtu {mtu}: IPv6 ({cidr}) needs {SMALLEST_V6_MTU} bytes at least"
                )));
            }
        }
        for (place, cidr) in self.addresses.iter().enumerate() {
            let before = &self.addresses[..place];
            if let Some(other) = before.iter().find(|it| it.address == cidr.address) {
                return Err(Error::Usage(format!(
                    "--address {other} and {cidr}: one address in two networks"
                )));
            }
        }
        if self.ports.contains(&self.name) {
            return Err(Error::Usage(format!(
                "{} cannot be a port of itself",
                self.name
            )));
        }
        Ok(())
    }

    fn first_v6(&self) -> Option<&Cidr> {
        self.addresses.iter().find(|cidr| cidr.address.is_ipv6())
    }
}

/// The changes that make it so; none where it is so already.
///
/// # Errors
/// Every reason for which the bridge cannot or must not be made so.
pub fn plan_up(facts: &Facts, wanted: &Wanted) -> Result<Vec<Change>, Error> {
    let existing = facts.bridge.as_ref();
    if let Some(bridge) = existing.filter(|bridge| !bridge.link.is_bridge()) {
        return Err(not_a_bridge(&bridge.link));
    }
    let mut changes = match existing {
        Some(bridge) => set_changes(facts, bridge, wanted)?,
        None => make_changes(facts, wanted).into(),
    };
    changes.extend(heed_routers(facts, wanted));
    let mut added = vec![];
    for (name, port) in &facts.ports {
        let port = port
            .as_ref()
            .ok_or_else(|| Error::NoSuchPort(name.to_string()))?;
        added.extend(port_and_move_changes(port, existing, wanted, &mut changes)?);
    }
    if let Some(mtu) = wanted.mtu {
        changes.extend(mtu_change(mtu, existing, !added.is_empty()));
    }
    check_v6(facts, wanted)?;
    let gone = addresses_that_go(facts, wanted)?;
    let addresses = missing_addresses(facts, wanted, &gone)?;
    let [before, after] = add_changes(&addresses, &gone);
    changes.extend(before);
    if let Some(bridge) = existing.filter(|_| wanted.exact) {
        changes.extend(exact_changes(facts, bridge, wanted)?);
    }
    changes.extend(after);
    if existing.is_some_and(|bridge| !bridge.link.up) {
        // First, or no route could be made to lead through it.
        let change = Change::new(Step::SetUp(true), Step::SetUp(false));
        let moves = changes.iter().any(|it| matches!(it.step, Step::Give(..)));
        let position = if moves { 0 } else { changes.len() };
        changes.insert(position, change);
    }
    let keep = keep_change(facts, wanted, added, &addresses, &changes)?;
    // Kept before it is done, but after a bridge that is made has its number.
    let position = if existing.is_none() {
        changes.len().min(2)
    } else {
        0
    };
    changes.splice(position..position, keep);
    Ok(changes)
}

/// The error for a link that is something else.
pub(crate) fn not_a_bridge(link: &Link) -> Error {
    Error::NotABridge {
        name: link.name.clone(),
        kind: match &link.kind {
            Some(kind) => format!("a {kind} interface"),
            None if link.loopback => "the loopback interface".to_owned(),
            None => "a network card".to_owned(),
        },
    }
}

/// A bridge takes the smallest size of its ports when one is added, unless a
/// size was set; so it is set after the ports.
fn mtu_change(mtu: u32, existing: Option<&Bridge>, ports_added: bool) -> Option<Change> {
    let before = existing.map(|bridge| bridge.link.mtu);
    if before == Some(mtu) && !ports_added {
        return None;
    }
    Some(Change {
        step: Step::SetMtu(mtu),
        undo: before.map(Step::SetMtu).into_iter().collect(),
    })
}

/// Asked itself, the kernel says "Invalid argument", or takes the addresses
/// away with all routes over them, and does not give them back.
fn check_v6(facts: &Facts, wanted: &Wanted) -> Result<(), Error> {
    let bridge = facts.bridge.as_ref();
    let before = bridge.map(|bridge| bridge.link.mtu);
    let existing = bridge.into_iter().flat_map(|bridge| &bridge.addresses);
    let ports = || facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let moved = ports()
        .flat_map(|port| &port.addresses)
        .filter(|_| wanted.moves);
    let mut there = existing.chain(moved).map(|address| address.cidr);
    let there = there.find(|cidr| cidr.address.is_ipv6());
    let named = wanted.first_v6().copied();
    // The bridge takes the smallest size, and only then the one named: the
    // addresses named are given last.
    let v6 = there.or(named.filter(|_| wanted.mtu.is_none()));
    let is_port = |port: &Port| bridge.is_some_and(|it| port.link.master == Some(it.link.index));
    let mut small = ports().filter(|port| port.is_too_small_for_v6() && !is_port(port));
    if let (Some(port), Some(cidr)) = (small.next(), v6) {
        let link = &port.link;
        return Err(Error::UnfitPort {
            port: link.name.clone(),
            why: format!(
                "its mtu of {} would become bridge {}'s, and is too small for {cidr}: IPv6 \
                 needs {SMALLEST_V6_MTU}",
                link.mtu, wanted.name
            ),
        });
    }
    match (wanted.mtu.or(before), named.or(there)) {
        (Some(mtu), Some(cidr)) if mtu < SMALLEST_V6_MTU => Err(Error::Contradiction {
            bridge: wanted.name.to_string(),
            why: format!("an mtu of {mtu} is too small for {cidr}: IPv6 needs {SMALLEST_V6_MTU}"),
        }),
        _ => Ok(()),
    }
}

fn missing_addresses(
    facts: &Facts,
    wanted: &Wanted,
    gone: &[&Address],
) -> Result<Vec<Cidr>, Error> {
    let contradiction = |why: String| {
        let bridge = wanted.name.to_string();
        Err(Error::Contradiction { bridge, why })
    };
    let ports = facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let moved: Vec<_> = ports.filter(|_| wanted.moves).collect();
    let arriving = moved.iter().flat_map(|port| &port.addresses);
    let on_bridge = facts.bridge.iter().flat_map(|bridge| &bridge.addresses);
    let on_bridge = on_bridge.filter(|address| !gone.contains(address));
    let on_bridge = on_bridge.map(|it| ("it has", it.cidr));
    let arriving = arriving.map(|it| ("what moves to it has", it.cidr));
    let there: Vec<(&str, Cidr)> = on_bridge.chain(arriving).collect();
    let mut missing = vec![];
    for cidr in &wanted.addresses {
        match there.iter().find(|(_, it)| it.address == cidr.address) {
            Some((_, other)) if other == cidr => continue,
            // IPv4 would have it twice, in two networks; IPv6 refuses it.
            Some((who_has, other)) => {
                return contradiction(format!(
                    "{who_has} {other}: take that away before adding {cidr}"
                ));
            }
            None => {}
        }
        let users = facts.in_use.iter().filter(|(used, ..)| used == cidr);
        // Somebody else may have made the bridge since it was looked for.
        let is_bridge = |name: &str| name == wanted.name.as_str();
        let stays = |index: u32| !moved.iter().any(|port| port.link.index == index);
        let mut others =
            users.filter(|(_, index, name)| stays(*index) && !is_bridge(name) && !wanted.force);
        if let Some((_, _, name)) = others.next() {
            return contradiction(format!(
                "address {cidr} is in use on interface {name} (take it away there, or use --force)"
            ));
        }
        missing.push(*cidr);
    }
    Ok(missing)
}

/// What `down` will need to know.
fn keep_change(
    facts: &Facts,
    wanted: &Wanted,
    ports: Vec<AddedPort>,
    addresses: &[Cidr],
    changes: &[Change],
) -> Result<Option<Change>, Error> {
    let (moved, back) = moved_of(changes, facts, wanted);
    let Some(bridge) = &facts.bridge else {
        let record = Record {
            name: wanted.name.to_string(),
            made: true,
            ports,
            addresses: addresses.iter().map(Cidr::to_string).collect(),
            ..Record::default()
        };
        let record = record.with_moved(moved, back);
        // The intent stands until the bridge is away again.
        return Ok(Some(Change {
            step: Step::Keep(record),
            undo: vec![],
        }));
    };
    let (name, ifindex) = (&bridge.link.name, bridge.link.index);
    let before = facts.record_of(&bridge.link, wanted.force);
    let is_of_intent = matches!(&before, Ok(Some(record)) if record.is_of_intent());
    if ports.is_empty() && addresses.is_empty() && back.is_empty() && !is_of_intent {
        return Ok(None);
    }
    let before = before?.cloned();
    let undo = before.clone().map_or(Step::Forget, Step::Keep);
    let mut record = before.unwrap_or_else(|| Record {
        name: name.clone(),
        ifindex,
        ..Record::default()
    });
    record
        .ports
        .retain(|old| !ports.iter().any(|new| new.ifindex == old.ifindex));
    record.ports.extend(ports);
    for cidr in addresses.iter().map(Cidr::to_string) {
        if !record.addresses.contains(&cidr) {
            record.addresses.push(cidr);
        }
    }
    record.intent = Intent::default();
    let record = record.with_moved(moved, back);
    Ok(Some(Change::new(Step::Keep(record), undo)))
}
