//! What `--exact` takes away.

use crate::Error;
use crate::address::Address;
use crate::back::uplinks;
use crate::facts::{Bridge, Facts, Interface};
use crate::held::Held;
use crate::moving::{in_order_of_giving, take_address};
use crate::record::Record;
use crate::replace::keep_changes;
use crate::route::Route;
use crate::step::{Change, Step};
use crate::up::Wanted;

const REMEDY: &str =
    "--confirm has it put back if that cuts you off, --force takes it all the same";

/// Ports and addresses that were not named. Guests stay plugged in, and what
/// was moved here stays, as does what somebody else may be reached by.
///
/// # Errors
/// The host may be cut off.
pub(crate) fn exact_changes(
    facts: &Facts,
    bridge: &Bridge,
    wanted: &Wanted,
) -> Result<Vec<Change>, Error> {
    let record = facts.record_of(&bridge.link, wanted.force)?;
    let may_cut_off = !wanted.force && !wanted.confirms;
    let carried = bridge.routes.iter().find(|route| !route.by_kernel);
    let mut changes = vec![];
    // By their numbers: they may be named by alternative names.
    let named = facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let named: Vec<u32> = named.map(|port| port.link.index).collect();
    for port in &bridge.ports {
        if named.contains(&port.index) || crate::names::is_guests(&port.name) {
            continue;
        }
        let carries = |record: &Record| carries_what_was_moved(record, bridge, port.index);
        if record.is_some_and(carries) && !wanted.force {
            return Err(Error::UnfitPort {
                port: port.name.clone(),
                why: "it carries what was moved to the bridge, and is not named (--force \
                      releases it all the same)"
                    .to_owned(),
            });
        }
        // Also on a bridge of ours: who is near needs no route to be reached.
        let is_used = carried.is_some() || !bridge.addresses.is_empty();
        if may_cut_off && is_used {
            let over = carried.map_or_else(|| "its address".to_owned(), Route::words);
            return Err(Error::UnfitPort {
                port: port.name.clone(),
                why: format!(
                    "it is not named, and bridge {} may be reached over it ({over}); {REMEDY}",
                    bridge.link.name
                ),
            });
        }
        let port = Interface::from(port);
        changes.push(Change::new(
            Step::ReleasePort(port.clone()),
            Step::AddPort(port),
        ));
    }
    let addresses = &bridge.addresses;
    let given = |route: &&Route| !route.follows_from(addresses, false);
    let routes = bridge.routes.iter().filter(given);
    let routes = routes.map(|route| Held::Route(route.clone()));
    let neighbors = bridge.neighbors.iter().cloned().map(Held::Neighbor);
    let mut rest: Vec<Step> = routes
        .chain(neighbors)
        .map(|held| Step::Give(held, None))
        .collect();
    let gone = addresses_that_go(facts, wanted)?;
    let [before, after] = keep_changes(&bridge.addresses, &gone);
    changes.extend(before);
    for address in gone {
        let cidr = address.cidr;
        let resting = bridge.routes.iter().find(|route| route.rests_on(&cidr));
        if may_cut_off {
            let why = match resting {
                Some(route) => format!("its {} rests on it", route.words()),
                None => "it may be reached by it".to_owned(),
            };
            return Err(Error::Contradiction {
                bridge: bridge.link.name.clone(),
                why: format!("address {cidr} is not named, and {why}; {REMEDY}"),
            });
        }
        let mut change = take_address(address, None);
        // Undone last: they can go with the addresses that they rest on.
        change.undo.append(&mut rest);
        changes.push(change);
    }
    changes.extend(after);
    Ok(changes)
}

/// It is to have back what was moved here; where the port that it was moved
/// from is there no longer, any that `up` added since may be.
fn carries_what_was_moved(record: &Record, bridge: &Bridge, port: u32) -> bool {
    let uplinks = uplinks(record);
    let is_port = |index: &u32| bridge.ports.iter().any(|port| port.index == *index);
    let is_added = || record.ports.iter().any(|it| it.ifindex == port);
    uplinks.contains(&port) || (!uplinks.iter().all(is_port) && is_added())
}

/// The addresses that go, in that order: they are not named, were not moved
/// here, and no router announced them.
///
/// # Errors
/// The record cannot be read.
pub(crate) fn addresses_that_go<'a>(
    facts: &'a Facts,
    wanted: &Wanted,
) -> Result<Vec<&'a Address>, Error> {
    let Some(bridge) = facts.bridge.as_ref().filter(|_| wanted.exact) else {
        return Ok(vec![]);
    };
    let record = facts.record_of(&bridge.link, wanted.force)?;
    let goes = |address: &&Address| {
        let cidr = address.cidr.to_string();
        let is_moved = record.is_some_and(|record| record.moved.contains(&cidr));
        !(is_moved || address.is_by_router() || wanted.addresses.contains(&address.cidr))
    };
    let addresses = in_order_of_giving(&bridge.addresses).into_iter().rev();
    Ok(addresses.filter(goes).collect())
}
