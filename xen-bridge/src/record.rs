//! What `up` made or added, kept in `/run/xen-bridge/NAME` until `down`.

use std::fs;
use std::io;
use std::path::Path;

use crate::Error;
use crate::facts::Interface;
use crate::files::{FOLDER, namespace, own_place};
use crate::intent::Intent;
use crate::link::Link;
use crate::order::{Order, seconds_since, uptime};
use crate::step::Step;

/// What is wrong with a file that is no record, and what to do about it.
const REMEDY: &str = "not a record of xen-bridge; \
                      remove the file if the bridge is not to be taken down by it";

/// What `up` made of a bridge, or added to somebody else's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The bridge's name.
    pub name: String,
    /// The bridge's number. A bridge of the same name and another number is
    /// another bridge, and the record says nothing about it. 0: `up` was about
    /// to make it, and what has the name now is what it made, if it is like it.
    pub ifindex: u32,
    /// What `up` was about to make.
    pub intent: Intent,
    /// The network namespace that the bridge is in: several may share `/run`.
    pub netns: Option<u64>,
    /// `up` made the bridge itself.
    pub made: bool,
    /// The ports that `up` added.
    pub ports: Vec<AddedPort>,
    /// The addresses that `up` added, with their prefix lengths.
    pub addresses: Vec<String>,
    /// When `up` last moved something here from a port: seconds since the
    /// machine was started.
    pub moved_at: u64,
    /// The addresses that it moved, with their prefix lengths.
    pub moved: Vec<String>,
    /// What `down` asks for to move all back ([`Order`]).
    pub back: Vec<String>,
}

impl Record {
    /// As the file has it: a word and its value on each line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("name {}\nifindex {}\n", self.name, self.ifindex);
        let mut add = |word: &str, value: &str| text.push_str(&format!("{word} {value}\n"));
        if let Some(netns) = self.netns {
            add("netns", &netns.to_string());
        }
        add("made", if self.made { "yes" } else { "no" });
        if self.intent != Intent::default() {
            add("intent", &self.intent.to_text());
        }
        for port in &self.ports {
            let word = if port.brought_up {
                "port-brought-up"
            } else {
                "port"
            };
            add(word, &format!("{} {}", port.ifindex, port.name));
        }
        if self.moved_at != 0 {
            add("moved-at", &self.moved_at.to_string());
        }
        for (word, values) in [
            ("address", &self.addresses),
            ("moved", &self.moved),
            ("back", &self.back),
        ] {
            for value in values {
                add(word, value);
            }
        }
        text
    }

    /// Takes in one line; `None` where it is none of a record.
    pub(crate) fn read_line(&mut self, word: &str, value: &str) -> Option<()> {
        let list = match word {
            "name" => {
                value.clone_into(&mut self.name);
                return Some(());
            }
            "ifindex" | "netns" | "moved-at" => {
                let number: u64 = value.parse().ok()?;
                match word {
                    "ifindex" => self.ifindex = u32::try_from(number).ok()?,
                    "netns" => self.netns = Some(number),
                    _ => self.moved_at = number,
                }
                return Some(());
            }
            "intent" => {
                self.intent = Intent::parse(value)?;
                return Some(());
            }
            "made" => {
                self.made = value == "yes";
                return Some(());
            }
            "port" | "port-brought-up" => {
                let (ifindex, name) = value.split_once(' ')?;
                self.ports.push(AddedPort {
                    name: name.to_owned(),
                    ifindex: ifindex.parse().ok()?,
                    brought_up: word != "port",
                });
                return Some(());
            }
            "address" => &mut self.addresses,
            "moved" => &mut self.moved,
            "back" => &mut self.back,
            _ => return None,
        };
        list.push(value.to_owned());
        Some(())
    }
}

/// A record from a file's content; `None` where it is none.
#[must_use]
pub fn parse(content: &[u8]) -> Option<Record> {
    let mut record = Record::default();
    for line in whole_lines(content)? {
        let (word, value) = line.split_once(' ')?;
        record.read_line(word, value)?;
    }
    Some(record).filter(|record| !record.name.is_empty())
}

