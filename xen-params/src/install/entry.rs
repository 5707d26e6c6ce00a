//! The files of a boot entry: which, and what has to be done for them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::copies::{record_steps, stale_copies};
use super::{Backup, Fingerprint, ForeignRecord, Found, Record, Step, unpack};
use crate::Error;
use crate::target::{below, read_if_there};

/// What a file is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text with a sum in its first line, by which it is known as ours.
    Signed(String),
    /// A marked block in a file that is somebody else's.
    Block(String),
    /// What another file holds; the folder's record tells whose it is.
    Copy(PathBuf),
    /// What gzip packed into another file.
    Unpacked(PathBuf),
}

/// A file of a boot entry, and what is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFile {
    /// Where.
    pub path: PathBuf,
    /// What it is to be.
    pub wanted: Content,
    /// What has its name.
    pub found: Found,
    /// Its text, where it is one that matters.
    pub text: Option<String>,
    /// Where that is kept before it is replaced.
    pub backup: Backup,
    /// The record beside it.
    pub record: Record,
    /// What stands in the record's place.
    pub foreign_record: Option<ForeignRecord>,
    /// What the file to copy holds.
    pub source: Option<Fingerprint>,
}

const BEGIN: &str = "# BEGIN xen-params ";
const END: &str = "# END xen-params";
const SIGNED: &str = "# Made by xen-params, sum ";

impl EntryFile {
    /// Reads what is there.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn read(path: PathBuf, wanted: Content) -> Result<Self, Error> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let (record, foreign_record) = Record::read(folder)?;
        let source = match &wanted {
            Content::Copy(source) | Content::Unpacked(source) => {
                let content = fs::read(source)
                    .map_err(|error| Error::system(format!("read {}", source.display()), error))?;
                Some(match &wanted {
                    Content::Unpacked(_) => Fingerprint::of(&unpack(source, &content)?),
                    _ => Fingerprint::of(&content),
                })
            }
            _ => None,
        };
        let found = Found::read(&path)?;
        let is_ours = |path: &Path, found: &Found| match (&wanted, found) {
            (Content::Signed(_), Found::File(_)) => {
                Ok(read_if_there(path)?.is_some_and(|text| is_signed(&text)))
            }
            (Content::Block(body), Found::File(_)) => {
                let text = read_if_there(path)?.unwrap_or_default();
                let has_ours = |(_, is_ours)| is_ours && text.contains(BEGIN);
                Ok(with_block(&text, body).is_some_and(has_ours))
            }
            _ => Ok(false),
        };
        Ok(Self {
            backup: Backup::read(&path, &is_ours)?,
            text: match found {
                Found::File(_) | Found::Link(_) if source.is_none() => read_if_there(&path)?,
                _ => None,
            },
            found,
            record,
            foreign_record,
            source,
            path,
            wanted,
        })
    }

    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// What has to be done; nothing where it is so already.
    fn steps(&self, force: bool) -> Result<Vec<Step>, Error> {
        if let Found::Other(_) = self.found {
            self.backup.kept(self.path.clone(), &self.found)?;
        }
        let present = self.text.as_deref();
        let (text, is_ours) = match &self.wanted {
            Content::Signed(body) => (signed(body), present.is_none_or(is_signed)),
            Content::Block(body) => {
                let (text, is_ours) = with_block(present.unwrap_or_default(), body)
                    .ok_or_else(|| self.unfit(format!("{BEGIN:?} without {END:?} after it")))?;
                // A file in its place would cut somebody's link.
                (text, is_ours && !matches!(self.found, Found::Link(_)))
            }
            Content::Copy(_) | Content::Unpacked(_) => return self.copy_steps(force),
        };
        if present == Some(text.as_str()) {
            return Ok(vec![]);
        }
        let mut steps = vec![];
        if !is_ours {
            steps.extend(self.backup.foreign(self.path.clone(), &self.found, force)?);
        } else if present.is_some() {
            // What it was can be had back.
            steps.extend(self.backup.kept(self.path.clone(), &self.found)?);
        }
        steps.push(Step::Write {
            path: self.path.clone(),
            text,
        });
        Ok(steps)
    }

    fn copy_steps(&self, force: bool) -> Result<Vec<Step>, Error> {
        let wanted = self.source.map(Found::File);
        if wanted.as_ref() == Some(&self.found) {
            return Ok(vec![]);
        }
        let recorded = self.found.recorded(&self.name());
        let is_ours = recorded.is_some_and(|line| self.record.holds(&line));
        let mut steps = vec![];
        if !is_ours {
            steps.extend(self.backup.foreign(self.path.clone(), &self.found, force)?);
        }
        let path = self.path.clone();
        steps.extend(match self.wanted.clone() {
            Content::Copy(source) => Some(Step::Copy { path, source }),
            Content::Unpacked(source) => Some(Step::Unpack { path, source }),
            Content::Signed(_) | Content::Block(_) => None,
        });
        Ok(steps)
    }

    fn unfit(&self, what: String) -> Error {
        Error::Unfit {
            path: self.path.clone(),
            what,
        }
    }
}

