//! What `up` made or added, kept in `/run/xen-bridge/NAME` until `down`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::facts::Interface;

/// Where the records are, below the root.
const FOLDER: &str = "run/xen-bridge";
// Longer than an interface name can be, so no record has these names.
const LOCK: &str = ".lock-for-all-bridges";
const UNFINISHED: &str = ".unfinished-record";

/// What is wrong with a file that is no record, and what to do about it.
const REMEDY: &str = "not a record of xen-bridge; \
                      remove the file if the bridge is not to be taken down by it";

/// What `up` made of a bridge, or added to somebody else's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The bridge's name.
    pub name: String,
    /// The bridge's number. A bridge of the same name and another number is
    /// another bridge, and the record says nothing about it. 0: `up` was about
    /// to make it, and whatever has the name now is what it made.
    pub ifindex: u32,
    /// The network namespace that the bridge is in: several may share `/run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<u64>,
    /// `up` made the bridge itself.
    pub made: bool,
    /// The ports that `up` added.
    #[serde(default)]
    pub ports: Vec<AddedPort>,
    /// The addresses that `up` added, with their prefix lengths.
    #[serde(default)]
    pub addresses: Vec<String>,
}

impl Record {
    /// That `up` is about to make the bridge of that name.
    #[must_use]
    pub fn of_intent(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            made: true,
            ..Self::default()
        }
    }

    /// The bridge was about to be made, and nobody wrote what became of it.
    #[must_use]
    pub fn is_of_intent(&self) -> bool {
        self.made && self.ifindex == 0
    }
}

/// A port that `up` added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedPort {
    /// Its name then.
    pub name: String,
    /// Its number.
    pub ifindex: u32,
    /// It was switched off, and `up` switched it on.
    #[serde(default)]
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
    /// The record, where it is of the bridge with that number.
    ///
    /// # Errors
    /// [`Error::BadRecord`]: nobody can tell.
    pub fn of(&self, name: &str, ifindex: u32) -> Result<Option<&Record>, Error> {
        match self {
            Self::Nothing | Self::Elsewhere => Ok(None),
            Self::Record(record) => {
                let is_its = record.ifindex == ifindex || record.is_of_intent();
                Ok(Some(record).filter(|_| is_its))
            }
            Self::Unreadable(why) => Err(Error::BadRecord {
                path: format!("/{FOLDER}/{name}"),
                why: why.clone(),
            }),
        }
    }
}

/// Reads the record of that name below `root`.
#[must_use]
pub fn read(root: &Path, name: &str) -> Found {
    match fs::read(root.join(FOLDER).join(name)) {
        Ok(content) => match serde_json::from_slice::<Record>(&content) {
            Ok(record) => match (record.netns, namespace(root)) {
                (Some(its), Some(ours)) if its != ours => Found::Elsewhere,
                _ => Found::Record(record),
            },
            Err(_) => Found::Unreadable(REMEDY.to_owned()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

/// The network namespace of this process; `None` where `/proc` does not tell.
fn namespace(root: &Path) -> Option<u64> {
    let file = fs::metadata(root.join("proc/self/ns/net")).ok()?;
    Some(file.ino())
}

/// The right to change bridges and records, which one process has at a time.
/// It ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    folder: PathBuf,
    namespace: Option<u64>,
    _file: File,
}

impl Lock {
    /// Waits for the right, and makes the folder.
    ///
    /// # Errors
    /// [`Error::System`]: without privilege, "Permission denied".
    pub fn take(root: &Path) -> Result<Self, Error> {
        let folder = root.join(FOLDER);
        let failed = |error: io::Error| {
            Error::system(format!("take the lock in {}", folder.display()), error)
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&folder)
            .map_err(failed)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            // Who may not change bridges may not keep others from it either.
            .mode(0o600)
            .open(folder.join(LOCK))
            .map_err(failed)?;
        let whole_file = libc::flock {
            l_type: libc::F_WRLCK as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        loop {
            match fcntl(&file, FcntlArg::F_OFD_SETLKW(&whole_file)) {
                Ok(_) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(failed(errno.into())),
            }
        }
        // Whoever left it is dead, and its record was not to be read by anybody.
        let _ = fs::remove_file(folder.join(UNFINISHED));
        Ok(Self {
            folder,
            namespace: namespace(root),
            _file: file,
        })
    }

    /// Writes the record in one go: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn write(&self, record: &Record) -> Result<(), Error> {
        let unfinished = self.folder.join(UNFINISHED);
        let path = self.folder.join(&record.name);
        let write = || -> io::Result<()> {
            let mut content = serde_json::to_vec(&Record {
                netns: self.namespace,
                ..record.clone()
            })?;
            content.push(b'\n');
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o644)
                .open(&unfinished)?;
            file.write_all(&content)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|error| {
            // The first error is the one to tell.
            let _ = fs::remove_file(&unfinished);
            Error::system(format!("write {}", path.display()), error)
        })
    }

    /// Removes the record, if there is one.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::system(format!("remove {}", path.display()), error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            name: "xenbr0".to_owned(),
            ifindex: 7,
            netns: None,
            made: true,
            ports: vec![AddedPort {
                name: "eth0".to_owned(),
                ifindex: 2,
                brought_up: true,
            }],
            addresses: vec!["172.16.0.1/16".to_owned()],
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
            "{\"name\":\"xenbr0\",\"ifindex\":7,\"made\":true,\"ports\":[{\"name\":\"eth0\",\
             \"ifindex\":2,\"brought_up\":true}],\"addresses\":[\"172.16.0.1/16\"]}\n"
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
        assert!(found.of("xenbr0", 7).unwrap().is_some());
        assert!(found.of("xenbr0", 8).unwrap().is_none());
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(root.path().join(FOLDER).join("xenbr0"), "{").unwrap();
        let error = read(root.path(), "xenbr0").of("xenbr0", 7).unwrap_err();
        assert_eq!(error.exit_status(), 6);
        assert_eq!(
            error.to_string(),
            "/run/xen-bridge/xenbr0: not a record of xen-bridge; \
             remove the file if the bridge is not to be taken down by it"
        );
    }

    #[test]
    fn says_of_an_intent_that_the_bridge_is_ours() {
        let found = Found::Record(Record::of_intent("xenbr0"));
        assert!(found.of("xenbr0", 7).unwrap().is_some_and(|it| it.made));
    }

    #[test]
    fn cleans_away_what_an_earlier_run_did_not_finish() {
        let root = tempfile::tempdir().unwrap();
        let unfinished = root.path().join(FOLDER).join(UNFINISHED);
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(&unfinished, "{").unwrap();
        Lock::take(root.path()).unwrap();
        assert!(!unfinished.exists());
    }
}
