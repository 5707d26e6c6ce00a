//! Where what was moved goes back to when its card has another number by now,
//! or is gone: a driver that is loaded again, and a bond or VLAN that is made
//! anew, make another card of the same name.

use nix::libc;

use crate::Error;
use crate::address::Address;
use crate::facts::{Facts, Interface};
use crate::lookups::{ask, read_link};
use crate::netlink::Connection;
use crate::record::{Found, Record};
use crate::request::{self, Request};
use crate::route::Route;
use crate::step::Step;

/// A card that something is to go back to, and that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The number that it had.
    pub index: u32,
    /// Its name then.
    pub name: String,
    /// What took its place.
    pub successor: Option<Interface>,
}

/// Asks for the cards by their numbers. The successor of one that is gone has
/// its name and is a port that `up` added since; where the bridge went too it
/// is in nobody's service.
pub(crate) fn read_gone(connection: &mut Connection, facts: &Facts) -> Result<Vec<Gone>, Error> {
    let mut gone = vec![];
    let Found::Record(record) = &facts.record else {
        return Ok(gone);
    };
    for index in uplinks(record) {
        let message = request::get_link_by_index(index);
        if ask(connection, message, &index.to_string())?.is_some() {
            continue;
        }
        let mut ports = record.ports.iter();
        let Some(port) = ports.find(|port| port.ifindex == index) else {
            gone.push(Gone {
                index,
                name: format!("interface {index}"),
                successor: None,
            });
            continue;
        };
        let link = read_link(connection, &port.name)?;
        let is_added = |index: u32| record.ports.iter().any(|port| port.ifindex == index);
        let successor = link.filter(|link| match facts.lost {
            Some(_) => link.master.is_none(),
            None => is_added(link.index) && link.master.is_none_or(|it| it == record.ifindex),
        });
        gone.push(Gone {
            index,
            name: port.name.clone(),
            successor: successor.as_ref().map(Interface::from),
        });
    }
    Ok(gone)
}

/// The steps that move all back: to the successor of a card that is gone, and
/// by force to nowhere where it has none.
///
/// # Errors
/// [`Error::UnfitPort`]: a card is gone, and what it had would be lost.
pub(crate) fn steps_back(facts: &Facts, record: &Record, force: bool) -> Result<Vec<Step>, Error> {
    let mut steps = record.steps_back();
    for gone in &facts.gone {
        match &gone.successor {
            Some(successor) => {
                for step in &mut steps {
                    lead_to(step, gone.index, successor);
                }
            }
            None if force => steps.retain(|step| uplink_of(step) != Some(gone.index)),
            None => return Err(would_be_lost(facts, gone, record)),
        }
    }
    Ok(steps)
}

/// Something goes back to that port, which was not there when it was moved:
/// it is needed as it is.
pub(crate) fn is_successor(facts: &Facts, index: u32) -> bool {
    let mut all = facts.gone.iter().filter_map(|gone| gone.successor.as_ref());
    all.any(|successor| successor.index == index)
}

/// What nothing is left to have back, where the bridge went too: of each card
/// that is gone one line.
pub(crate) fn lost_for_good(facts: &Facts) -> Vec<String> {
    let Found::Record(record) = &facts.record else {
        return vec![];
    };
    let gone = facts.gone.iter().filter(|gone| gone.successor.is_none());
    let line = |gone: &Gone| {
        let (port, what) = (&gone.name, what_it_had(gone, record));
        format!(
            "port {port}: it is gone, and so is {what} of bridge {}",
            record.name
        )
    };
    gone.map(line).collect()
}

fn would_be_lost(facts: &Facts, gone: &Gone, record: &Record) -> Error {
    // To a bridge that is gone too nothing can be added.
    let remedy = match facts.lost {
        Some(_) => "it takes a card of that name",
        None => "add a card of that name (xen-bridge up --port)",
    };
    Error::UnfitPort {
        port: gone.name.clone(),
        why: format!(
            "it is gone, and {} of bridge {} would go back to it: {remedy}, or have it lost with \
             xen-bridge down --force",
            what_it_had(gone, record),
            record.name
        ),
    }
}

fn what_it_had(gone: &Gone, record: &Record) -> String {
    let steps = record.steps_back();
    let its = steps.iter().filter(|it| uplink_of(it) == Some(gone.index));
    let mut what: Vec<String> = vec![];
    for words in its.filter_map(words_of) {
        if !what.contains(&words) {
            what.push(words);
        }
    }
    what.join(", ")
}

/// The numbers of the interfaces that something goes back to.
pub(crate) fn uplinks(record: &Record) -> Vec<u32> {
    let mut all = vec![];
    let steps = record.steps_back();
    for index in steps.iter().filter_map(uplink_of) {
        if index != record.ifindex && !all.contains(&index) {
            all.push(index);
        }
    }
    all
}

/// The number of the interface that a step that was kept gives something to.
fn uplink_of(step: &Step) -> Option<u32> {
    let Step::Kept(request, ..) = step else {
        return None;
    };
    match request.kind {
        libc::RTM_NEWROUTE => Route::parse(&request.payload)?.interfaces.first().copied(),
        libc::RTM_NEWADDR | libc::RTM_NEWNEIGH => {
            let number = request.payload.get(INDEX)?.try_into().ok()?;
            Some(u32::from_ne_bytes(number))
        }
        _ => None,
    }
}

/// In `struct ifaddrmsg` and `struct ndmsg`.
const INDEX: std::ops::Range<usize> = 4..8;

fn lead_to(step: &mut Step, from: u32, to: &Interface) {
    if uplink_of(step) != Some(from) {
        return;
    }
    let Step::Kept(Request { kind, payload }, ..) = step else {
        return;
    };
    if *kind != libc::RTM_NEWROUTE {
        if let Some(number) = payload.get_mut(INDEX) {
            number.copy_from_slice(&to.index.to_ne_bytes());
        }
    } else if let Some(route) = Route::parse(payload) {
        *payload = route.through(to);
    }
}

fn words_of(step: &Step) -> Option<String> {
    let Step::Kept(Request { kind, payload }, ..) = step else {
        return None;
    };
    match *kind {
        libc::RTM_NEWADDR => Some(format!("address {}", Address::parse(payload)?.cidr)),
        libc::RTM_NEWROUTE => Some(Route::parse(payload)?.words()),
        _ => None,
    }
}