/// The steps for all files; none where everything is so already. `boot` is the
/// folder that kernels are copied from: a copy of one that is gone there goes too.
///
/// # Errors
/// A name is taken by what this program did not write, and `force` is not set.
pub fn plan_entry(
    files: &[EntryFile],
    boot: &Path,
    marker: Option<PathBuf>,
    force: bool,
) -> Result<Vec<Step>, Error> {
    let mut changes = vec![];
    let mut folders: Vec<&Path> = vec![];
    for file in files {
        changes.extend(file.steps(force)?);
        let folder = file.path.parent().unwrap_or(Path::new("/"));
        if !folder.is_dir() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let stale = stale_copies(files, boot)?;
    if changes.is_empty() && stale.is_empty() {
        return Ok(vec![]);
    }
    let folders = folders.into_iter();
    let mut steps: Vec<Step> = folders
        .map(|folder| Step::MakeFolder(folder.to_path_buf()))
        .collect();
    steps.extend(record_steps(files, &changes, &stale, force)?);
    steps.extend(changes);
    steps.extend(stale.into_iter().map(Step::Remove));
    steps.extend(marker.map(Step::Mark));
    Ok(steps)
}

/// Where grub-mkconfig below `root` looks for `GRUB_CMDLINE_XEN`.
///
/// # Errors
/// There is no GRUB.
pub fn grub_settings(root: &Path, body: String) -> Result<(PathBuf, Content), Error> {
    let at = |path: &str| below(root, Path::new(path));
    let folder = at("/etc/default/grub.d");
    let whole = at("/etc/default/grub");
    let scripts = ["grub-mkconfig", "grub2-mkconfig"];
    let mut script = None;
    for name in scripts {
        if script.is_none() {
            script = read_if_there(&at(&format!("/usr/sbin/{name}")))?;
        }
    }
    let reads_folder = script.map_or(folder.is_dir(), |text| text.contains("default/grub.d"));
    if reads_folder {
        Ok((folder.join("zz-xen-dom0.cfg"), Content::Signed(body)))
    } else if whole.exists() {
        Ok((whole, Content::Block(body)))
    } else {
        Err(Error::NoKernel {
            what: format!("{}: no such file, so there is no GRUB", whole.display()),
        })
    }
}

/// The file beside `grub.cfg` that it reads entries from.
///
/// # Errors
/// There is no GRUB.
pub fn grub_custom(root: &Path) -> Result<PathBuf, Error> {
    let folders = ["/boot/grub", "/boot/grub2"].map(|path| below(root, Path::new(path)));
    match folders.iter().find(|folder| folder.is_dir()) {
        Some(folder) => Ok(folder.join("custom.cfg")),
        None => Err(Error::NoKernel {
            what: format!(
                "{}: no such folder, so there is no GRUB",
                folders[0].display()
            ),
        }),
    }
}

fn sum(body: &str) -> impl fmt::Display {
    Fingerprint::of(body.as_bytes())
}

fn signed(body: &str) -> String {
    format!("{SIGNED}{}\n{body}", sum(body))
}

/// It is as this program wrote it.
fn is_signed(text: &str) -> bool {
    let rest = text.strip_prefix(SIGNED).unwrap_or_default();
    let (told, body) = rest.split_once('\n').unwrap_or_default();
    !told.is_empty() && told == sum(body).to_string()
}

/// The text with the block in place of the one that it has, or at its end, and
/// whether that one was ours; `None` where a block does not end. Settings of
/// GRUB's that a later line would take back go to the end anew.
fn with_block(text: &str, body: &str) -> Option<(String, bool)> {
    let block = format!("{BEGIN}{}\n{body}{END}\n", sum(body));
    let Some(begin) = begin_of_block(text) else {
        return Some((at_end(text, &block), true));
    };
    let (before, rest) = text.split_at(begin);
    let (told, rest) = rest[BEGIN.len()..].split_once('\n')?;
    let end = format!("{END}\n");
    let (old, after) = rest.split_once(&end)?;
    let is_ours = told == sum(old).to_string();
    let is_set = |text: &str| text.lines().any(sets_xen);
    let text = if is_set(body) && is_set(after) {
        at_end(&format!("{before}{after}"), &block)
    } else {
        format!("{before}{block}{after}")
    };
    Some((text, is_ours))
}

/// Where the block is that this program put there.
pub(crate) fn begin_of_block(text: &str) -> Option<usize> {
    let mut begins = text.match_indices(BEGIN).map(|(at, _)| at);
    begins.find(|at| *at == 0 || text[..*at].ends_with('\n'))
}

/// It is an assignment of what grub-mkconfig puts on the hypervisor's line.
fn sets_xen(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, _) = line.split_once('=').unwrap_or_default();
    let name = name.strip_suffix('+').unwrap_or(name);
    ["GRUB_CMDLINE_XEN", "GRUB_CMDLINE_XEN_DEFAULT"].contains(&name)
}

