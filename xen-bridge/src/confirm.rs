//! Waiting for somebody to confirm a change; confirming; putting back.

use std::io::Write;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc;

use crate::Error;
use crate::events::{Events, NEIGHBORS, wait_for};
use crate::files::Lock;
use crate::gateways::Gateways;
use crate::guard::{CONFIRMED, PUT_BACK, RESTORED};
use crate::journal::{self, pending};
use crate::netlink::Connection;
use crate::remarks::Remarks;
use crate::signals::Signals;
use crate::watch::hear;

/// How often a gateway that is silent is asked again.
const AGAIN: Duration = Duration::from_secs(1);
const NOBODY: &str = "nobody confirmed the change in time";
const RESTORED_WORDS: &str = "the change was put back by xen-bridge restore";

/// Waits until the change is confirmed, by somebody or by the gateways'
/// answers. `line` leads to the watcher.
///
/// # Errors
/// [`Error::Unconfirmed`], or why it was put back before its time.
pub fn wait(
    root: &Path,
    name: &str,
    line: &UnixStream,
    signals: &Signals,
    connection: &mut Connection,
    gateways: Option<Gateways>,
) -> Result<(), Error> {
    // The watcher says when it has been long enough; this is for its own work.
    let deadline = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
    let neighbors = Events::open(NEIGHBORS)?;
    let mut gateways = gateways;
    loop {
        let mut until = deadline;
        if let Some(gateways) = &mut gateways {
            gateways.ask(connection)?;
            if gateways.are_in_reach(connection)? && is_confirmed(root, name)? {
                return Ok(());
            }
            until = Instant::now() + AGAIN;
        }
        while Instant::now() < until {
            let files = [line.as_fd(), signals.as_fd(), neighbors.as_fd()];
            let ready = wait_for(&files, until)?;
            if ready.first() == Some(&true) {
                return match hear(line) {
                    Some(CONFIRMED) => Ok(()),
                    Some(PUT_BACK) => {
                        let why = gateways.map_or_else(|| NOBODY.to_owned(), Gateways::blame);
                        Err(Error::Unconfirmed(name.to_owned(), why))
                    }
                    Some(RESTORED) => Err(Error::Unconfirmed(
                        name.to_owned(),
                        RESTORED_WORDS.to_owned(),
                    )),
                    _ => {
                        restore(root, name, connection)?;
                        Err(Error::NoWatcher)
                    }
                };
            }
            if let Some(signal) = signals.taken() {
                restore(root, name, connection)?;
                return Err(Error::Interrupted(signal));
            }
            let told = neighbors.take();
            if let Some(gateways) = gateways.as_mut().filter(|_| ready.get(2) == Some(&true)) {
                // One that goes with the bridge is told with its last state.
                let found = told.iter().flatten();
                let found = found.filter(|(kind, _)| *kind == libc::RTM_NEWNEIGH);
                gateways.hear(found.map(|(_, payload)| payload.as_slice()));
                if gateways.are_in_reach(connection)? && is_confirmed(root, name)? {
                    return Ok(());
                }
            }
        }
    }
}

/// Confirms it, unless it is too late: what has its port back answers again.
/// What became of the change then, the watcher says.
fn is_confirmed(root: &Path, name: &str) -> Result<bool, Error> {
    match confirm(root, name) {
        Ok(()) => Ok(true),
        Err(Error::NothingToConfirm(_) | Error::HalfDone(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The change stays.
///
/// # Errors
/// There is none that waits, or nobody watched over it.
pub fn confirm(root: &Path, name: &str) -> Result<(), Error> {
    if pending(root, name)?.is_none() {
        return Err(Error::NothingToConfirm(name.to_owned()));
    }
    let _lock = Lock::take(root)?;
    match pending(root, name)? {
        None => Err(Error::NothingToConfirm(name.to_owned())),
        Some(pending) if pending.watched => journal::remove_as(root, name, false),
        Some(_) => Err(Error::HalfDone(name.to_owned())),
    }
}

/// Puts everything back, if there is anything to put back.
///
/// # Errors
/// The kernel's refusal.
pub fn restore(root: &Path, name: &str, connection: &mut Connection) -> Result<bool, Error> {
    if pending(root, name)?.is_none() {
        return Ok(false);
    }
    let lock = Lock::take(root)?;
    match pending(root, name)? {
        None => Ok(false),
        Some(pending) => {
            let lost = pending.journal.put_back(connection, &lock)?.into_iter();
            let lost = lost.map(|it| Error::RouteLost(Box::new(it))).next();
            lost.map_or(Ok(true), Err)
        }
    }
}

/// Before a bridge is changed: a change that nobody watches over any more is
/// put back; one that waits to be confirmed is in the way.
///
/// # Errors
/// [`Error::Waiting`], or the kernel's refusal.
pub fn clear_the_way(
    root: &Path,
    name: &str,
    connection: &mut Connection,
    err: &mut dyn Write,
) -> Result<(), Error> {
    if pending(root, name)?.is_none() {
        return Ok(());
    }
    // Who is just about it has the lock; who waits to be confirmed has not.
    let mut remarks = Remarks::new(err);
    let lock = Lock::take(root)?;
    clear_under(&lock, name, connection, &mut remarks)
}

/// The same for who has the lock: while this waited for it, another may have
/// begun a change.
///
/// # Errors
/// As for [`clear_the_way`].
pub(crate) fn clear_under(
    lock: &Lock,
    name: &str,
    connection: &mut Connection,
    err: &mut dyn Write,
) -> Result<(), Error> {
    match pending(lock.root(), name)? {
        None => Ok(()),
        Some(pending) if pending.watched => Err(Error::Waiting(name.to_owned())),
        Some(pending) => {
            for lost in pending.journal.put_back(connection, lock)? {
                let _ = writeln!(err, "xen-bridge: {lost}");
            }
            let _ = writeln!(
                err,
                "xen-bridge: put back a change of bridge {name} that was left half-way"
            );
            Ok(())
        }
    }
}
