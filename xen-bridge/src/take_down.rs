//! `down`: looks, decides, and does it.

use std::io::Write;

use crate::Error;
use crate::apply::Hands;
use crate::back::{lost_for_good, read_gone};
use crate::bring_up::{bridge_of, print, say, take_lock};
use crate::cli::Down;
use crate::confirm::{clear_the_way, clear_under};
use crate::down::plan_down;
use crate::facts::{Depth, Facts, Subject};
use crate::files::Lock;
use crate::guard::Guard;
use crate::journal::Journal;
use crate::netlink::Connection;
use crate::remarks::Remarks;
use crate::step::Step;

/// Takes the bridge away, or what `up` added to it.
pub(crate) fn down(args: &Down, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let mut connection = Connection::open()?;
    let (root, name) = (&args.manner.root, args.bridge.name.as_str());
    if args.manner.dry_run {
        let (facts, steps) = plan(&mut connection, args, Depth::Ports)?;
        remark_if_left(&facts, &steps, name, err);
        return print(&steps.iter().collect::<Vec<_>>(), name, out);
    }
    // Before the lock, so that it goes after it.
    let mut remarks = Remarks::new(err);
    // Most often nobody else is about it: then one look is enough.
    if let Some(lock) = Lock::take_if_at_hand(root) {
        return down_under(&lock, &mut connection, args, &mut remarks);
    }
    clear_the_way(root, name, &mut connection, &mut remarks)?;
    // What needs no change needs no lock, and no privilege.
    let mut facts = look(&mut connection, args, Depth::Link)?;
    let bridge = bridge_of(&facts, &args.bridge.name);
    if bridge.name != name {
        // It was asked for by an alternative name.
        clear_the_way(root, &bridge.name, &mut connection, &mut remarks)?;
        facts = look(&mut connection, args, Depth::Link)?;
    }
    let mut steps = plan_down(&facts, args.force)?;
    if steps.is_empty() && facts.bridge.is_some() {
        // Another `down` may have been about to forget the bridge.
        (facts, steps) = plan(&mut connection, args, Depth::Link)?;
    }
    let Some(first) = steps.first() else {
        remark_if_left(&facts, &steps, name, &mut remarks);
        return Ok(());
    };
    let lock = take_lock(&args.manner, first, name)?;
    down_under(&lock, &mut connection, args, &mut remarks)
}

/// The same for who has the lock.
fn down_under(
    lock: &Lock,
    connection: &mut Connection,
    args: &Down,
    remarks: &mut Remarks<'_>,
) -> Result<(), Error> {
    let name = args.bridge.name.as_str();
    clear_under(lock, name, connection, remarks)?;
    let mut facts = look(connection, args, Depth::Ports)?;
    let bridge = bridge_of(&facts, &args.bridge.name);
    if bridge.name != name {
        // It was asked for by an alternative name.
        clear_under(lock, &bridge.name, connection, remarks)?;
        facts = look(connection, args, Depth::Ports)?;
    }
    let steps = plan_down(&facts, args.force)?;
    remark_if_left(&facts, &steps, name, remarks);
    perform(connection, lock, args, &facts, &steps, remarks)
}

/// Gives back what went with a bridge that `up` is to make again; `false`: what
/// it would go back to is gone too.
pub(crate) fn give_back(
    connection: &mut Connection,
    args: &Down,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, Error> {
    let name = args.bridge.name.as_str();
    let (_, steps) = plan(connection, args, Depth::Link)?;
    let Some(first) = steps.first() else {
        return Ok(false);
    };
    let gives_back = steps.iter().any(|step| matches!(step, Step::Kept(..)));
    if args.manner.dry_run {
        print(&steps.iter().collect::<Vec<_>>(), name, out)?;
        return Ok(gives_back);
    }
    let mut remarks = Remarks::new(err);
    let lock = take_lock(&args.manner, first, name)?;
    clear_under(&lock, name, connection, &mut remarks)?;
    let (facts, steps) = plan(connection, args, Depth::Link)?;
    // Another may have done so, and made the bridge again.
    if !facts.has_lost_what_was_moved() {
        return Ok(gives_back);
    }
    for line in lost_for_good(&facts) {
        let _ = writeln!(remarks, "xen-bridge: {line}");
    }
    perform(connection, &lock, args, &facts, &steps, &mut remarks)?;
    Ok(gives_back)
}

fn perform(
    connection: &mut Connection,
    lock: &Lock,
    args: &Down,
    facts: &Facts,
    steps: &[Step],
    err: &mut dyn Write,
) -> Result<(), Error> {
    let name = args.bridge.name.as_str();
    let bridge = bridge_of(facts, &args.bridge.name);
    // Half-way there the host can be cut off: then the watcher goes on with it.
    let gives_back = steps.iter().any(|step| matches!(step, Step::Kept(..)));
    let guard = gives_back
        .then(|| Guard::arm(lock, Journal::onward(steps, &bridge)))
        .transpose()?;
    let mut hands = Hands::new(connection, lock, bridge);
    let mut perform = || -> Result<(), Error> {
        for step in steps {
            hands.take_away(step)?;
            say(&args.manner, step, name, err);
        }
        Ok(())
    };
    match (perform(), guard) {
        (done, None) => done,
        (Ok(()), Some(guard)) => guard.commit(),
        (Err(error), Some(guard)) => Err(guard.go_on(connection, error)),
    }
}

/// What there is, and what is to be done about it as far as that shows.
fn plan(
    connection: &mut Connection,
    args: &Down,
    depth: Depth,
) -> Result<(Facts, Vec<Step>), Error> {
    let facts = look(connection, args, depth)?;
    let steps = plan_down(&facts, args.force)?;
    Ok((facts, steps))
}

fn look(connection: &mut Connection, args: &Down, depth: Depth) -> Result<Facts, Error> {
    let subject = Subject {
        name: &args.bridge.name,
        depth,
        ports: &[],
        addresses: &[],
        moves: false,
    };
    let mut facts = Facts::read(connection, &args.manner.root, subject)?;
    facts.gone = read_gone(connection, &facts)?;
    Ok(facts)
}

/// Where there is a bridge and nothing is done to it, that is said.
fn remark_if_left(facts: &Facts, steps: &[Step], name: &str, err: &mut dyn Write) {
    if facts.bridge.is_some() && steps.iter().all(Step::is_bookkeeping) {
        // A lost remark changes nothing.
        let _ = writeln!(err, "xen-bridge: bridge {name} is not ours: left as it is");
    }
}
