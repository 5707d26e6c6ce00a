//! The one request whose answer proves that a store lives.

use std::os::fd::AsFd as _;
use std::path::Path;

use nix::poll::{PollFd, PollFlags};

use crate::fault::Fault;
use crate::wire::Kind;
use crate::{Deadline, Seen, Store};

/// What every store answers: the path of domain 0 is the same everywhere.
const ANSWER: &[u8] = b"/local/domain/0";

/// A request that was sent and whose answer may come at any time.
pub(crate) struct Greeting {
    store: Store,
    request: u32,
}

/// How far it has come.
pub(crate) enum Progress {
    Waiting(Greeting),
    Answered(Store),
}

impl Greeting {
    pub(crate) fn send(mut store: Store, deadline: Deadline) -> Result<Self, Fault> {
        let payload = b"0\0".to_vec();
        let request = store.send(Kind::GET_DOMAIN_PATH, 0, payload, deadline)?;
        Ok(Self { store, request })
    }

    /// What to poll(2) for.
    pub(crate) fn descriptor(&self) -> PollFd<'_> {
        PollFd::new(self.store.link().as_fd(), PollFlags::POLLIN)
    }

    /// How many bytes of an answer have come.
    pub(crate) fn pending(&self) -> usize {
        self.store.pending()
    }

    /// Reads what is there, without waiting.
    pub(crate) fn advance(mut self) -> Result<Progress, Fault> {
        self.store.receive_what_is_there()?;
        match self.store.take_reply(Kind::GET_DOMAIN_PATH, self.request)? {
            None => Ok(Progress::Waiting(self)),
            Some(answer) => {
                check(&answer)?;
                Ok(Progress::Answered(self.store))
            }
        }
    }
}

/// Sends the request and waits for its answer.
pub(crate) fn greet(store: &mut Store, deadline: Deadline) -> Result<(), Fault> {
    let payload = b"0\0".to_vec();
    check(&store.exchange(Kind::GET_DOMAIN_PATH, 0, payload, deadline)?)
}

fn check(answer: &[u8]) -> Result<(), Fault> {
    let path = answer.strip_suffix(b"\0").unwrap_or(answer);
    if path == ANSWER {
        return Ok(());
    }
    let start = path.get(..path.len().min(64)).unwrap_or_default();
    Err(Fault::Wrong(format!(
        "the path of domain 0 is \"{}\"",
        start.escape_ascii()
    )))
}

/// The fault as what was seen of the store.
pub(crate) fn seen(path: &Path, fault: Fault) -> Seen {
    let path = path.to_path_buf();
    match fault {
        Fault::Late(bytes) => Seen::Silent(path, bytes),
        Fault::Closed => Seen::Closed(path),
        Fault::Wrong(what) => Seen::Wrong(path, what),
        Fault::TooLong(length) => Seen::Wrong(path, format!("takes no {length} bytes")),
        Fault::Refused(refusal) => Seen::Wrong(path, refusal.to_string()),
        Fault::System(source) => Seen::Unusable(path, source),
    }
}
