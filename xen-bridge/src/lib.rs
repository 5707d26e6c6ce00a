//! The bridge that Xen guests are plugged into exists, is a bridge, is set as
//! asked, and is up.
//!
//! Everything goes through one rtnetlink connection (`rtnetlink(7)`): one link
//! is asked for by its name, and each change is one acknowledged request. What
//! is there is read into [`Facts`], [`plan_up`] and [`plan_down`] decide
//! without touching anything, and [`Hands`] does one [`Step`] at a time.
//!
//! It must not cut a host off. Defaults (STP off, no forward delay) are for a
//! bridge that is made; on any other only what was named is changed. A port
//! with addresses or routes is refused. If a step fails, those before it are
//! taken back. What `up` makes or adds is kept in `/run/xen-bridge/NAME`,
//! with the bridge's number, and `down` takes away that and nothing else. That
//! a bridge is to be made is kept there before it is.

mod apply;
mod cidr;
mod cli;
mod down;
mod error;
mod facts;
mod link;
mod managers;
mod names;
mod netfilter;
mod netlink;
mod ports;
mod record;
mod reply;
mod request;
mod show;
mod step;
mod up;
mod values;

pub use apply::{Ending, Hands};
pub use cidr::Cidr;
pub use cli::{Action, Args, Down, Manner, Show, Target, Up};
pub use down::plan_down;
pub use error::Error;
pub use facts::{Bridge, Depth, Facts, Interface, Port, read_link};
pub use link::{BridgeState, Link};
pub use managers::{Manager, read_managers};
pub use names::{InterfaceName, LONGEST, is_guests};
pub use netfilter::{Netfilter, read_netfilter};
pub use netlink::{Connection, Failure, Outcome, Payload};
pub use record::{AddedPort, Found, Lock, Record};
pub use reply::{Address, Route};
pub use request::Request;
pub use show::Report;
pub use step::{Change, Settings, Step};
pub use up::{Wanted, plan_up};
pub use values::{Centiseconds, Mac, Words};

use std::io::Write;

use nix::errno::Errno;

/// How often the kernel is looked at again because somebody else was faster.
const ATTEMPTS: usize = 10;

/// Does what the arguments say. `out` gets the answer (the commands of a dry
/// run, or the report), `err` what was changed, if that was asked for.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    match &args.action {
        Action::Up(args) => up(args, out, err),
        Action::Down(args) => down(args, out, err),
        Action::Show(args) => show(args, out),
    }
}

fn up(args: &Up, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let wanted = Wanted::new(args)?;
    let mut connection = Connection::open()?;
    let facts = look(&mut connection, args, &wanted)?;
    let changes = plan_up(&facts, &wanted)?;
    let name = wanted.name.as_str();
    if args.manner.dry_run {
        let steps: Vec<&Step> = changes.iter().map(|change| &change.step).collect();
        return print(&steps, name, out);
    }
    let Some(first) = changes.first() else {
        return Ok(());
    };
    let lock = take_lock(&args.manner, &first.step, name)?;
    let mut hands = Hands::new(&mut connection, &lock, bridge_of(&facts, &wanted.name));
    // A bridge that was there may be another's half-finished work. One that
    // was not, and still has the same record or none, was not made meanwhile.
    let root = &args.manner.root;
    let is_untouched = facts.bridge.is_none() && record::read(root, name) == facts.record;
    let planned = is_untouched.then_some(changes);
    let mut remark = |step: &Step| say(&args.manner, step, name, err);
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
    let doing = format!("make bridge {}", wanted.name);
    Err(Error::system(doing, Errno::EEXIST))
}

fn look(connection: &mut Connection, args: &Up, wanted: &Wanted) -> Result<Facts, Error> {
    let depth = if wanted.addresses.is_empty() {
        Depth::Link
    } else {
        Depth::Addresses
    };
    let root = &args.manner.root;
    Facts::read(connection, root, &wanted.name, depth, &wanted.ports)
}

fn bridge_of(facts: &Facts, name: &InterfaceName) -> Interface {
    match &facts.bridge {
        Some(bridge) => Interface::from(&bridge.link),
        None => Interface {
            index: 0,
            name: name.to_string(),
        },
    }
}

fn down(args: &Down, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let mut connection = Connection::open()?;
    let look = |connection: &mut Connection| {
        Facts::read(
            connection,
            &args.manner.root,
            &args.bridge.name,
            Depth::All,
            &[],
        )
    };
    let mut facts = look(&mut connection)?;
    let mut steps = plan_down(&facts, args.force)?;
    if is_left(&facts, &steps) {
        // Another `down` may have been about to forget the bridge.
        facts = look(&mut connection)?;
        steps = plan_down(&facts, args.force)?;
    }
    let name = args.bridge.name.as_str();
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
    let mut hands = Hands::new(&mut connection, &lock, bridge_of(&facts, &args.bridge.name));
    for step in &steps {
        hands.take_away(step)?;
        say(&args.manner, step, name, err);
    }
    Ok(())
}

/// There is a bridge, and nothing is to be done to it.
fn is_left(facts: &Facts, steps: &[Step]) -> bool {
    facts.bridge.is_some() && steps.iter().all(Step::is_bookkeeping)
}

fn show(args: &Show, out: &mut dyn Write) -> Result<(), Error> {
    let report = Report::read(&mut Connection::open()?, &args.root, &args.bridge.name)?;
    if args.json {
        report.write_json(out)
    } else {
        report.write_text(out)
    }
    .and_then(|()| out.flush())
    .map_err(|source| Error::system("write to standard output", source))
}

/// The lock, or why what comes first cannot be done without it.
fn take_lock(manner: &Manner, first: &Step, name: &str) -> Result<Lock, Error> {
    Lock::take(&manner.root).map_err(|error| match error {
        Error::System { doing, source } => {
            Error::system(format!("{}: {doing}", first.doing(name)), source)
        }
        other => other,
    })
}

fn say(manner: &Manner, step: &Step, name: &str, err: &mut dyn Write) {
    if manner.verbose && !step.is_bookkeeping() {
        // The work is done; a lost remark does not undo it.
        let _ = writeln!(err, "xen-bridge: {}", step.done(name));
    }
}

fn print(steps: &[&Step], name: &str, out: &mut dyn Write) -> Result<(), Error> {
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
