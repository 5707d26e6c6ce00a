//! Waiting for somebody to confirm a change; confirming; putting back.

use std::io::Write;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc;

use crate::Error;
use crate::events::{Events, NEIGHBORS, wait_for};
use crate::files::Lock;
use crate::guard::{CONFIRMED, PUT_BACK};
use crate::journal::{self, pending};
use crate::netlink::Connection;
use crate::reply::{attributes, ip, number};
use crate::request::{self, NDA_DST, PREPEND};
use crate::signals::Signals;
use crate::watch::hear;

/// How often a gateway that is silent is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// `linux/neighbour.h`.
const NTF_USE: u8 = 1;
const NUD_REACHABLE: u8 = 2;

/// Gateways that must answer through the bridge.
#[derive(Debug, Default)]
pub struct Gateways {
    /// The bridge's number.
    pub bridge: u32,
    /// Those that have not answered yet.
    pub silent: Vec<IpAddr>,
}

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
        if let Some(gateways) = &gateways {
            for address in &gateways.silent {
                ask(connection, gateways.bridge, *address);
            }
            until = Instant::now() + AGAIN;
        }
        while Instant::now() < until {
            let files = [line.as_fd(), signals.as_fd(), neighbors.as_fd()];
            let ready = wait_for(&files, until)?;
            if ready.first() == Some(&true) {
                return match hear(line) {
                    Some(CONFIRMED) => Ok(()),
                    Some(PUT_BACK) => Err(Error::Unconfirmed(
                        name.to_owned(),
                        gateways.map_or_else(|| "nobody confirmed".to_owned(), Gateways::blame),
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
                gateways.hear(told.iter().flatten().map(|(_, payload)| payload.as_slice()));
                if gateways.silent.is_empty() {
                    return confirm(root, name);
                }
            }
        }
    }
}

/// Has the kernel ask who has that address; an answer is told as an event.
fn ask(connection: &mut Connection, bridge: u32, address: IpAddr) {
    // An old answer would do for a new one; there may be none.
    let forget = request::neighbor(libc::RTM_DELNEIGH, bridge, address, 0);
    let _ = connection.change(forget, 0);
    // Refused where the bridge is gone, which the watcher sees too.
    let ask = request::neighbor(libc::RTM_NEWNEIGH, bridge, address, NTF_USE);
    let _ = connection.change(ask, PREPEND);
}

impl Gateways {
    /// What is wrong with them.
    fn blame(self) -> String {
        let silent: Vec<String> = self.silent.iter().map(IpAddr::to_string).collect();
        format!("{} did not answer through it after", silent.join(", "))
    }

    /// Takes those off the list that answered, as `RTM_NEWNEIGH` tells.
    pub fn hear<'a>(&mut self, neighbors: impl Iterator<Item = &'a [u8]>) {
        for neighbor in neighbors {
            // struct ndmsg: family, padding, index, state, flags, type.
            let index = neighbor.get(4..8).and_then(number);
            let state = neighbor.get(8).copied().unwrap_or_default();
            let mut rest = attributes(neighbor.get(12..).unwrap_or_default());
            let address = rest.find(|(kind, _)| *kind == NDA_DST);
            let address = address.and_then(|(_, value)| ip(value));
            if index == Some(self.bridge) && state & NUD_REACHABLE != 0 {
                self.silent.retain(|silent| Some(*silent) != address);
            }
        }
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
        Some(pending) => pending.journal.put_back(connection, &lock).map(|()| true),
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
    let lock = Lock::take(root)?;
    clear_under(&lock, name, connection, err)
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
            pending.journal.put_back(connection, lock)?;
            let _ = writeln!(
                err,
                "xen-bridge: put back a change of bridge {name} that was left half-way"
            );
            Ok(())
        }
    }
}
