//! A connection to the store: requests out, replies and events in.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::poll::PollFlags;

use crate::fault::Fault;
use crate::link::{Connector, Link};
use crate::wire::{Decoder, HEADER_SIZE, Kind, Message, PAYLOAD_MAX};
use crate::{Calls, Deadline, Error, Refusal};

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
    link: Link,
    path: PathBuf,
    decoder: Decoder,
    last_request: u32,
    /// Requests whose replies nobody waits for any more.
    abandoned: Vec<u32>,
    events: VecDeque<WatchEvent>,
    /// Half a request went out, or what came in was none of a store's.
    out_of_step: bool,
}

impl Store {
    /// Connects to the store's socket, such as `/run/xenstored/socket`. That
    /// it succeeds does not mean that the store answers.
    ///
    /// # Errors
    /// [`Error::System`]: no such socket, nobody listens, not permitted, or
    /// nobody accepts before the deadline (`EAGAIN`).
    pub fn connect(path: &Path, deadline: Deadline) -> Result<Self, Error> {
        let mut connector = Connector::default();
        loop {
            match connector.connect(path, deadline) {
                Ok(link) => return Ok(Self::over(link, path)),
                Err(Errno::EAGAIN | Errno::EINTR) if !deadline.passed() => {}
                Err(errno) => {
                    let doing = format!("connect to {}", path.display());
                    return Err(Error::system(doing, errno));
                }
            }
        }
    }

    /// Opens the kernel's device, `/dev/xen/xenbus` or `/proc/xen/xenbus`. It
    /// opens whether or not a store lives.
    ///
    /// The kernel itself speaks to the store for WATCH and UNWATCH, and there
    /// it heeds no deadline: use them only after another request was answered.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn open_device(path: &Path) -> Result<Self, Error> {
        Link::open_device(path)
            .map(|link| Self::over(link, path))
            .map_err(|errno| Error::system(format!("open {}", path.display()), errno))
    }

    pub(crate) fn over(link: Link, path: &Path) -> Self {
        Self {
            link,
            path: path.to_path_buf(),
            decoder: Decoder::default(),
            last_request: 0,
            abandoned: vec![],
            events: VecDeque::new(),
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

    /// Sends a request and waits for its reply.
    pub(crate) fn exchange(
        &mut self,
        kind: Kind,
        transaction: u32,
        payload: Vec<u8>,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Fault> {
        let request = self.send(kind, transaction, payload, deadline)?;
        loop {
            if let Some(payload) = self.take_reply(kind, request)? {
                return Ok(payload);
            }
            if !self.receive(deadline)? {
                self.abandoned.push(request);
                return Err(Fault::Late(self.decoder.pending()));
            }
        }
    }

    /// Sends a request; its number, for [`Store::take_reply`].
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        transaction: u32,
        payload: Vec<u8>,
        deadline: Deadline,
    ) -> Result<u32, Fault> {
        if self.out_of_step {
            return Err(Fault::Closed);
        }
        if payload.len() > self.link.payload_max() {
            return Err(Fault::TooLong(payload.len()));
        }
        // Never 0: events have that.
        self.last_request = self.last_request.checked_add(1).unwrap_or(1);
        let bytes = Message {
            kind,
            request: self.last_request,
            transaction,
            payload,
        }
        .encode()?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match self.link.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.link.ready(PollFlags::POLLOUT, deadline)? {
                        self.out_of_step = rest.len() < bytes.len();
                        return Err(Fault::Late(0));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.last_request)
    }

    /// Waits until something has come. `false`: too late.
    pub(crate) fn receive(&mut self, deadline: Deadline) -> Result<bool, Fault> {
        if !self.link.ready(PollFlags::POLLIN, deadline)? {
            return Ok(false);
        }
        self.receive_what_is_there()?;
        Ok(true)
    }

    /// Reads once, without waiting.
    pub(crate) fn receive_what_is_there(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; HEADER_SIZE + PAYLOAD_MAX];
        match self.link.read(&mut buffer) {
            Ok(0) => Err(Fault::Closed),
            Ok(count) => {
                self.decoder.push(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// The reply to a request, if all of it has come. Events are put by.
    pub(crate) fn take_reply(
        &mut self,
        kind: Kind,
        request: u32,
    ) -> Result<Option<Vec<u8>>, Fault> {
        while let Some(message) = self.next_message()? {
            if self.put_by(&message)? {
                continue;
            }
            if message.request != request {
                return self.lost(format!(
                    "a reply to request {}, not {request}",
                    message.request
                ));
            }
            if message.kind == Kind::ERROR {
                return Err(Fault::Refused(Refusal::parse(&message.payload)));
            }
            if message.kind != kind {
                return self.lost(format!("{} in reply to {kind}", message.kind));
            }
            return Ok(Some(message.payload));
        }
        Ok(None)
    }

    /// Puts by the events that have come.
    pub(crate) fn take_events(&mut self) -> Result<(), Fault> {
        while let Some(message) = self.next_message()? {
            if !self.put_by(&message)? {
                return self.lost(format!("{} that nobody asked for", message.kind));
            }
        }
        Ok(())
    }

    /// How much has come of a message that is not whole yet.
    pub(crate) fn pending(&self) -> usize {
        self.decoder.pending()
    }

    fn next_message(&mut self) -> Result<Option<Message>, Fault> {
        self.decoder.next_message().map_err(|error| {
            self.out_of_step = true;
            error.into()
        })
    }

    /// Keeps an event, drops a reply that is too late. `false`: it is neither.
    fn put_by(&mut self, message: &Message) -> Result<bool, Fault> {
        if message.kind != Kind::WATCH_EVENT {
            let before = self.abandoned.len();
            self.abandoned.retain(|late| *late != message.request);
            return Ok(self.abandoned.len() < before);
        }
        let mut words = message.payload.split(|byte| *byte == 0);
        let (Some(path), Some(token)) = (words.next(), words.next()) else {
            return self.lost("an event without path and token".to_owned());
        };
        self.events.push_back(WatchEvent {
            path: path.to_vec(),
            token: token.to_vec(),
        });
        Ok(true)
    }

    fn lost<T>(&mut self, what: String) -> Result<T, Fault> {
        self.out_of_step = true;
        Err(Fault::Wrong(what))
    }
}