/// The lines of a file that was written to its end.
pub(crate) fn whole_lines(content: &[u8]) -> Option<std::str::Split<'_, char>> {
    let text = std::str::from_utf8(content).ok()?;
    Some(text.strip_suffix('\n')?.split('\n'))
}

impl Record {
    /// That `up` is about to make the bridge of that name.
    #[must_use]
    pub fn of_intent(name: &str, intent: Intent) -> Self {
        Self {
            name: name.to_owned(),
            made: true,
            intent,
            ..Self::default()
        }
    }

    /// `up` added or moved this address.
    #[must_use]
    pub fn has(&self, cidr: &str) -> bool {
        let mut all = self.addresses.iter().chain(&self.moved);
        all.any(|it| it == cidr)
    }

    /// What `up` moved here since, on top of what it moved earlier.
    #[must_use]
    pub fn with_moved(mut self, moved: Vec<String>, mut back: Vec<String>) -> Self {
        if back.is_empty() {
            return self;
        }
        // What lifetimes are left is reckoned from the earlier.
        if self.back.is_empty() {
            self.moved_at = uptime();
        }
        self.moved.extend(moved);
        // The last goes back first.
        back.append(&mut self.back);
        self.back = back;
        self
    }

    /// The steps that move all back, from now.
    #[must_use]
    pub fn steps_back(&self) -> Vec<Step> {
        let seconds = seconds_since(self.moved_at);
        let steps = self.back.iter().filter_map(|it| Order::step(it, seconds));
        steps.collect()
    }

    /// The bridge was about to be made, and nobody wrote what became of it.
    #[must_use]
    pub fn is_of_intent(&self) -> bool {
        self.made && self.ifindex == 0
    }
}

/// A port that `up` added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedPort {
    /// Its name then.
    pub name: String,
    /// Its number.
    pub ifindex: u32,
    /// It was switched off, and `up` switched it on.
    pub brought_up: bool,
}

impl AddedPort {
    /// The interface, as steps name it.
    #[must_use]
    pub fn interface(&self) -> Interface {
        Interface {
            index: self.ifindex,
            name: self.name.clone(),
        }
    }
}

/// What was found under a bridge's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Found {
    /// No record.
    #[default]
    Nothing,
    /// A record; not yet known whether of this bridge.
    Record(Record),
    /// A record of a bridge in another network namespace.
    Elsewhere,
    /// A file that cannot be read or understood, and why.
    Unreadable(String),
}

impl Found {
    /// The record, where it is of that bridge.
    ///
    /// # Errors
    /// [`Error::BadRecord`]: nobody can tell.
    pub fn of(&self, link: &Link) -> Result<Option<&Record>, Error> {
        match self {
            Self::Nothing | Self::Elsewhere => Ok(None),
            Self::Record(record) => {
                let is_made = record.is_of_intent() && record.intent.is_like(link);
                let is_its = record.ifindex == link.index || is_made;
                Ok(Some(record).filter(|_| is_its))
            }
            Self::Unreadable(why) => Err(Error::BadRecord {
                path: format!("/{FOLDER}/{}", link.name),
                why: why.clone(),
            }),
        }
    }

    /// The record, where the bridge that it is about is not the one with that
    /// number.
    #[must_use]
    pub fn of_another(&self, ifindex: Option<u32>) -> Option<&Record> {
        match self {
            Self::Record(record) if !record.is_of_intent() => {
                Some(record).filter(|record| Some(record.ifindex) != ifindex)
            }
            _ => None,
        }
    }
}

/// Reads the record of that name below `root`.
#[must_use]
pub fn read(root: &Path, name: &str) -> Found {
    let ours = namespace(root);
    let found = read_file(&root.join(FOLDER).join(name), ours);
    match (&found, ours) {
        (Found::Nothing | Found::Elsewhere, Some(ours)) => {
            match read_file(&own_place(root, name, ours), Some(ours)) {
                Found::Nothing => found,
                own => own,
            }
        }
        _ => found,
    }
}

