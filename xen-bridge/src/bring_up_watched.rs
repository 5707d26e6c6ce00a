//! `up` of what carries the host, or is to be confirmed: watched over from
//! before its first step.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::Error;
use crate::apply::{Ending, Hands};
use crate::bring_up::{bridge_of, look, overtaken, say};
use crate::cli::Up;
use crate::confirm;
use crate::facts::{Facts, Interface};
use crate::files::Lock;
use crate::gateways::Gateways;
use crate::guard::Guard;
use crate::held::Held;
use crate::journal::{Journal, OWN_SECONDS};
use crate::netlink::Connection;
use crate::remarks::Remarks;
use crate::route::Route;
use crate::settings::AGEING;
use crate::signals::Signals;
use crate::step::{Change, Step};
use crate::up::{Wanted, plan_up};

/// How long the gateway may take to answer where no time was named.
const GATEWAY_SECONDS: u32 = 15;

/// What carries the host, or what is confirmed or put back.
pub(crate) fn bring_up_watched(
    connection: &mut Connection,
    lock: Lock,
    signals: &Signals,
    args: &Up,
    wanted: &Wanted,
    remarks: &mut Remarks<'_>,
) -> Result<(), Error> {
    let root = &args.manner.root;
    let facts = look(connection, args, wanted)?;
    let changes = plan_up(&facts, wanted)?;
    if changes.is_empty() {
        return Ok(());
    }
    let bridge = bridge_of(&facts, &wanted.name);
    // The one asked for may be an alternative name.
    let real_name = bridge.name.clone();
    let name = real_name.as_str();
    let gateways = match args.check_gateway {
        true => gateways_of(args, &facts, &changes)?,
        false => None,
    };
    // What cannot lose the gateway needs neither its answer nor anybody's. What
    // may, where there is none to ask, is somebody's to confirm.
    let is_harmless = gateways.is_none() && !may_cut_off(&facts, &changes);
    let confirm = args
        .confirm
        .filter(|_| !(args.check_gateway && is_harmless));
    let waits = confirm.or(gateways.as_ref().map(|_| GATEWAY_SECONDS));
    let before = match &facts.bridge {
        Some(bridge) => facts.record_of(&bridge.link, wanted.force)?,
        None => None,
    };
    let seconds = waits.unwrap_or(OWN_SECONDS);
    let journal = Journal::of(&changes, &bridge, before, seconds);
    let leases = leases_of(&changes);
    let uplinks = uplinks_of(&changes);
    let lasting = lasting_of(&changes, name);
    let guard = Guard::arm(&lock, journal)?;
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let hands = Hands::new(connection, &lock, bridge).until(deadline);
    let mut hands = hands.heeding(signals);
    let mut remark = |step: &Step| say(&args.manner, step, name, remarks);
    let done = match hands.perform(changes, &mut remark) {
        Ok(Ending::Done) => {
            refuse_leftovers(hands.connection, args, wanted).and_then(|()| hands.bridge_number())
        }
        // Not even the bridge is ours: what is there is not to be taken away.
        Ok(Ending::Overtaken) if hands.has_done_nothing() => {
            guard.commit()?;
            return Err(overtaken(wanted));
        }
        Ok(Ending::Overtaken) => Err(overtaken(wanted)),
        Err(error) => Err(error),
    };
    let bridge = match done {
        Ok(bridge) => bridge,
        Err(error) => return Err(but_for(lasting, guard.put_back(connection, error))),
    };
    for (address, seconds) in leases {
        let _ = writeln!(
            remarks,
            "xen-bridge: address {address} of bridge {name} goes in {seconds} s, \
             unless somebody renews it there"
        );
    }
    if waits.is_none() {
        return guard.commit();
    }
    let line = guard.into_watcher();
    drop(lock);
    let gateways = gateways.map(|all| Gateways {
        bridge,
        uplinks,
        silent: all.clone(),
        all,
    });
    if gateways.is_none() {
        let _ = writeln!(
            remarks,
            "xen-bridge: done; put back in {seconds} s, unless this comes before: \
             xen-bridge confirm {}",
            shell_words::quote(name)
        );
    }
    remarks.tell();
    confirm::wait(root, name, &line, signals, connection, gateways)
        .map_err(|error| but_for(lasting, error))
}

pub(crate) fn moves_the_host(change: &Change) -> bool {
    matches!(&change.step, Step::Give(..) | Step::Take(..))
}

/// The host may be reached no more, or by another way, when these are done.
pub(crate) fn may_cut_off(facts: &Facts, changes: &[Change]) -> bool {
    let was_there = facts.bridge.is_some();
    let ports = || facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let carries = |of: &Interface| {
        let mut those = ports().filter(|port| port.link.index == of.index);
        those.any(|port| !(port.addresses.is_empty() && port.routes.is_empty()))
    };
    changes.iter().any(|change| match &change.step {
        // By force also what is not moved.
        Step::AddPort(port) => was_there || carries(port),
        Step::ReleasePort(_) | Step::SetMac(_) | Step::SetMtu(_) => was_there,
        Step::Set(settings) => was_there && !settings.without(AGEING).is_empty(),
        _ => moves_the_host(change),
    })
}

