//! Waits until a store answers: a connection and a valid reply, nothing less.

use std::path::PathBuf;
use std::time::Duration;

use crate::facts::under_xen;
use crate::waiter::Waiter;
use crate::{Deadline, Error, Store};

/// How long a store that listens may take to accept and answer, where no time
/// was given; and how long it is silent before that tells more than what it
/// said last. On a busy machine a living one needs more than a moment.
pub(crate) const ONE_ANSWER: Duration = Duration::from_secs(1);

/// Where a store may be found.
#[derive(Debug, Clone)]
pub struct Places {
    /// Its socket, the likeliest path first.
    pub sockets: Vec<PathBuf>,
    /// The kernel's device, the likeliest path first.
    pub devices: Vec<PathBuf>,
    /// Wait for an answer through the device, not on the socket.
    pub through_device: bool,
    /// Where files are read, `/` but in tests.
    pub root: PathBuf,
}

/// Waits until a store answers one request; the connection on which it did.
///
/// Asks for the path of domain 0 (GET_DOMAIN_PATH), which both stores answer
/// at any time, to everybody, without a look at their tree.
///
/// # Errors
/// [`Error::NotInTime`]; [`Error::System`] where to connect is not permitted.
pub fn wait_for_store(places: &Places, deadline: Deadline) -> Result<Store, Error> {
    let mut waiter = Waiter::new(places, deadline);
    if let Some(store) = waiter.wait()? {
        return Ok(store);
    }
    Err(Error::NotInTime {
        given: deadline.given(),
        seen: waiter.last_seen(),
        under_xen: under_xen(&places.root),
    })
}
