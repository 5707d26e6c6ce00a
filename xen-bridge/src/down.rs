//! What `down` has to do, decided from what was read.

use crate::Error;
use crate::back::{is_successor, steps_back};
use crate::cidr::Cidr;
use crate::facts::{Bridge, Facts, Lost};
use crate::files::FOLDER;
use crate::link::Link;
use crate::names::is_guests;
use crate::record::{AddedPort, Found, Record};
use crate::step::Step;
use crate::up::not_a_bridge;

/// The steps that take away what `up` made or added; none where that is so.
///
/// # Errors
/// The name is something else's, the bridge is in use (unless `force`), or
/// nobody can tell what `up` did (with `force`, it did nothing).
pub fn plan_down(facts: &Facts, force: bool) -> Result<Vec<Step>, Error> {
    if let Some(lost) = &facts.lost {
        return give_back_steps(facts, lost, force);
    }
    let Some(bridge) = &facts.bridge else {
        return Ok(forget(facts));
    };
    if !bridge.link.is_bridge() {
        return Err(not_a_bridge(&bridge.link));
    }
    let record = match facts.record.of(&bridge.link) {
        Err(_) if force => None,
        found => found?,
    };
    let Some(record) = record else {
        return Ok(forget(facts));
    };
    let mut steps = if record.made {
        refuse_users(bridge, users(bridge, record), force)?;
        remove_steps(facts, bridge, record, force)?
    } else {
        take_back_steps(facts, bridge, record, force)?
    };
    steps.push(Step::Forget);
    Ok(steps)
}

/// The bridge went by other means, and what was moved to it went with it: its
/// uplink gets that back.
fn give_back_steps(facts: &Facts, lost: &Lost, force: bool) -> Result<Vec<Step>, Error> {
    let Found::Record(record) = &facts.record else {
        return Ok(vec![]);
    };
    if let Some(now) = &lost.renamed {
        return Err(Error::Renamed {
            bridge: record.name.clone(),
            now: now.clone(),
        });
    }
    if let Some((port, master)) = lost.taken.as_ref().filter(|_| !record.back.is_empty()) {
        // On a port, an address goes before the one that the host has by now.
        return Err(Error::UnfitPort {
            port: port.clone(),
            why: format!(
                "its addresses went with bridge {0}, and it is a port of {master} now: release \
                 it to have them back, or remove /{FOLDER}/{0}",
                record.name
            ),
        });
    }
    let mut steps = steps_back(facts, record, force)?;
    steps.push(Step::Forget);
    Ok(steps)
}

fn forget(facts: &Facts) -> Vec<Step> {
    match facts.record {
        Found::Record(_) => vec![Step::Forget],
        // Not known to be a record, and it stands in nobody's way.
        Found::Nothing | Found::Elsewhere | Found::Unreadable(_) => vec![],
    }
}

fn refuse_users(bridge: &Bridge, users: Vec<String>, force: bool) -> Result<(), Error> {
    if users.is_empty() || force {
        return Ok(());
    }
    Err(Error::InUse {
        bridge: bridge.link.name.clone(),
        users: users.join(", "),
    })
}

/// Who would lose something with the bridge: guests, other ports, addresses.
fn users(bridge: &Bridge, record: &Record) -> Vec<String> {
    let mut users = guests(bridge);
    let foreign = bridge
        .ports
        .iter()
        .filter(|port| !is_guests(&port.name) && !added(record, port));
    users.extend(foreign.map(|port| format!("port {}", port.name)));
    // What routers announce was not given by anybody who would miss it.
    let given = bridge.addresses.iter().filter(|it| !it.is_by_router());
    let addresses = given.map(|address| address.cidr);
    users.extend(
        addresses
            .filter(|cidr| !record.has(&cidr.to_string()))
            .map(|cidr| format!("address {cidr}")),
    );
    users
}

fn guests(bridge: &Bridge) -> Vec<String> {
    let ports = bridge.ports.iter().filter(|port| is_guests(&port.name));
    ports
        .map(|port| format!("guest's interface {}", port.name))
        .collect()
}

fn added(record: &Record, port: &Link) -> bool {
    record.ports.iter().any(|added| added.ifindex == port.index)
}

/// Ports fall off a bridge that is removed; only what `up` switched on is
/// switched off again.
fn remove_steps(
    facts: &Facts,
    bridge: &Bridge,
    record: &Record,
    force: bool,
) -> Result<Vec<Step>, Error> {
    // What was moved goes back first: until then it carries the host.
    let mut steps = steps_back(facts, record, force)?;
    for added in &record.ports {
        if is_port(bridge, added.ifindex) && goes_off(facts, added) {
            steps.push(Step::SetPortUp(added.interface(), false));
        }
    }
    steps.push(Step::Remove);
    Ok(steps)
}

fn goes_off(facts: &Facts, added: &AddedPort) -> bool {
    added.brought_up && !is_successor(facts, added.ifindex)
}

/// On somebody else's bridge, other ports and addresses stay as they are.
fn take_back_steps(
    facts: &Facts,
    bridge: &Bridge,
    record: &Record,
    force: bool,
) -> Result<Vec<Step>, Error> {
    // What was moved goes back first: until then it carries the host.
    let mut steps = steps_back(facts, record, force)?;
    for address in &bridge.addresses {
        let cidr: Cidr = address.cidr;
        if record.addresses.contains(&cidr.to_string()) {
            steps.push(Step::RemoveAddress(cidr));
        }
    }
    for added in &record.ports {
        if is_port(bridge, added.ifindex) {
            // In this order: what is a port no longer is not looked at again,
            // should the second fail.
            if goes_off(facts, added) {
                steps.push(Step::SetPortUp(added.interface(), false));
            }
            steps.push(Step::ReleasePort(added.interface()));
        }
    }
    if !steps.is_empty() {
        refuse_users(bridge, guests(bridge), force)?;
    }
    Ok(steps)
}

fn is_port(bridge: &Bridge, ifindex: u32) -> bool {
    bridge.ports.iter().any(|port| port.index == ifindex)
}
