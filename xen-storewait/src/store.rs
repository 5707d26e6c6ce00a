//! A connection to the store.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::fault::Fault;
use crate::link::{Connector, Link};
use crate::wire::Decoder;
use crate::{Calls, Deadline, Error};

/// Something below a watched path may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchEvent {
    /// The path that changed, or the watched one.
    pub path: Vec<u8>,
    /// The token that the watch was set with.
    pub token: Vec<u8>,
}

/// A blocking client of the store, over its socket or the kernel's device.
///
/// Everything is asked through [`Store::until`], which takes the deadline; no
/// call outlasts it. Replies are told apart by the number of their request, so
/// one that comes too late is not mistaken for the next one's. Events that
/// arrive while a reply is awaited are kept.
///
/// ```no_run
/// use std::{path::Path, time::Duration};
/// use xen_storewait::{Deadline, Error, Store};
///
/// # fn main() -> Result<(), Error> {
/// let deadline = Deadline::after(Duration::from_secs(2));
/// let mut store = Store::connect(Path::new("/run/xenstored/socket"), deadline)?;
/// let name = store.until(deadline).read("/local/domain/0/name")?;
/// assert_eq!(name, b"Domain-0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Store {
    pub(crate) link: Link,
    path: PathBuf,
    pub(crate) decoder: Decoder,
    pub(crate) last_request: u32,
    /// Requests whose replies nobody waits for any more.
    pub(crate) abandoned: Vec<u32>,
    pub(crate) events: VecDeque<WatchEvent>,
    /// A watch was asked for, so events may come, even after it was taken back.
    pub(crate) watching: bool,
    /// Half a request went out, or what came in was none of a store's.
    pub(crate) out_of_step: bool,
}

impl Store {
    /// Connects to the store's socket, such as `/run/xenstored/socket`. That
    /// it succeeds does not mean that the store answers.
    ///
    /// # Errors
    /// [`Error::System`]: no such socket, nobody listens, or not permitted;
    /// [`Error::Late`]: nobody accepts before the deadline.
    pub fn connect(path: &Path, deadline: Deadline) -> Result<Self, Error> {
        let mut connector = Connector::default();
        loop {
            match connector.connect(path, deadline) {
                Ok(link) => return Ok(Self::over(link, path)),
                Err(Errno::EAGAIN | Errno::EINTR) if !deadline.passed() => {}
                Err(errno) => {
                    let doing = format!("connect to {}", path.display());
                    return Err(match errno {
                        Errno::EAGAIN => Error::of_request(doing, path, Fault::Late(0)),
                        errno => Error::system(doing, errno),
                    });
                }
            }
        }
    }

    /// Opens the kernel's device, `/dev/xen/xenbus` or `/proc/xen/xenbus`. It
    /// opens whether or not a store lives.
    ///
    /// The kernel itself speaks to the store for WATCH and UNWATCH, and there
    /// it heeds no deadline and no signal until the store answers: use them only
    /// in a process that may be left behind.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn open_device(path: &Path) -> Result<Self, Error> {
        Link::open_device(path)
            .map(|link| Self::over(link, path))
            .map_err(|errno| Error::system(format!("open {}", path.display()), errno))
    }

    /// Over a connection that was made elsewhere: one that was handed down, or
    /// one end of a pair.
    ///
    /// # Errors
    /// [`Error::System`]: it cannot be made non-blocking.
    pub fn from_stream(stream: UnixStream) -> Result<Self, Error> {
        let address = stream.peer_addr().ok();
        let path = address.as_ref().and_then(|address| address.as_pathname());
        let path = path.unwrap_or(Path::new("(unnamed socket)")).to_path_buf();
        stream
            .set_nonblocking(true)
            .map_err(|error| Error::system(format!("use {}", path.display()), error))?;
        Ok(Self::over(Link::Socket(stream), &path))
    }

    pub(crate) fn over(link: Link, path: &Path) -> Self {
        Self {
            link,
            path: path.to_path_buf(),
            decoder: Decoder::default(),
            last_request: 0,
            abandoned: vec![],
            events: VecDeque::new(),
            watching: false,
            out_of_step: false,
        }
    }

    /// The socket or device in use.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The requests, each of which is answered or fails by the deadline.
    pub fn until(&mut self, deadline: Deadline) -> Calls<'_> {
        Calls::new(self, deadline)
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    pub(crate) fn pop_event(&mut self) -> Option<WatchEvent> {
        self.events.pop_front()
    }
}
