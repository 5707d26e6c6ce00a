//! What `up` has to do, decided from what was read.

use crate::Error;
use crate::cidr::Cidr;
use crate::cli::Up;
use crate::facts::{Bridge, Facts};
use crate::link::{BridgeState, Link};
use crate::names::InterfaceName;
use crate::ports::port_changes;
use crate::record::{AddedPort, Record};
use crate::step::{Change, Settings, Step};
use crate::values::{Centiseconds, Mac, SHORTEST_STP_DELAY, USUAL_STP_DELAY};

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
    /// Take a port even if that cuts off who uses its addresses.
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
            settings: Settings {
                stp: up.stp,
                forward_delay: up.forward_delay,
                ageing: up.ageing,
                vlan_filtering: up.vlan_filtering,
            },
            ports: up.ports(),
            addresses: up.addresses(),
            force: up.force,
        };
        wanted.check()?;
        Ok(wanted)
    }

    fn check(&self) -> Result<(), Error> {
        let delay = self.settings.forward_delay.unwrap_or(USUAL_STP_DELAY);
        if self.settings.stp == Some(true) && delay < SHORTEST_STP_DELAY {
            return Err(Error::Usage(format!(
                "with STP on, a forward delay below {SHORTEST_STP_DELAY} s is not kept"
            )));
        }
        if self.ports.contains(&self.name) {
            return Err(Error::Usage(format!(
                "{} cannot be a port of itself",
                self.name
            )));
        }
        Ok(())
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
        Some(bridge) => set_changes(bridge, wanted)?,
        None => vec![
            Change::new(
                Step::Intend(Record::of_intent(wanted.name.as_str())),
                Step::Forget,
            ),
            make_change(wanted),
        ],
    };
    let mut added = vec![];
    for (name, port) in &facts.ports {
        let port = port
            .as_ref()
            .ok_or_else(|| Error::NoSuchPort(name.to_string()))?;
        added.extend(port_changes(port, existing, wanted, &mut changes)?);
    }
    if let Some(mtu) = wanted.mtu {
        changes.extend(mtu_change(mtu, existing, !added.is_empty()));
    }
    let addresses = missing_addresses(existing, wanted)?;
    for cidr in &addresses {
        changes.push(Change::new(
            Step::AddAddress(*cidr),
            Step::RemoveAddress(*cidr),
        ));
    }
    if existing.is_some_and(|bridge| !bridge.link.up) {
        changes.push(Change::new(Step::SetUp(true), Step::SetUp(false)));
    }
    let keep = keep_change(facts, wanted, added, &addresses)?;
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

/// Defaults are for a bridge that is made, and only for that.
fn make_change(wanted: &Wanted) -> Change {
    let named = &wanted.settings;
    let stp = named.stp.unwrap_or(false);
    let usual = if stp {
        USUAL_STP_DELAY
    } else {
        Centiseconds(0)
    };
    let make = Step::Make {
        mac: wanted.mac,
        settings: Settings {
            stp: Some(stp),
            forward_delay: named.forward_delay.or(Some(usual)),
            // Off it is anyhow, and a kernel without it refuses either.
            vlan_filtering: named.vlan_filtering.filter(|on| *on),
            ..named.clone()
        },
    };
    Change::new(make, Step::Remove)
}

fn set_changes(bridge: &Bridge, wanted: &Wanted) -> Result<Vec<Change>, Error> {
    let now = &bridge.link.bridge;
    let differing = differing_settings(&bridge.link.name, now, &wanted.settings)?;
    let stp = Settings {
        stp: differing.stp,
        ..Settings::default()
    };
    let others = Settings {
        stp: None,
        ..differing
    };
    // The kernel lengthens a delay that is too short for STP; to shorten it
    // again, STP must be off.
    let lengthened = stp.stp == Some(true) && now.forward_delay < SHORTEST_STP_DELAY;
    let short_delay = lengthened.then(|| {
        Step::Set(Settings {
            forward_delay: Some(now.forward_delay),
            ..Settings::default()
        })
    });
    let mut changes = vec![];
    // STP first and alone: a delay that only fits with it off is refused
    // (ERANGE) even where the same request switches it off.
    if !stp.is_empty() {
        let mut undo = vec![Step::Set(as_before(now, &stp))];
        undo.extend(short_delay);
        let step = Step::Set(stp);
        changes.push(Change { step, undo });
    }
    if !others.is_empty() {
        let mut before = as_before(now, &others);
        before.forward_delay = before.forward_delay.filter(|_| !lengthened);
        let undo = Some(before).filter(|before| !before.is_empty());
        changes.push(Change {
            step: Step::Set(others),
            undo: undo.map(Step::Set).into_iter().collect(),
        });
    }
    if let Some(mac) = wanted.mac.filter(|mac| bridge.link.mac != Some(*mac)) {
        changes.push(Change {
            step: Step::SetMac(mac),
            undo: bridge.link.mac.map(Step::SetMac).into_iter().collect(),
        });
    }
    Ok(changes)
}