/// What is there is another namespace's.
pub(crate) fn is_elsewhere(path: &Path, ours: Option<u64>) -> bool {
    read_file(path, ours) == Found::Elsewhere
}

fn read_file(path: &Path, ours: Option<u64>) -> Found {
    match fs::read(path) {
        Ok(content) => match parse(&content) {
            Some(record) => match (record.netns, ours) {
                (Some(its), Some(ours)) if its != ours => Found::Elsewhere,
                _ => Found::Record(record),
            },
            None => Found::Unreadable(REMEDY.to_owned()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Lock;
    use crate::link::BridgeState;
    use crate::settings::Settings;
    use crate::values::Mac;

    fn link(index: u32, delay: u32) -> Link {
        Link {
            index,
            name: "xenbr0".to_owned(),
            bridge: BridgeState {
                settings: Settings([Some(0), Some(delay), None, None, None]),
                ..BridgeState::default()
            },
            ..Link::default()
        }
    }

    fn record() -> Record {
        Record {
            name: "xenbr0".to_owned(),
            ifindex: 7,
            intent: Intent::default(),
            netns: None,
            made: true,
            ports: vec![AddedPort {
                name: "eth0".to_owned(),
                ifindex: 2,
                brought_up: true,
            }],
            addresses: vec!["172.16.0.1/16".to_owned()],
            moved_at: 0,
            moved: vec![],
            back: vec![],
        }
    }

    #[test]
    fn reads_back_what_it_wrote_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let lock = Lock::take(root.path()).unwrap();
        lock.write(&record()).unwrap();
        assert_eq!(read(root.path(), "xenbr0"), Found::Record(record()));
        let text = fs::read_to_string(root.path().join(FOLDER).join("xenbr0")).unwrap();
        assert_eq!(
            text,
            "name xenbr0\nifindex 7\nmade yes\nport-brought-up 2 eth0\naddress 172.16.0.1/16\n"
        );
        lock.forget("xenbr0").unwrap();
        lock.forget("xenbr0").unwrap();
        assert_eq!(read(root.path(), "xenbr0"), Found::Nothing);
        let left: Vec<_> = fs::read_dir(root.path().join(FOLDER)).unwrap().collect();
        assert_eq!(left.len(), 1, "only the lock");
    }

    #[test]
    fn says_nothing_of_another_bridge_and_refuses_garbage() {
        let found = Found::Record(record());
        assert!(found.of(&link(7, 0)).unwrap().is_some());
        assert!(found.of(&link(8, 0)).unwrap().is_none());
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(root.path().join(FOLDER).join("xenbr0"), "{").unwrap();
        let error = read(root.path(), "xenbr0").of(&link(7, 0)).unwrap_err();
        assert_eq!(error.exit_status(), 6);
        assert_eq!(
            error.to_string(),
            "/run/xen-bridge/xenbr0: not a record of xen-bridge; \
             remove the file if the bridge is not to be taken down by it"
        );
    }

    #[test]
    fn says_of_an_intent_that_a_bridge_like_it_is_ours() {
        let intent = Intent {
            settings: Settings([Some(0), Some(0), None, None, None]),
            mac: None,
        };
        let found = Found::Record(Record::of_intent("xenbr0", intent));
        assert!(found.of(&link(7, 0)).unwrap().is_some_and(|it| it.made));
        assert!(found.of(&link(7, 1500)).unwrap().is_none());
        let mac = Some(Mac([2, 0, 0, 0, 0, 1]));
        let found = Found::Record(Record::of_intent("xenbr0", Intent { mac, ..intent }));
        assert!(found.of(&link(7, 0)).unwrap().is_none());
    }

    #[test]
    fn cleans_away_what_an_earlier_run_did_not_finish() {
        let root = tempfile::tempdir().unwrap();
        let unfinished = root.path().join(FOLDER).join(".unfinished-record");
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(&unfinished, "{").unwrap();
        Lock::take(root.path()).unwrap();
        assert!(!unfinished.exists());
    }
}
