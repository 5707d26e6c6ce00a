//! What this program wrote into a folder.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Backup, Found, RECORD, Step};
use crate::Error;
use crate::target::read_if_there;

/// What a file holds, short enough to be written down. Made to notice that
/// somebody changed a file, not to withstand one who wants to hide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    length: usize,
    hash: u64,
}

impl Fingerprint {
    /// The fingerprint of a content: its length and its FNV-1a hash.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let hash = content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self {
            length: content.len(),
            hash,
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x} {}", self.hash, self.length)
    }
}

/// The lines of the record: `NAME link TARGET` or `NAME file HASH LENGTH`. One
/// name may have several: the record is written before the files, so that it
/// is right whether or not they follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    lines: Vec<String>,
}

const HEADING: &str =
    "# What xen-params wrote here. A file that is not so any more is not replaced.";

/// What has the record's name and is none of ours: it allows nothing, and is
/// not replaced unless that is forced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRecord {
    path: PathBuf,
    found: Found,
    backup: Backup,
}

impl ForeignRecord {
    /// What must be done before the record is written in its place.
    pub(super) fn kept(&self, force: bool) -> Result<Option<Step>, Error> {
        self.backup.foreign(self.path.clone(), &self.found, force)
    }
}

impl Record {
    /// The record of a folder; an empty one beside what is none of ours.
    ///
    /// # Errors
    /// Something cannot be read.
    pub(super) fn read(folder: &Path) -> Result<(Self, Option<ForeignRecord>), Error> {
        let path = folder.join(RECORD);
        let found = Found::read(&path)?;
        let text = match found {
            Found::Nothing => return Ok((Self::default(), None)),
            Found::File(_) => read_if_there(&path)?.unwrap_or_default(),
            Found::Link(_) | Found::Other(_) => String::new(),
        };
        if text.lines().next() == Some(HEADING) {
            return Ok((Self::parse(&text), None));
        }
        let backup = Backup::read(&path, &|_, _| Ok(false))?;
        let foreign = ForeignRecord {
            path,
            found,
            backup,
        };
        Ok((Self::default(), Some(foreign)))
    }

    /// Reads the file's text. A line that says nothing allows nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self {
            lines: lines.map(str::to_owned).collect(),
        }
    }

    /// The line for what has a name, as [`super::Found::recorded`] writes it.
    #[must_use]
    pub fn holds(&self, line: &str) -> bool {
        self.lines.iter().any(|known| known == line)
    }

    /// The names of the files, one as often as it was written.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.lines
            .iter()
            .filter_map(|line| line.split_once(" file ").map(|(name, _)| name))
    }

    /// Takes all lines of a name out.
    pub(super) fn forget(&mut self, name: &str) {
        self.lines.retain(|line| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            !rest.starts_with(" file ") && !rest.starts_with(" link ")
        });
    }

    /// Adds a line unless it is there.
    pub fn add(&mut self, line: String) {
        if !self.holds(&line) {
            self.lines.push(line);
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEADING}\n{}\n", self.lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let mut record = Record::default();
        record.add("xen.gz link /boot/xen-4.17-amd64.gz".to_owned());
        record.add(format!("xen-params file {}", Fingerprint::of(b"x\n")));
        record.add("xen.gz link /boot/xen-4.17-amd64.gz".to_owned());
        assert_eq!(record.lines.len(), 2);
        assert_eq!(Record::parse(&record.to_string()), record);
    }

    #[test]
    fn forgets_one_name_and_no_other() {
        let mut record = Record::parse("a file 1 2\na link /x\na b file 3 4\n");
        assert_eq!(record.files().collect::<Vec<_>>(), ["a", "a b"]);
        record.forget("a");
        assert_eq!(record, Record::parse("a b file 3 4\n"));
    }

    #[test]
    fn two_contents_have_two_fingerprints() {
        assert_ne!(
            Fingerprint::of(b"dom0_mem=1G\n"),
            Fingerprint::of(b"dom0_mem=2G\n")
        );
        assert_eq!(Fingerprint::of(b"").to_string(), "cbf29ce484222325 0");
    }
}
