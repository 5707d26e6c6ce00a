//! `up`: looks, decides, and does it, watched over where that could cut
//! somebody off.

use std::io::Write;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::Error;
use crate::apply::{Ending, Hands};
use crate::bring_up_watched::{bring_up_watched, may_cut_off, moves_the_host};
use crate::cli::{Down, Manner, Up};
use crate::confirm::{clear_the_way, clear_under};
use crate::events::{Events, LINKS};
use crate::facts::{Depth, Facts, Interface, Subject};
use crate::files::Lock;
use crate::names::InterfaceName;
use crate::netlink::Connection;
use crate::record;
use crate::remarks::Remarks;
use crate::signals::Signals;
use crate::step::{Change, Step};
use crate::take_down;
use crate::up::{Wanted, plan_up};

/// How often the kernel is looked at again because somebody else was faster.
const ATTEMPTS: usize = 10;

/// Makes the bridge as it was asked for.
pub(crate) fn up(args: &Up, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let wanted = Wanted::new(args)?;
    let mut connection = Connection::open()?;
    let name = wanted.name.as_str();
    if !args.manner.dry_run {
        clear_the_way(&args.manner.root, name, &mut connection, err)?;
    }
    let mut facts = look_in_time(&mut connection, args, &wanted)?;
    let bridge = bridge_of(&facts, &wanted.name);
    if bridge.name != name && !args.manner.dry_run {
        // It was asked for by an alternative name.
        clear_the_way(&args.manner.root, &bridge.name, &mut connection, err)?;
        facts = look(&mut connection, args, &wanted)?;
    }
    if facts.has_lost_what_was_moved() {
        let bridge = args.bridge.clone();
        let manner = args.manner.clone();
        // What nothing is left to have back is in nobody's way, but a port that
        // is still to come may be what it goes back to.
        let force = facts.ports.iter().all(|(_, port)| port.is_some());
        let args_back = Down {
            bridge,
            force,
            manner,
        };
        let gives_back = take_down::give_back(&mut connection, &args_back, out, err)?;
        if args.manner.dry_run && gives_back {
            // What is on the uplink only then is not there to be planned with.
            let _ = writeln!(
                err,
                "xen-bridge: this gives back what went with bridge {name}, and what comes after \
                 depends on it: have it done by xen-bridge down {}, and run this again",
                shell_words::quote(name)
            );
            return Ok(());
        }
        facts = look(&mut connection, args, &wanted)?;
    }
    let changes = plan_up(&facts, &wanted)?;
    if args.manner.dry_run {
        let steps: Vec<&Step> = changes.iter().map(|change| &change.step).collect();
        return print(&steps, name, out);
    }
    let Some(first) = changes.first() else {
        return Ok(());
    };
    // Before the lock, so that it goes after it.
    let mut remarks = Remarks::new(err);
    let lock = take_lock(&args.manner, &first.step, name)?;
    clear_under(&lock, &bridge.name, &mut connection, &mut remarks)?;
    let signals = Signals::block()?;
    let is_checked = args.check_gateway && may_cut_off(&facts, &changes);
    if args.confirm.is_some() || is_checked || changes.iter().any(moves_the_host) {
        return bring_up_watched(&mut connection, lock, &signals, args, &wanted, &mut remarks);
    }
    let mut hands = Hands::new(&mut connection, &lock, bridge_of(&facts, &wanted.name));
    hands = hands.heeding(&signals);
    // A bridge that was there may be another's half-finished work. One that
    // was not, and still has the same record or none, was not made meanwhile.
    let root = &args.manner.root;
    let is_untouched = facts.bridge.is_none() && record::read(root, name) == facts.record;
    let planned = is_untouched.then_some(changes);
    let mut remark = |step: &Step| say(&args.manner, step, name, &mut remarks);
    bring_up(&mut hands, args, &wanted, planned, &mut remark)
        .map_err(|error| hands.take_back(error))
}

