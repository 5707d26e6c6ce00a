//! How a change of a bridge is put right if nobody is left to do it, kept
//! from before its first step until it is done or confirmed.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::apply::Hands;
use crate::facts::Interface;
use crate::files::{Lock, is_locked, place_of, remove};
use crate::link::Link;
use crate::lookups::{read_link, read_routes};
use crate::netlink::Connection;
use crate::order::{Order, seconds_since, uptime};
use crate::record::{self, Found, Record, whole_lines};
use crate::route::Route;
use crate::step::{Change, Step};

/// All that it takes to put a change right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// The bridge's name.
    pub name: String,
    /// How long the change may go unconfirmed.
    pub seconds: u32,
    /// When it was begun: seconds since the machine was started.
    pub at: u64,
    /// The bridge was to be made: as long as there is no record of that
    /// intent, nothing was done.
    pub makes: bool,
    /// The record before it.
    pub record: Option<Record>,
    /// What puts everything back, in order ([`Order`]). What was never done makes no
    /// difference when it is undone.
    pub undo: Vec<String>,
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
            makes: bridge.index == 0,
            record: record.cloned(),
            undo: undo.filter_map(|step| Order::of(step, bridge)).collect(),
        }
    }

    /// As the file has it: a word and its value on each line, and last the
    /// lines of the record.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self {
            name, seconds, at, ..
        } = self;
        let makes = if self.makes { "yes" } else { "no" };
        let mut text = format!("bridge {name}\nmakes {makes}\nseconds {seconds}\nat {at}\n");
        for order in &self.undo {
            text.push_str(&format!("undo {order}\n"));
        }
        text + &self.record.iter().map(Record::to_text).collect::<String>()
    }

    /// For steps that are to be gone through whatever happens, after which
    /// there is no record.
    #[must_use]
    pub fn onward(steps: &[Step], bridge: &Interface) -> Self {
        Self {
            name: bridge.name.clone(),
            seconds: OWN_SECONDS,
            at: uptime(),
            undo: steps
                .iter()
                .filter_map(|step| Order::of(step, bridge))
                .collect(),
            ..Self::default()
        }
    }

    /// From a file's content; `None` where it is none.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut journal = Self::default();
        for line in whole_lines(content)? {
            let (word, value) = line.split_once(' ')?;
            match word {
                "bridge" => value.clone_into(&mut journal.name),
                "makes" => journal.makes = value == "yes",
                "seconds" => journal.seconds = value.parse().ok()?,
                "at" => journal.at = value.parse().ok()?,
                "undo" => journal.undo.push(value.to_owned()),
                word => {
                    let record = journal.record.get_or_insert_default();
                    record.read_line(word, value)?;
                }
            }
        }
        Some(journal).filter(|journal| !journal.name.is_empty())
    }

    /// Writes it, so that it outlives this process.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn write(&self, lock: &Lock) -> Result<(), Error> {
        let path = place_of(lock.root(), KIND, &self.name);
        // A lock on it means something: who may not change bridges gets none.
        lock.write_file(&path, &self.to_text(), 0o600)
    }

    /// Puts everything back as it was, as far as that goes, and removes the
    /// journal if it went all the way. A route that the kernel does not take
    /// again keeps nothing else from it, and is told: its gateway was out of
    /// reach before.
    ///
    /// # Errors
    /// The first of the kernel's other refusals; the journal stays.
    pub fn put_back(&self, connection: &mut Connection, lock: &Lock) -> Result<Vec<Error>, Error> {
        let bridge = Interface {
            index: 0,
            name: self.name.clone(),
        };
        let path = path(lock.root(), &self.name);
        let found = record::read(lock.root(), &self.name);
        let link = read_link(connection, &self.name)?;
        let is_untouched = self.makes && is_untouched(&found, link.as_ref());
        // Somebody made it after ours was removed: it stays as it is.
        let is_anothers = link.is_some_and(|it| !matches!(found.of(&it), Ok(Some(_))));
        let mut hands = Hands::new(connection, lock, bridge);
        let seconds = seconds_since(self.at);
        let (mut first, mut lost) = (None, vec![]);
        for order in self.undo.iter().filter(|_| !is_untouched) {
            let step = Order::step(order, seconds);
            if is_anothers && step.as_ref().is_some_and(|it| it.goes_by_name(&self.name)) {
                continue;
            }
            let done = match &step {
                Some(step) => hands.take_away(step),
                None => Err(unreadable(&path)),
            };
            let route = step.as_ref().and_then(Step::route_to_give);
            match (done, route) {
                (Ok(()), _) => {}
                // It was never taken.
                (Err(_), Some(route)) if is_there(hands.connection, &route) => {}
                (Err(error), Some(_)) if error.is_unreachable() => lost.push(error),
                (Err(error), _) => first = first.or(Some(error)),
            }
        }
        let kept = match &self.record {
            _ if first.is_some() => Ok(()),
            Some(record) => lock.write(record),
            None => lock.forget(&self.name),
        };
        match first.or(kept.err()) {
            Some(source) => Err(Error::NotPutBack {
                bridge: self.name.clone(),
                path: path.display().to_string(),
                source: Box::new(source),
            }),
            None => remove_as(lock.root(), &self.name, true).map(|()| lost),
        }
    }
}