fn differing_settings(
    bridge: &str,
    now: &BridgeState,
    named: &Settings,
) -> Result<Settings, Error> {
    let stp = named.stp.unwrap_or(now.stp);
    // The kernel would make 2 s of a delay too short for STP, which is too
    // short for the protocol's own timers.
    let switched_on = stp && !now.stp && now.forward_delay < SHORTEST_STP_DELAY;
    let delay = named
        .forward_delay
        .or(Some(USUAL_STP_DELAY).filter(|_| switched_on));
    let too_short = delay.filter(|delay| stp && *delay < SHORTEST_STP_DELAY);
    if let Some(delay) = too_short {
        return Err(Error::Contradiction {
            bridge: bridge.to_owned(),
            why: format!("it has STP on, with which a forward delay of {delay} s is not kept"),
        });
    }
    Ok(Settings {
        stp: named.stp.filter(|on| *on != now.stp),
        forward_delay: delay.filter(|delay| !delay.is_about(now.forward_delay)),
        ageing: named.ageing.filter(|time| !time.is_about(now.ageing)),
        vlan_filtering: named.vlan_filtering.filter(|on| *on != now.vlan_filtering),
    })
}

/// What the named settings were.
fn as_before(now: &BridgeState, settings: &Settings) -> Settings {
    Settings {
        stp: settings.stp.map(|_| now.stp),
        forward_delay: settings.forward_delay.map(|_| now.forward_delay),
        ageing: settings.ageing.map(|_| now.ageing),
        vlan_filtering: settings.vlan_filtering.map(|_| now.vlan_filtering),
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

fn missing_addresses(existing: Option<&Bridge>, wanted: &Wanted) -> Result<Vec<Cidr>, Error> {
    let mut missing = vec![];
    for cidr in &wanted.addresses {
        let same_address = |other: &Cidr| other.address == cidr.address;
        let on_bridge = existing
            .iter()
            .flat_map(|bridge| &bridge.addresses)
            .map(|address| address.cidr);
        let mut others = on_bridge
            .chain(missing.iter().copied())
            .filter(same_address);
        match others.next() {
            None => missing.push(*cidr),
            Some(other) if other == *cidr => {}
            // IPv4 would have it twice, in two networks; IPv6 refuses it.
            Some(other) => {
                return Err(Error::Contradiction {
                    bridge: wanted.name.to_string(),
                    why: format!("it has {other}: take that away before adding {cidr}"),
                });
            }
        }
    }
    Ok(missing)
}

/// What `down` will need to know.
fn keep_change(
    facts: &Facts,
    wanted: &Wanted,
    ports: Vec<AddedPort>,
    addresses: &[Cidr],
) -> Result<Option<Change>, Error> {
    let Some(bridge) = &facts.bridge else {
        let record = Record {
            name: wanted.name.to_string(),
            made: true,
            ports,
            addresses: addresses.iter().map(Cidr::to_string).collect(),
            ..Record::default()
        };
        // The intent stands until the bridge is away again.
        return Ok(Some(Change {
            step: Step::Keep(record),
            undo: vec![],
        }));
    };
    let (name, ifindex) = (&bridge.link.name, bridge.link.index);
    let before = facts.record.of(name, ifindex);
    let is_of_intent = matches!(&before, Ok(Some(record)) if record.is_of_intent());
    if ports.is_empty() && addresses.is_empty() && !is_of_intent {
        return Ok(None);
    }
    let before = match before {
        Err(_) if wanted.force => None,
        found => found?.cloned(),
    };
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
    Ok(Some(Change::new(Step::Keep(record), undo)))
}
