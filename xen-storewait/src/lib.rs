//! xenstored answers before a deadline, and the nodes asked for are there.
//!
//! A pidfile is written before the socket exists, and a read of the kernel's
//! device waits for ever where no store lives. So ready means here: a
//! connection to the store's socket, and a valid reply to a request. Until
//! then [`wait_for_store`] sleeps in the kernel and is woken by inotify(7).
//! If the deadline comes first, [`Seen`] says what was there instead.
//!
//! [`Store`] is the client: every request of a toolstack, over the socket or
//! the kernel's device, each with a deadline. [`find_living`] and [`Launch`]
//! start a store where none lives, since a second one would take the socket
//! of the first.
//!
//! The protocol is that of `docs/misc/xenstore.txt` and the public header
//! `xs_wire.h` of Xen.

mod action;
mod calls;
mod cli;
mod deadline;
mod dry_run;
mod elsewhere;
mod error;
mod escape;
mod exchange;
mod facts;
mod fault;
mod folders;
mod greeting;
mod hold;
mod ladder;
mod launch;
mod link;
mod lock;
mod notify;
mod perform;
mod permission;
mod probe;
mod read;
mod readiness;
mod refusal;
mod seconds;
mod seed;
mod seen;
mod started;
mod store;
mod transaction;
mod wait;
mod waiter;
mod watches;
pub mod wire;

pub use action::{Action, Expected};
pub use calls::{ABSOLUTE_PATH_MAX, Calls, RELATIVE_PATH_MAX};
pub use cli::Args;
pub use deadline::Deadline;
pub use error::Error;
pub use escape::escape;
pub use facts::{find_store_process, signals_of_the_store, under_xen};
pub use launch::{Launch, Living, find_living};
pub use lock::LOCK;
pub use permission::{Access, Permission};
pub use readiness::{Places, wait_for_store};
pub use refusal::Refusal;
pub use seed::{KEYS, seed_dom0};
pub use seen::Seen;
pub use store::{Store, WatchEvent};

use std::io::Write;
use std::time::{Duration, Instant};

use hold::hold;
use notify::{Notify, watchdog_interval};
use perform::{Output, perform};
use wait::Waiting;

/// With `--hold`, what `--timeout 0` means for how long a store may be silent.
const DEFAULT_SILENCE: Duration = Duration::from_secs(30);

/// Does what the arguments say. `out` gets the answers (values, or the
/// commands of a dry run), `err` what was done, if that was asked for.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let started = Instant::now();
    let deadline = Deadline::after(args.timeout);
    let mut output = Output {
        out,
        err,
        raw: args.raw,
        verbose: args.verbose,
    };
    if args.launch {
        return launch::launch(args, deadline, &mut output);
    }
    if args.dry_run {
        let commands = dry_run::commands(args);
        return commands.iter().try_for_each(|command| output.line(command));
    }
    if args.tell {
        elsewhere::end_with_the_parent();
    }
    let mut store = wait_for_store(&args.places(), deadline)?;
    let time = started.elapsed();
    output.remark(&format!(
        "the store answers on {} after {}.{:03} s",
        store.path().display(),
        time.as_secs(),
        time.subsec_millis()
    ));
    let how = Waiting {
        once: args.timeout.is_zero(),
        tell: args.tell,
        root: &args.root,
    };
    let deadline = one_try_or(deadline);
    for action in &args.actions {
        perform(action, &mut store.until(deadline), how, &mut output)?;
    }
    if !args.hold {
        return Ok(());
    }
    let silence = if args.timeout.is_zero() {
        DEFAULT_SILENCE
    } else {
        args.timeout
    };
    let notify = Notify::from_environment()?;
    hold(&mut store, silence, &notify, watchdog_interval())
}

/// A store that has just answered may answer a little more, even where no
/// time was given.
fn one_try_or(deadline: Deadline) -> Deadline {
    if deadline.given().is_zero() {
        Deadline::after(readiness::ONE_ANSWER)
    } else {
        deadline
    }
}
