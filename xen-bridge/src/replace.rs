//! Addresses that come to a bridge, or stay on it, while others go.
//!
//! With the first IPv4 address of a network the kernel takes all others of it
//! (where `promote_secondaries` is off), and with the last of an interface the
//! routes through it. What comes or stays is there by itself, as /32, from
//! before the first goes until it has its network.

use crate::address::Address;
use crate::cidr::Cidr;
use crate::held::Held;
use crate::step::{Change, Step};

/// What adds these: before the others go, and after that.
pub(crate) fn add_changes(added: &[Cidr], gone: &[&Address]) -> [Vec<Change>; 2] {
    let [mut before, mut after] = [vec![], vec![]];
    let mut last = vec![];
    for cidr in added {
        let add = Change::new(Step::AddAddress(*cidr), Step::RemoveAddress(*cidr));
        let mut those = gone.iter().map(|it| it.cidr.address);
        if goes_with(cidr, gone) {
            let [hold, let_go] = held_alone(cidr, None);
            before.push(hold);
            after.push(add);
            last.push(let_go);
        } else if cidr.address.is_ipv6() && those.any(|it| it == cidr.address) {
            // With another prefix length. IPv4 has it twice, and there is no
            // gap; IPv6 takes it again only when it is gone.
            let step = Step::AddAgain(*cidr);
            after.push(Change { step, ..add });
        } else {
            before.push(add);
        }
    }
    after.extend(last);
    [before, after]
}

/// What keeps those that stay: before the others go, and after that.
pub(crate) fn keep_changes(all: &[Address], gone: &[&Address]) -> [Vec<Change>; 2] {
    let [mut before, mut after] = [vec![], vec![]];
    let mut last = vec![];
    let stays = |it: &&Address| it.is_secondary() && !gone.contains(it);
    for address in all.iter().filter(stays) {
        if goes_with(&address.cidr, gone) {
            let again = Step::Settle(address.clone(), None);
            let [hold, let_go] = held_alone(&address.cidr, Some(again.clone()));
            before.push(hold);
            let held = Held::Address(address.clone());
            after.push(Change::new(again, Step::Take(held, None)));
            last.push(let_go);
        }
    }
    after.extend(last);
    [before, after]
}

/// It is in the network of a first one that goes.
fn goes_with(cidr: &Cidr, gone: &[&Address]) -> bool {
    let mut firsts = gone.iter().filter(|it| !it.is_v6() && !it.is_secondary());
    firsts.any(|it| it.cidr.prefix_length == cidr.prefix_length && it.cidr.contains(cidr.address))
}

/// The address is there by itself, and is so no more; once all is undone it is
/// as it was.
fn held_alone(cidr: &Cidr, as_it_was: Option<Step>) -> [Change; 2] {
    let alone = Cidr {
        prefix_length: 32,
        ..*cidr
    };
    let undo = as_it_was.into_iter().chain([Step::RemoveAddress(alone)]);
    [
        Change {
            step: Step::AddAddress(alone),
            undo: undo.collect(),
        },
        Change::new(Step::RemoveAddress(alone), Step::AddAddress(alone)),
    ]
}
