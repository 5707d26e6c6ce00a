//! What carries the host moves from a port to the bridge, in an order that
//! keeps the gap short.
//!
//! The bridge has the uplink's addresses before the uplink is its port: what
//! comes in is for the host in either place. What goes out goes by the
//! uplink's routes until the bridge can be sent through, and each route is
//! there twice before the old one goes.

use crate::Error;
use crate::address::Address;
use crate::facts::{Bridge, Facts, Interface, Port};
use crate::held::Held;
use crate::managers::remedy;
use crate::order::Order;
use crate::ports::port_changes;
use crate::record::AddedPort;
use crate::route::Route;
use crate::settings::STP;
use crate::step::{Change, Step};
use crate::up::Wanted;

/// Adds what makes the interface a port that is up, with what it has on the
/// bridge if that is to move; tells what to keep.
pub(crate) fn port_and_move_changes(
    port: &Port,
    existing: Option<&Bridge>,
    wanted: &Wanted,
    changes: &mut Vec<Change>,
) -> Result<Option<AddedPort>, Error> {
    let follows = |route: &Route| route.follows_from(&port.addresses, port.heeds_routers());
    // Those that lead through several interfaces cannot be moved, and by force
    // they stay as they are.
    let lasts = |route: &&Route| !follows(route) && !route.is_shared();
    let lasting: Vec<&Route> = port.routes.iter().filter(lasts).collect();
    let connected = port.routes.iter().filter(|it| it.is_v6 && follows(it));
    let nothing_moves = port.addresses.is_empty() && port.routes.iter().all(Route::is_shared);
    if !wanted.moves || nothing_moves {
        // Those that a port has were left there by force.
        if wanted.moves && port.link.master.is_none() {
            refuse_shared(port, wanted)?;
        }
        refuse_managed(port, wanted)?;
        return port_changes(port, existing, wanted, changes);
    }
    check_move(port, existing, wanted)?;
    let uplink = Some(Interface::from(&port.link));
    let had = in_order_of_giving(&port.addresses);
    let given: Vec<&Address> = had
        .iter()
        .copied()
        .filter(|address| !is_announced(address, port))
        .collect();
    let is_there = |address: &Address| {
        let mut had = existing.iter().flat_map(|bridge| &bridge.addresses);
        had.any(|other| other.cidr == address.cidr)
    };
    for address in given.iter().filter(|address| !is_there(address)) {
        let held = Held::Address((*address).clone());
        changes.push(Change::new(
            Step::Give(held.clone(), None),
            Step::Take(held, None),
        ));
    }
    let added = port_changes(port, existing, wanted, changes)?;
    if port.link.carrier {
        changes.push(Change::lasting(Step::Await));
    }
    // With the last IPv4 address of an interface the kernel forgets all of its
    // neighbours, also those that somebody laid down.
    for neighbor in &port.neighbors {
        changes.extend(moved(&Held::Neighbor(neighbor.clone()), uplink.as_ref()));
    }
    // A gateway must be in reach before a route leads over it, and as long as
    // one does: so it is here, and so it is when all goes back.
    let (over_gateways, direct): (Vec<&Route>, Vec<&Route>) = lasting
        .into_iter()
        .partition(|route| route.gateway.is_some());
    let move_route = |route: &Route| {
        let [give, take] = moved(&Held::Route(route.clone()), uplink.as_ref());
        let is_heard_again = route.by_router && port.heeds_routers();
        (Some(give).filter(|_| !is_heard_again), take)
    };
    let mut left = vec![];
    for route in direct {
        let (give, take) = move_route(route);
        changes.extend(give);
        left.push(take);
    }
    for route in over_gateways {
        let (give, take) = move_route(route);
        changes.extend(give);
        changes.push(take);
    }
    changes.append(&mut left);
    // The kernel leaves them with an address that a router announced, and with
    // one of several in a network, and then they go before the bridge's.
    for route in connected {
        let [_, take] = moved(&Held::Route(route.clone()), uplink.as_ref());
        changes.push(take);
    }
    // The other way round than they were given, for with the first address of
    // a network the kernel takes the others.
    for address in had.iter().rev() {
        changes.push(take_address(address, uplink.as_ref()));
    }
    for address in given.iter().filter(|address| address.is_v6()) {
        changes.push(Change::lasting(Step::Settle((*address).clone(), None)));
    }
    Ok(added)
}

/// The order in which they must have been given to be listed so: the kernel
/// puts a new IPv6 address before others, and prefers the first as source.
pub(crate) fn in_order_of_giving(listed: &[Address]) -> Vec<&Address> {
    let (v6, mut order): (Vec<&Address>, Vec<_>) = listed.iter().partition(|it| it.is_v6());
    order.extend(v6.into_iter().rev());
    order
}

/// The bridge gets it, and then the uplink has it no more.
fn moved(held: &Held, uplink: Option<&Interface>) -> [Change; 2] {
    let give = |to: Option<&Interface>| Step::Give(held.clone(), to.cloned());
    let take = |from: Option<&Interface>| Step::Take(held.clone(), from.cloned());
    [
        Change::new(give(None), take(None)),
        Change::new(take(uplink), give(uplink)),
    ]
}

/// A router announces it to whoever listens; nobody else would miss it.
fn is_announced(address: &Address, port: &Port) -> bool {
    address.is_by_router() && port.heeds_routers()
}

