//! The requests of the store, as `docs/misc/xenstore.txt` describes them.

use crate::fault::Fault;
use crate::wire::Kind;
use crate::{Deadline, Error, Permission, Refusal, Store, WatchEvent};

/// The longest path that begins with `/` (`XENSTORE_ABS_PATH_MAX`).
pub const ABSOLUTE_PATH_MAX: usize = 3072;

/// The longest other path (`XENSTORE_REL_PATH_MAX`).
pub const RELATIVE_PATH_MAX: usize = 2048;

/// Requests to a store that all end by one deadline, perhaps in a transaction.
///
/// Each of them fails with [`Error::Late`] at the deadline, [`Error::Died`]
/// when the store closes the connection, [`Error::Refused`] when it says no,
/// [`Error::Wrong`] when what comes is no reply to it, and [`Error::BadPath`]
/// or [`Error::TooLong`] before anything is sent.
#[derive(Debug)]
pub struct Calls<'store> {
    pub(crate) store: &'store mut Store,
    pub(crate) transaction: u32,
    pub(crate) deadline: Deadline,
}

impl<'store> Calls<'store> {
    pub(crate) fn new(store: &'store mut Store, deadline: Deadline) -> Self {
        Self {
            store,
            transaction: 0,
            deadline,
        }
    }

    /// The deadline of all of them.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The value of a node, any bytes.
    ///
    /// # Errors
    /// As of all [`Calls`]; [`Refusal::NoEntry`] where there is no such node.
    pub fn read(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
        self.on(Kind::READ, "read", path.as_ref(), &[])
    }

    /// The value of a node, or `None` where there is none.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn read_if_there(&mut self, path: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        match self.read(path) {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused {
                refusal: Refusal::NoEntry,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets the value of a node. It and its parents are made where missing.
    ///
    /// # Errors
    /// As of all [`Calls`]. Path and value together have room for 4095 bytes.
    pub fn write(&mut self, path: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        self.on(Kind::WRITE, "write", path.as_ref(), value.as_ref())
            .map(drop)
    }

