//! An address that the bridge has with another broadcast address than its
//! network's.
//!
//! The kernel takes no other one for an address that is there (`ip address
//! change` says nothing, and changes nothing): it must go and come again. With
//! the address it would forget the routes that give it as their source, and
//! with the last one of the bridge all routes through it; so the same address
//! alone (/32) stands in for it meanwhile.

use crate::address::Address;
use crate::cidr::Cidr;
use crate::facts::{Bridge, Facts};
use crate::moving::take_address;
use crate::step::{Change, Step};
use crate::up::Wanted;

/// Gives those named the right one.
pub(crate) fn broadcast_changes(bridge: &Bridge, wanted: &Wanted) -> Vec<Change> {
    let mut changes = vec![];
    for address in wrong(bridge, wanted).filter(|it| can_go(it, bridge)) {
        let alone = Cidr {
            prefix_length: 32,
            ..address.cidr
        };
        let (give, take) = (Step::AddAddress, Step::RemoveAddress);
        changes.push(Change::new(give(alone), take(alone)));
        changes.push(take_address(address, None));
        changes.push(Change::new(give(address.cidr), take(address.cidr)));
        changes.push(Change::new(take(alone), give(alone)));
    }
    changes
}

/// Says of those that cannot go what is wrong with them.
pub(crate) fn broadcast_remarks(facts: &Facts, wanted: &Wanted) -> Vec<String> {
    let bridges = facts.bridge.iter();
    let wrong = bridges.flat_map(|bridge| wrong(bridge, wanted).map(move |it| (bridge, it)));
    let left = wrong.filter(|(bridge, address)| !can_go(address, bridge));
    let remark = |(bridge, address): (&Bridge, &Address)| {
        let words = |it: Option<_>| match it {
            Some(it) => format!("broadcast address {it}"),
            None => "no broadcast address".to_owned(),
        };
        let has: Option<std::net::Ipv4Addr> = address.broadcast;
        format!(
            "bridge {}: {} has {}, and its network {}: left so, for it would have to go and come \
             again, and has a lifetime or the like, or others in its network go with it",
            bridge.link.name,
            address.cidr,
            words(has),
            words(address.cidr.broadcast()),
        )
    };
    left.map(remark).collect()
}

fn wrong<'a>(bridge: &'a Bridge, wanted: &'a Wanted) -> impl Iterator<Item = &'a Address> {
    let named = |address: &&Address| wanted.addresses.contains(&address.cidr);
    let mine = bridge.addresses.iter().filter(named);
    mine.filter(|it| !it.is_v6() && it.broadcast != it.cidr.broadcast())
}

fn can_go(address: &Address, bridge: &Bridge) -> bool {
    let is_alone = |other: &Address| {
        let (a, b) = (other.cidr, address.cidr);
        *other == *address || !(a.contains(b.address) || b.contains(a.address))
    };
    address.is_plain(&bridge.link.name) && bridge.addresses.iter().all(is_alone)
}