/// Routers are heeded on the bridge as they were on the uplink. A bridge that
/// was there is not made deaf.
pub(crate) fn heed_routers(facts: &Facts, wanted: &Wanted) -> Option<Change> {
    let mut ports = facts.ports.iter().filter_map(|(_, port)| port.as_ref());
    let uplink = ports.find_map(|port| port.heeding)?;
    let ours = facts.heeding.filter(|_| wanted.moves)?;
    let accept_ra = ours.as_uplink(uplink)?;
    let undo = match &facts.bridge {
        Some(_) if !uplink.heeds() => return None,
        Some(_) => vec![Step::HeedRouters(ours.accept_ra)],
        None => vec![],
    };
    let step = Step::HeedRouters(accept_ra);
    Some(Change { step, undo })
}

/// The address goes, and comes back as it was.
pub(crate) fn take_address(address: &Address, from: Option<&Interface>) -> Change {
    let held = Held::Address(address.clone());
    let mut undo = vec![Step::Give(held.clone(), from.cloned())];
    if address.is_v6() {
        undo.push(Step::Settle(address.clone(), from.cloned()));
    }
    Change {
        step: Step::Take(held, from.cloned()),
        undo,
    }
}

fn check_move(port: &Port, existing: Option<&Bridge>, wanted: &Wanted) -> Result<(), Error> {
    let (name, bridge) = (&port.link.name, &wanted.name);
    let unfit = |why: String| {
        let port = name.clone();
        Err(Error::UnfitPort { port, why })
    };
    if wanted.force {
        return Ok(());
    }
    refuse_shared(port, wanted)?;
    if let Some(address) = port.addresses.iter().find(|it| it.is_anothers()) {
        return unfit(format!(
            "another machine has its address {} (dadfailed), which would be used on the bridge \
             (take it away first)",
            address.cidr
        ));
    }
    let leases = port
        .addresses
        .iter()
        .filter(|it| it.valid_seconds.is_some() && !is_announced(it, port));
    let lease = leases.map(|it| {
        let seconds = it.valid_seconds.unwrap_or_default();
        format!("{} goes in {seconds} s", it.cidr)
    });
    let lease = lease.collect::<Vec<_>>().join(", ");
    let would = if lease.is_empty() {
        "would put its address back".to_owned()
    } else {
        format!("would not renew it on the bridge ({lease})")
    };
    refuse_owned(port, wanted, &would)?;
    if !lease.is_empty() {
        return unfit(format!(
            "its address {lease}, and nobody would renew it on the bridge; make the bridge \
             without it and have the DHCP client ask on {bridge} (--force moves it all the same)"
        ));
    }
    let stp = existing.and_then(|bridge| bridge.link.bridge.settings.0[STP]);
    if wanted.settings.0[STP].or(stp).is_some_and(|on| on != 0) {
        return unfit(format!(
            "bridge {bridge} has STP on, which would cut the host off until the port forwards \
             (twice the forward delay; --force moves it all the same)"
        ));
    }
    Ok(())
}

/// It would lead into a port, where nothing comes in for the host.
fn refuse_shared(port: &Port, wanted: &Wanted) -> Result<(), Error> {
    let mut routes = port.routes.iter();
    match routes.find(|route| route.is_shared() && !wanted.force) {
        None => Ok(()),
        Some(route) => Err(Error::UnfitPort {
            port: port.link.name.clone(),
            why: format!(
                "its {} leads through several interfaces or a next-hop object, which cannot be \
                 moved (take it away first)",
                route.words()
            ),
        }),
    }
}

/// A manager's interface has no address while that is still being asked for.
fn refuse_managed(port: &Port, wanted: &Wanted) -> Result<(), Error> {
    if !wanted.moves || wanted.force {
        return Ok(());
    }
    refuse_owned(port, wanted, "may yet give it an address that a port loses")
}

fn refuse_owned(port: &Port, wanted: &Wanted, would: &str) -> Result<(), Error> {
    let Some(owner) = port.managers.first() else {
        return Ok(());
    };
    let (manager, state) = (owner.manager, &owner.state);
    let remedy = remedy(manager, wanted.name.as_str(), &port.link.name);
    Err(Error::UnfitPort {
        port: port.link.name.clone(),
        why: format!(
            "it is {manager}'s ({state}), which {would}; have {manager} make the bridge: \
             {remedy} (--force moves it all the same)"
        ),
    })
}

/// What to keep of what moves: the addresses, and what moves all back.
pub(crate) fn moved_of(
    changes: &[Change],
    facts: &Facts,
    wanted: &Wanted,
) -> (Vec<String>, Vec<String>) {
    let bridge = match &facts.bridge {
        Some(bridge) => Interface::from(&bridge.link),
        None => Interface {
            index: 0,
            name: wanted.name.to_string(),
        },
    };
    let is_move = |change: &&Change| match &change.step {
        Step::Give(..) => true,
        Step::Take(_, from) => from.is_some(),
        Step::SetMac(_) => wanted.moves && wanted.mac.is_none(),
        Step::HeedRouters(_) => true,
        _ => false,
    };
    let undo = changes.iter().filter(is_move).rev();
    let steps = undo.flat_map(|change| &change.undo);
    let back: Vec<String> = steps.filter_map(|step| Order::of(step, &bridge)).collect();
    let addresses = changes.iter().filter_map(|change| match &change.step {
        Step::Give(Held::Address(address), None) => Some(address.cidr.to_string()),
        _ => None,
    });
    (addresses.collect(), back)
}
