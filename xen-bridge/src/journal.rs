//! How a change of a bridge is put right if nobody is left to do it, kept
//! from before its first step until it is done or confirmed.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::apply::Hands;
use crate::facts::Interface;
use crate::files::{Lock, is_locked, place_of, remove};
use crate::netlink::Connection;
use crate::record::{Order, Record, seconds_since, uptime};
use crate::step::Change;

/// All that it takes to put a change right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The bridge's name.
    pub name: String,
    /// How long the change may go unconfirmed.
    pub seconds: u32,
    /// When it was begun: seconds since the machine was started.
    pub at: u64,
    /// The record before it.
    pub record: Option<Record>,
    /// What puts everything back, in order. What was never done makes no
    /// difference when it is undone.
    pub undo: Vec<Order>,
}

impl Journal {
    /// For these changes of that bridge, whose number is 0 before it is made.
    #[must_use]
    pub fn of(
        changes: &[Change],
        bridge: &Interface,
        record: Option<&Record>,
        seconds: u32,
    ) -> Self {
        let undo = changes.iter().rev().flat_map(|change| &change.undo);
        Self {
            name: bridge.name.clone(),
            seconds,
            at: uptime(),
            record: record.cloned(),
            undo: undo.filter_map(|step| Order::of(step, bridge)).collect(),
        }
    }

    /// From a file's content; `None` where it is none.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        serde_json::from_slice(content).ok()
    }

    /// Writes it, so that it outlives this process.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn write(&self, lock: &Lock) -> Result<(), Error> {
        let path = place_of(lock.root(), KIND, &self.name);
        lock.write_file(&path, serde_json::to_vec(self))
    }

    /// Puts everything back as it was, as far as that goes, and removes the
    /// journal if it went all the way.
    ///
    /// # Errors
    /// The first of the kernel's refusals.
    pub fn put_back(&self, connection: &mut Connection, lock: &Lock) -> Result<(), Error> {
        let bridge = Interface {
            index: 0,
            name: self.name.clone(),
        };
        let mut hands = Hands::new(connection, lock, bridge);
        let seconds = seconds_since(self.at);
        let mut first = None;
        for order in &self.undo {
            let done = match order.step(seconds) {
                Some(step) => hands.take_away(&step),
                None => Err(unreadable(&place_of(lock.root(), KIND, &self.name))),
            };
            first = first.or(done.err());
        }
        let kept = match &self.record {
            _ if first.is_some() => Ok(()),
            Some(record) => lock.write(record),
            None => lock.forget(&self.name),
        };
        match first.or(kept.err()) {
            Some(error) => Err(error),
            None => remove_as(lock.root(), &self.name, true),
        }
    }
}

const KIND: &str = "unconfirmed";

/// A journal that was found.
#[derive(Debug)]
pub struct Pending {
    /// What is in it.
    pub journal: Journal,
    /// Somebody watches over it.
    pub watched: bool,
}

/// The journal of that bridge, if there is one.
///
/// # Errors
/// [`Error::BadRecord`], [`Error::System`].
pub fn pending(root: &Path, name: &str) -> Result<Option<Pending>, Error> {
    let path = path(root, name);
    let failed = |error| Error::system(format!("read {}", path.display()), error);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut content = vec![];
    file.read_to_end(&mut content).map_err(failed)?;
    // Emptied when everything was put back; removed at once after that.
    if content.is_empty() {
        return Ok(None);
    }
    let journal = Journal::parse(&content).ok_or_else(|| unreadable(&path))?;
    let watched = is_locked(&file).map_err(failed)?;
    Ok(Some(Pending { journal, watched }))
}

fn unreadable(path: &Path) -> Error {
    Error::BadRecord {
        path: path.display().to_string(),
        why: "not a journal of xen-bridge; remove the file if nothing is to be put back".to_owned(),
    }
}

/// Where it is.
pub(crate) fn path(root: &Path, name: &str) -> PathBuf {
    place_of(root, KIND, name)
}

/// Removes the journal: what was done stays, or was put back. Who watches over
/// it sees which.
pub(crate) fn remove_as(root: &Path, name: &str, put_back: bool) -> Result<(), Error> {
    let path = path(root, name);
    if put_back {
        let emptied = OpenOptions::new().write(true).truncate(true).open(&path);
        emptied.map_err(|error| Error::system(format!("empty {}", path.display()), error))?;
    }
    remove(&path)
}
