//! `down`: looks, decides, and does it.

use std::io::Write;

use crate::Error;
use crate::apply::Hands;
use crate::bring_up::{bridge_of, print, say, take_lock};
use crate::cli::Down;
use crate::confirm::clear_the_way;
use crate::down::plan_down;
use crate::facts::{Depth, Facts, Subject};
use crate::guard::Guard;
use crate::journal::Journal;
use crate::netlink::Connection;
use crate::step::Step;

/// Takes the bridge away, or what `up` added to it.
pub(crate) fn down(args: &Down, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let mut connection = Connection::open()?;
    let name = args.bridge.name.as_str();
    if !args.manner.dry_run {
        clear_the_way(&args.manner.root, name, &mut connection, err)?;
    }
    let subject = Subject {
        name: &args.bridge.name,
        depth: Depth::All,
        ports: &[],
        addresses: &[],
        moves: false,
    };
    let look = |connection: &mut Connection| Facts::read(connection, &args.manner.root, subject);
    let mut facts = look(&mut connection)?;
    let mut steps = plan_down(&facts, args.force)?;
    if is_left(&facts, &steps) {
        // Another `down` may have been about to forget the bridge.
        facts = look(&mut connection)?;
        steps = plan_down(&facts, args.force)?;
    }
    if is_left(&facts, &steps) {
        // Nothing is done to it; a lost remark changes nothing.
        let _ = writeln!(err, "xen-bridge: bridge {name} is not ours: left as it is");
    }
    if args.manner.dry_run {
        return print(&steps.iter().collect::<Vec<_>>(), name, out);
    }
    let Some(first) = steps.first() else {
        return Ok(());
    };
    let lock = take_lock(&args.manner, first, name)?;
    let facts = look(&mut connection)?;
    let steps = plan_down(&facts, args.force)?;
    let bridge = bridge_of(&facts, &args.bridge.name);
    // Half-way there the host can be cut off: then the watcher goes on with it.
    let gives_back = steps.iter().any(|step| matches!(step, Step::Kept(..)));
    let guard = gives_back
        .then(|| Guard::arm(&lock, Journal::onward(&steps, &bridge)))
        .transpose()?;
    let mut hands = Hands::new(&mut connection, &lock, bridge);
    let mut perform = || -> Result<(), Error> {
        for step in &steps {
            hands.take_away(step)?;
            say(&args.manner, step, name, err);
        }
        Ok(())
    };
    match (perform(), guard) {
        (done, None) => done,
        (Ok(()), Some(guard)) => guard.commit(),
        (Err(error), Some(guard)) => Err(guard.put_back(&mut connection, error)),
    }
}

/// There is a bridge, and nothing is to be done to it.
fn is_left(facts: &Facts, steps: &[Step]) -> bool {
    facts.bridge.is_some() && steps.iter().all(Step::is_bookkeeping)
}
