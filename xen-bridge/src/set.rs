//! The settings of a bridge: defaults where it is made, and what differs
//! where it is there.

use crate::Error;
use crate::facts::{Bridge, Facts};
use crate::held::Held;
use crate::intent::Intent;
use crate::record::Record;
use crate::settings::{FORWARD_DELAY, STP, Settings, VLAN_FILTERING};
use crate::step::{Change, Step};
use crate::up::Wanted;
use crate::values::{Centiseconds, Mac, SHORTEST_STP_DELAY, USUAL_STP_DELAY};

/// Defaults are for a bridge that is made, and only for that. It takes its
/// hardware address from the first port whose addresses it gets.
pub(crate) fn make_changes(facts: &Facts, wanted: &Wanted) -> [Change; 2] {
    let named = &wanted.settings;
    let usual = if named.is_on(STP) {
        USUAL_STP_DELAY
    } else {
        Centiseconds(0)
    };
    let mut settings = *named;
    settings.0[STP] = named.0[STP].or(Some(0));
    settings.0[FORWARD_DELAY] = named.0[FORWARD_DELAY].or(Some(usual.0));
    // Off it is anyhow, and a kernel without it refuses either.
    settings.0[VLAN_FILTERING] = named.0[VLAN_FILTERING].filter(|on| *on != 0);
    let mac = wanted.mac.or_else(|| uplinks_mac(facts, wanted));
    let intent = Record::of_intent(wanted.name.as_str(), Intent { settings, mac });
    [
        Change::new(Step::Intend(intent), Step::Forget),
        Change::new(Step::Make { mac, settings }, Step::Remove),
    ]
}

/// That of the first port whose addresses or routes move.
fn uplinks_mac(facts: &Facts, wanted: &Wanted) -> Option<Mac> {
    let mut ports = facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let uplink = ports.find(|port| !(port.addresses.is_empty() && port.routes.is_empty()))?;
    uplink.link.mac.filter(|_| wanted.moves)
}

pub(crate) fn set_changes(
    facts: &Facts,
    bridge: &Bridge,
    wanted: &Wanted,
) -> Result<Vec<Change>, Error> {
    let now = &bridge.link.bridge.settings;
    let differing = differing_settings(&bridge.link.name, now, &wanted.settings)?;
    let stp = Settings::only(STP, differing.0[STP]);
    let others = differing.without(STP);
    // The kernel lengthens a delay that is too short for STP; to shorten it
    // again, STP must be off.
    let lengthened = stp.is_on(STP) && now.delay() < Some(SHORTEST_STP_DELAY);
    let short_delay =
        lengthened.then(|| Step::Set(Settings::only(FORWARD_DELAY, now.0[FORWARD_DELAY])));
    let mut changes = vec![];
    // STP first and alone: a delay that only fits with it off is refused
    // (ERANGE) even where the same request switches it off.
    if !stp.is_empty() {
        let mut undo = vec![Step::Set(now.of_same_kinds(&stp))];
        undo.extend(short_delay);
        let step = Step::Set(stp);
        changes.push(Change { step, undo });
    }
    if !others.is_empty() {
        let mut before = now.of_same_kinds(&others);
        if lengthened {
            before = before.without(FORWARD_DELAY);
        }
        let undo = Some(before).filter(|before| !before.is_empty());
        changes.push(Change {
            step: Step::Set(others),
            undo: undo.map(Step::Set).into_iter().collect(),
        });
    }
    let mac = wanted.mac.or_else(|| uplinks_mac(facts, wanted));
    if let Some(mac) = mac.filter(|mac| bridge.link.mac != Some(*mac)) {
        // With another hardware address the kernel forgets all neighbours,
        // also those that somebody laid down.
        let neighbors = bridge.neighbors.iter().cloned().map(Held::Neighbor);
        let again = neighbors.map(|neighbor| Step::Give(neighbor, None));
        let before = bridge.link.mac.filter(|mac| *mac != Mac::NONE);
        let undo = before.map(Step::SetMac).into_iter();
        changes.push(Change {
            step: Step::SetMac(mac),
            undo: undo.chain(again.clone()).collect(),
        });
        changes.extend(again.map(Change::lasting));
    }
    Ok(changes)
}

fn differing_settings(bridge: &str, now: &Settings, named: &Settings) -> Result<Settings, Error> {
    let stp = named.0[STP].or(now.0[STP]).is_some_and(|on| on != 0);
    // The kernel would make 2 s of a delay too short for STP, which is too
    // short for the protocol's own timers.
    let switched_on = stp && !now.is_on(STP) && now.delay() < Some(SHORTEST_STP_DELAY);
    let delay = named
        .delay()
        .or(Some(USUAL_STP_DELAY).filter(|_| switched_on));
    let too_short = delay.filter(|delay| stp && *delay < SHORTEST_STP_DELAY);
    if let Some(delay) = too_short {
        return Err(Error::Contradiction {
            bridge: bridge.to_owned(),
            why: format!("it has STP on, with which a forward delay of {delay} s is not kept"),
        });
    }
    let mut wanted = *named;
    wanted.0[FORWARD_DELAY] = delay.map(|delay| delay.0);
    Ok(now.differing(&wanted))
}