    /// Makes a node with no value, and its parents; one that is there stays.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn mkdir(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        self.on(Kind::MKDIR, "make", path.as_ref(), &[]).map(drop)
    }

    /// Removes a node and all below it. That it is not there is success, that
    /// its parent is not there either is [`Refusal::NoEntry`].
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn remove(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        self.on(Kind::RM, "remove", path.as_ref(), &[]).map(drop)
    }

    /// The names of a node's children. A list that is too long for one
    /// message is fetched in parts, all of the same state of the node.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn directory(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, Error> {
        let path = path.as_ref();
        match self.on(Kind::DIRECTORY, "list", path, &[]) {
            Ok(names) => Ok(strings(&names)),
            Err(Error::Refused {
                refusal: Refusal::TooBig,
                ..
            }) => self.directory_in_parts(path),
            Err(error) => Err(error),
        }
    }

    /// A part begins with the node's generation; if that differs from the part
    /// before, the node has changed and everything begins anew. An empty name
    /// stands at the end of the last part.
    fn directory_in_parts(&mut self, path: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let mut names: Vec<u8> = vec![];
        let mut generation: Vec<u8> = vec![];
        loop {
            let offset = format!("{}\0", names.len());
            let part = self.on(Kind::DIRECTORY_PART, "list", path, offset.as_bytes())?;
            let end = part
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(part.len());
            let (current, rest) = part.split_at(end);
            let rest = rest.get(1..).unwrap_or_default();
            if !names.is_empty() && current != generation {
                names.clear();
                continue;
            }
            generation = current.to_vec();
            if rest == b"\0" || rest.ends_with(b"\0\0") {
                names.extend_from_slice(rest);
                return Ok(strings(&names));
            }
            if rest.is_empty() {
                let what = "a part of a list that holds nothing".to_owned();
                return Err(self.error(|| doing("list", path), Fault::Wrong(what)));
            }
            names.extend_from_slice(rest);
        }
    }

    /// The permissions of a node, the owner's first.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn permissions(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<Permission>, Error> {
        let path = path.as_ref();
        let payload = self.on(Kind::GET_PERMS, "read permissions of", path, &[])?;
        strings(&payload)
            .iter()
            .map(|text| Permission::parse(text))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let what = format!("permissions {}", payload.escape_ascii());
                self.error(|| doing("read permissions of", path), Fault::Wrong(what))
            })
    }

    /// Sets the permissions of a node, the owner's first.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn set_permissions(
        &mut self,
        path: impl AsRef<[u8]>,
        permissions: &[Permission],
    ) -> Result<(), Error> {
        let list: String = permissions.iter().map(|one| format!("{one}\0")).collect();
        let (kind, verb) = (Kind::SET_PERMS, "set permissions of");
        self.on(kind, verb, path.as_ref(), list.as_bytes())
            .map(drop)
    }

    /// The folder of a domain, such as `/local/domain/5`. Stores answer this
    /// without a look at their tree.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn domain_path(&mut self, domid: u16) -> Result<Vec<u8>, Error> {
        let payload = format!("{domid}\0").into_bytes();
        let doing = || format!("ask for the path of domain {domid}");
        let mut path = self.call(Kind::GET_DOMAIN_PATH, doing, payload)?;
        if path.last() == Some(&0) {
            path.pop();
        }
        Ok(path)
    }

    /// Asks for events whenever a path or one below it changes; the first
    /// comes at once. The token comes back with each.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn watch(&mut self, path: impl AsRef<[u8]>, token: &str) -> Result<(), Error> {
        let token = format!("{token}\0");
        let (kind, verb) = (Kind::WATCH, "watch");
        self.on(kind, verb, path.as_ref(), token.as_bytes())
            .map(drop)
    }

    /// Takes a watch back. Events that have come already stay.
    ///
    /// # Errors
    /// As of all [`Calls`].
    pub fn unwatch(&mut self, path: impl AsRef<[u8]>, token: &str) -> Result<(), Error> {
        let token = format!("{token}\0");
        let (kind, verb) = (Kind::UNWATCH, "stop watching");
        self.on(kind, verb, path.as_ref(), token.as_bytes())
            .map(drop)
    }

    /// The next event, waited for until the deadline; `None` at the deadline.
    ///
    /// # Errors
    /// As of all [`Calls`], but for [`Error::Late`].
    pub fn next_event(&mut self) -> Result<Option<WatchEvent>, Error> {
        self.next_event_for(|| "wait for events".to_owned())
    }

    /// The same, with what it is waited for.
    pub(crate) fn next_event_for(
        &mut self,
        waiting: impl Fn() -> String,
    ) -> Result<Option<WatchEvent>, Error> {
        loop {
            let taken = self.store.take_events();
            taken.map_err(|fault| self.error(&waiting, fault))?;
            if let Some(event) = self.store.pop_event() {
                return Ok(Some(event));
            }
            // Even if more has come: there may be no end of it.
            if self.deadline.passed() {
                return Ok(None);
            }
            let received = self.store.receive(self.deadline);
            if !received.map_err(|fault| self.error(&waiting, fault))? {
                return Ok(None);
            }
        }
    }

    /// All events until the deadline. An error is the last.
    pub fn events(&mut self) -> impl Iterator<Item = Result<WatchEvent, Error>> {
        let mut failed = false;
        std::iter::from_fn(move || {
            let next = if failed {
                None
            } else {
                self.next_event().transpose()
            };
            failed = matches!(next, Some(Err(_)));
            next
        })
    }

    /// A request about a path: the path, NUL, and what follows it.
    fn on(&mut self, kind: Kind, verb: &str, path: &[u8], rest: &[u8]) -> Result<Vec<u8>, Error> {
        check_path(path)?;
        let payload = [path, b"\0", rest].concat();
        self.call(kind, || doing(verb, path), payload)
    }

    pub(crate) fn call(
        &mut self,
        kind: Kind,
        doing: impl FnOnce() -> String,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        self.store
            .exchange(kind, self.transaction, payload, self.deadline)
            .map_err(|fault| self.error(doing, fault))
    }

    pub(crate) fn error(&self, doing: impl FnOnce() -> String, fault: Fault) -> Error {
        Error::of_request(doing(), self.store.path(), fault)
    }
}

fn doing(verb: &str, path: &[u8]) -> String {
    format!("{verb} {}", path.escape_ascii())
}

/// What no store takes is not sent.
pub(crate) fn check_path(path: &[u8]) -> Result<(), Error> {
    let limit = if path.starts_with(b"/") {
        ABSOLUTE_PATH_MAX
    } else {
        RELATIVE_PATH_MAX
    };
    let why = if path.is_empty() {
        "it is empty".to_owned()
    } else if path.contains(&0) {
        "it holds a NUL".to_owned()
    } else if path.len() > limit {
        format!("{} bytes, more than {limit}", path.len())
    } else {
        return Ok(());
    };
    let start = path.get(..path.len().min(64)).unwrap_or_default();
    Err(Error::BadPath {
        path: start.escape_ascii().to_string(),
        why,
    })
}

/// The strings of a list, each of which ends with NUL.
fn strings(list: &[u8]) -> Vec<Vec<u8>> {
    list.split(|byte| *byte == 0)
        .filter(|text| !text.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}