/// Not even the bridge was made, after which its record has its number. What
/// has its name, if anything, is somebody else's.
fn is_untouched(found: &Found, link: Option<&Link>) -> bool {
    match found {
        Found::Nothing | Found::Elsewhere => true,
        Found::Record(record) if record.is_of_intent() => {
            link.is_some_and(|link| !record.intent.is_like(link))
        }
        Found::Record(_) | Found::Unreadable(_) => false,
    }
}

/// The same route is there. It is refused all the same where its gateway is
/// out of reach by now.
fn is_there(connection: &mut Connection, route: &Route) -> bool {
    let index = route.interfaces.first().copied().unwrap_or_default();
    let name = index.to_string();
    let routes = read_routes(connection, &Interface { index, name });
    routes.is_ok_and(|all| all.iter().any(|it| it.is_same(route)))
}

const KIND: &str = "unconfirmed";
/// How long a change that confirms itself may take.
pub(crate) const OWN_SECONDS: u32 = 60;

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

/// Where whoever makes the change and whoever watches over this very journal
/// meet: a watcher that comes late, when another change has begun, must not
/// take that one for its own.
pub(crate) fn meeting(root: &Path, name: &str, journal: &Metadata) -> PathBuf {
    place_of(root, &format!("watch-{}", journal.ino()), name)
}

/// The file is still the journal at that path, not an earlier one.
pub(crate) fn is_at(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
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
    if let Ok(journal) = fs::metadata(&path) {
        // Left where one of the two was killed before they met.
        let _ = fs::remove_file(meeting(root, name, &journal));
    }
    if put_back {
        let emptied = OpenOptions::new().write(true).truncate(true).open(&path);
        emptied.map_err(|error| Error::system(format!("empty {}", path.display()), error))?;
    }
    remove(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::intent::Intent;
    use crate::record::{AddedPort, parse};
    use crate::settings::Settings;

    const NAME: &str = "[a-z][a-z0-9.]{0,14}";
    const LINE: &str = "[ -~]{0,40}";

    fn record() -> impl Strategy<Value = Record> {
        let ports = proptest::collection::vec((NAME, 1u32.., any::<bool>()), 0..3);
        let lines = || proptest::collection::vec(LINE, 0..3);
        let numbers = (any::<u32>(), any::<Option<u64>>(), any::<u64>());
        (
            NAME,
            numbers,
            any::<bool>(),
            ports,
            [lines(), lines(), lines()],
        )
            .prop_map(
                |(name, (ifindex, netns, moved_at), made, ports, [addresses, moved, back])| {
                    let ports = ports.into_iter();
                    let port = |(name, ifindex, brought_up)| AddedPort {
                        name,
                        ifindex,
                        brought_up,
                    };
                    Record {
                        name,
                        ifindex,
                        intent: Intent {
                            settings: Settings::only(1, netns.map(|_| ifindex)),
                            mac: None,
                        },
                        netns,
                        made,
                        ports: ports.map(port).collect(),
                        addresses,
                        moved_at,
                        moved,
                        back,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn reads_back_every_record_and_journal_that_it_writes(
            record in record(),
            had in any::<bool>(),
            makes in any::<bool>(),
            seconds in any::<u32>(),
            at in any::<u64>(),
            undo in proptest::collection::vec(LINE, 0..4),
        ) {
            let text = record.to_text();
            prop_assert_eq!(parse(text.as_bytes()), Some(record.clone()));
            // Cut short anywhere, it is none: half a line is worse than none.
            for length in 0..text.len() {
                let part = &text.as_bytes()[..length];
                if !part.ends_with(b"\n") {
                    prop_assert_eq!(parse(part), None);
                }
            }
            let name = record.name.clone();
            let record = Some(record).filter(|_| had);
            let journal = Journal { name, seconds, at, makes, record, undo };
            prop_assert_eq!(Journal::parse(journal.to_text().as_bytes()), Some(journal));
        }

        #[test]
        fn asks_what_it_kept(
            index in 1u32..,
            up in any::<bool>(),
            mtu in 68u32..65536,
            name in NAME,
        ) {
            let bridge = Interface { index, name };
            for step in [Step::SetUp(up), Step::SetMtu(mtu), Step::Remove] {
                let order = Order::of(&step, &bridge).unwrap();
                let kept = Order::step(&order, 9).unwrap();
                prop_assert_eq!(kept.request(&bridge), step.request(&bridge));
                prop_assert_eq!(kept.commands(""), step.commands(&bridge.name));
            }
        }
    }
}