/// What is still on an uplink goes before what the bridge has: the answers to
/// what comes in would go nowhere. That nothing was refused is not enough.
fn refuse_leftovers(connection: &mut Connection, args: &Up, wanted: &Wanted) -> Result<(), Error> {
    let changes = plan_up(&look(connection, args, wanted)?, wanted)?;
    let left = changes.into_iter().find_map(|change| match change.step {
        Step::Take(held, Some(uplink)) => Some((held.words(), uplink.name)),
        _ => None,
    });
    left.map_or(Ok(()), |(what, uplink)| {
        Err(Error::StillThere { what, uplink })
    })
}

/// The addresses among what moves that go by themselves.
fn leases_of(changes: &[Change]) -> Vec<(String, u32)> {
    let leases = changes.iter().filter_map(|change| match &change.step {
        Step::Give(Held::Address(address), None) => {
            Some((address.cidr.to_string(), address.valid_seconds?))
        }
        _ => None,
    });
    leases.collect()
}

/// What cannot be put back, in words.
fn lasting_of(changes: &[Change], bridge: &str) -> Vec<String> {
    let ports = changes.iter().filter_map(|change| match &change.step {
        Step::ReleasePort(port) => Some(port.name.as_str()),
        _ => None,
    });
    let ports: Vec<&str> = ports.collect();
    let mut lasting = vec![];
    if !ports.is_empty() {
        // The kernel forgets it with the port.
        let ports = ports.join(", ");
        lasting.push(format!(
            "what port {ports} was set to (bridge link, bridge vlan, bridge fdb)"
        ));
    }
    let is_mac = |step: &Step| matches!(step, Step::SetMac(_));
    let mut to_stay = changes.iter().filter(|it| !it.undo.iter().any(is_mac));
    if to_stay.any(|change| is_mac(&change.step)) {
        lasting.push(format!("the mac of bridge {bridge}, which had none"));
    }
    lasting
}

fn but_for(lasting: Vec<String>, error: Error) -> Error {
    match error {
        Error::Unconfirmed(..) | Error::Interrupted(_) | Error::NoWatcher
            if !lasting.is_empty() =>
        {
            Error::ButFor {
                source: Box::new(error),
                what: lasting.join(" and "),
            }
        }
        other => other,
    }
}

/// The numbers of those that something is taken from.
fn uplinks_of(changes: &[Change]) -> Vec<u32> {
    let uplinks = changes.iter().filter_map(|change| match &change.step {
        Step::Take(_, uplink) => uplink.as_ref(),
        _ => None,
    });
    uplinks.map(|uplink| uplink.index).collect()
}

/// The gateways that are to answer: those of the default routes that move, or
/// that a router is to announce again; where none moves, those of the bridge's.
/// `None`: there is none, and nobody counts on one.
fn gateways_of(args: &Up, facts: &Facts, changes: &[Change]) -> Result<Option<Vec<IpAddr>>, Error> {
    let moved = changes.iter().filter_map(|change| match &change.step {
        Step::Take(Held::Route(route), Some(_)) => Some(route),
        _ => None,
    });
    let mut gateways = default_gateways(moved, Route::gateways);
    if let Some(bridge) = facts.bridge.as_ref().filter(|_| gateways.is_empty()) {
        let through = |route: &Route| route.gateways_through(bridge.link.index);
        gateways = default_gateways(bridge.routes.iter(), through);
    }
    if !gateways.is_empty() {
        return Ok(Some(gateways));
    }
    // There is none to lose by what only adds to a bridge. What --exact takes
    // from one is not taken without --confirm or --force either.
    let moves = |change: &Change| matches!(change.step, Step::Take(_, Some(_)));
    let is_guarded = args.confirm.is_some() || args.force;
    if !is_guarded && changes.iter().any(moves) {
        return Err(Error::Contradiction {
            bridge: args.bridge.name.to_string(),
            why: "--check-gateway: no default route over a gateway moves to it, or leads through \
                  it; with --confirm SECONDS too somebody is to confirm"
                .to_owned(),
        });
    }
    Ok(None)
}

fn default_gateways<'a>(
    routes: impl Iterator<Item = &'a Route>,
    of: impl Fn(&Route) -> Vec<IpAddr>,
) -> Vec<IpAddr> {
    let default = routes.filter(|route| route.destination.is_none());
    let mut gateways = vec![];
    for gateway in default.flat_map(of) {
        if !gateways.contains(&gateway) {
            gateways.push(gateway);
        }
    }
    gateways
}