fn bring_up(
    hands: &mut Hands<'_>,
    args: &Up,
    wanted: &Wanted,
    mut planned: Option<Vec<Change>>,
    remark: &mut dyn FnMut(&Step),
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let changes = match planned.take() {
            Some(changes) => changes,
            None => {
                let facts = look(hands.connection, args, wanted)?;
                hands.take_up(bridge_of(&facts, &wanted.name));
                plan_up(&facts, wanted)?
            }
        };
        if hands.perform(changes, remark)? == Ending::Done {
            return Ok(());
        }
    }
    Err(overtaken(wanted))
}

pub(crate) fn overtaken(wanted: &Wanted) -> Error {
    Error::system(format!("make bridge {}", wanted.name), Errno::EEXIST)
}

/// Looks until the ports named are there, or as long as was asked for.
fn look_in_time(connection: &mut Connection, args: &Up, wanted: &Wanted) -> Result<Facts, Error> {
    if args.timeout == 0 || args.manner.dry_run {
        return look(connection, args, wanted);
    }
    let deadline = Instant::now() + Duration::from_secs(args.timeout.into());
    let events = Events::open(LINKS)?;
    loop {
        let facts = look(connection, args, wanted)?;
        let missing = facts.ports.iter().find(|(_, port)| port.is_none());
        let Some((name, _)) = missing else {
            return Ok(facts);
        };
        // Others come and go; they are not worth a look. It may be one of
        // several names.
        let is_it = |told: &Option<(u16, Vec<u8>)>| match told {
            Some((_, payload)) => {
                let name = name.as_str().as_bytes();
                payload.windows(name.len()).any(|it| it == name)
            }
            None => true,
        };
        while !events.take().iter().any(is_it) {
            if !events.wait(deadline)? {
                let facts = look(connection, args, wanted)?;
                let is_there = facts.ports.iter().all(|(_, port)| port.is_some());
                let too_late = Error::NotInTime(name.to_string(), args.timeout);
                return if is_there { Ok(facts) } else { Err(too_late) };
            }
        }
    }
}

pub(crate) fn look(
    connection: &mut Connection,
    args: &Up,
    wanted: &Wanted,
) -> Result<Facts, Error> {
    let touches_addresses = !wanted.addresses.is_empty() || wanted.mtu.is_some() || wanted.moves;
    let depth = match (wanted.exact || args.check_gateway, touches_addresses) {
        (true, _) => Depth::All,
        (false, true) => Depth::Addresses,
        (false, false) => Depth::Link,
    };
    let subject = Subject {
        name: &wanted.name,
        depth,
        ports: &wanted.ports,
        addresses: &wanted.addresses,
        moves: wanted.moves,
    };
    Facts::read(connection, &args.manner.root, subject)
}

/// The bridge as steps name it, whether it is there or not.
pub(crate) fn bridge_of(facts: &Facts, name: &InterfaceName) -> Interface {
    match &facts.bridge {
        Some(bridge) => Interface::from(&bridge.link),
        None => Interface {
            index: 0,
            name: name.to_string(),
        },
    }
}

/// The lock, or why what comes first cannot be done without it.
pub(crate) fn take_lock(manner: &Manner, first: &Step, name: &str) -> Result<Lock, Error> {
    Lock::take(&manner.root).map_err(|error| match error {
        Error::System { doing, source } => {
            Error::system(format!("{}: {doing}", first.doing(name)), source)
        }
        other => other,
    })
}

pub(crate) fn say(manner: &Manner, step: &Step, name: &str, err: &mut dyn Write) {
    if manner.verbose && !step.is_bookkeeping() {
        // The work is done; a lost remark does not undo it.
        let _ = writeln!(err, "xen-bridge: {}", step.done(name));
    }
}

pub(crate) fn print(steps: &[&Step], name: &str, out: &mut dyn Write) -> Result<(), Error> {
    let mut commands = String::new();
    for step in steps {
        for command in step.commands(name) {
            commands.push_str(&command);
            commands.push('\n');
        }
    }
    out.write_all(commands.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