fn at_end(text: &str, block: &str) -> String {
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{gap}{block}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_replaces_its_own_and_leaves_the_rest() {
        let (once, _) = with_block("A=1", "X=1\n").unwrap();
        assert!(once.starts_with("A=1\n# BEGIN xen-params "));
        let with_more = format!("{once}B=2\n");
        let (twice, is_ours) = with_block(&with_more, "X=2\n").unwrap();
        assert!(is_ours && twice.starts_with("A=1\n") && twice.ends_with("B=2\n"));
        assert!(twice.contains("X=2\n") && !twice.contains("X=1"));
        assert_eq!(with_block(&twice, "X=2\n").unwrap().0, twice);
        let by_hand = twice.replace("X=2", "X=3");
        assert!(!with_block(&by_hand, "X=4\n").unwrap().1);
        assert_eq!(with_block("# BEGIN xen-params 0\nX", "Y\n"), None);
    }

    #[test]
    fn a_block_of_settings_goes_behind_a_line_that_takes_them_back() {
        let body = "GRUB_CMDLINE_XEN='smt=0'\n";
        let (once, _) = with_block("A=1\n", body).unwrap();
        for late in [
            "GRUB_CMDLINE_XEN=late",
            "  export GRUB_CMDLINE_XEN_DEFAULT+=late",
        ] {
            let (moved, is_ours) = with_block(&format!("{once}{late}"), body).unwrap();
            let block = once.strip_prefix("A=1\n").unwrap();
            assert_eq!(moved, format!("A=1\n{late}\n{block}"));
            assert!(is_ours);
            assert_eq!(with_block(&moved, body).unwrap().0, moved);
        }
        for other in ["GRUB_CMDLINE_LINUX=ro\n", "# GRUB_CMDLINE_XEN=late\n"] {
            let text = format!("{once}{other}");
            assert_eq!(with_block(&text, body).unwrap().0, text);
        }
    }

    #[test]
    fn a_signed_text_is_known_until_it_is_changed() {
        let text = signed("X=1\n");
        assert!(is_signed(&text) && !is_signed(&text.replace('1', "2")));
        assert!(!is_signed("") && !is_signed("X=1\n"));
    }
}
