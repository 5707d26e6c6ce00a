//! What has to be done, decided from what was read.

use std::path::{Path, PathBuf};

use super::{Facts, Fingerprint, Found, LINK, PARAMS, RECORD, SAFE};
use crate::Error;

/// What is to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where `xen.gz` points: an absolute path, as the system itself has it.
    pub target: PathBuf,
    /// The line, without a newline.
    pub line: String,
    /// The line to fall back on, where it is asked for.
    pub safe: Option<String>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a folder, and those above it.
    MakeFolder(PathBuf),
    /// Keep what has a name under another one too.
    Keep {
        /// The name.
        path: PathBuf,
        /// The other one; what had it is gone.
        kept: PathBuf,
    },
    /// Write a file.
    Write {
        /// Where.
        path: PathBuf,
        /// The whole text.
        text: String,
    },
    /// Make a link, or a copy where the file system has no links.
    Link {
        /// Where.
        path: PathBuf,
        /// Where it points.
        target: PathBuf,
        /// The file to copy.
        source: PathBuf,
    },
    /// Copy a file.
    Copy {
        /// Where to.
        path: PathBuf,
        /// Where from.
        source: PathBuf,
    },
    /// Unpack a file that gzip packed.
    Unpack {
        /// Where to.
        path: PathBuf,
        /// Where from.
        source: PathBuf,
    },
    /// Remove a file.
    Remove(PathBuf),
    /// Tell that the system needs a reboot.
    Mark(PathBuf),
}

impl Step {
    /// The same as a shell command, quoted. What has a name goes first, for a
    /// shell would write through a link, into what is somebody else's.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::MakeFolder(path) => format!("mkdir -p {}", quoted(path)),
            Self::Keep { path, kept } => {
                let (path, kept) = (quoted(path), quoted(kept));
                format!("rm -f {kept} && cp -a {path} {kept}")
            }
            Self::Write { path, text } => {
                let lines = text.lines().map(str::to_owned);
                let lines: Vec<String> = if text.lines().count() == 0 {
                    vec![String::new()]
                } else {
                    lines.collect()
                };
                let (lines, path) = (shell_words::join(lines), quoted(path));
                format!(r"rm -f {path} && printf '%s\n' {lines} > {path}")
            }
            Self::Link { path, target, .. } => {
                format!("ln -sfn {} {}", quoted(target), quoted(path))
            }
            Self::Copy { path, source } => {
                let (source, path) = (quoted(source), quoted(path));
                format!("rm -f {path} && cp {source} {path}")
            }
            Self::Unpack { path, source } => {
                let (source, path) = (quoted(source), quoted(path));
                format!("rm -f {path} && gzip -dc {source} > {path}")
            }
            Self::Remove(path) => format!("rm -f {}", quoted(path)),
            Self::Mark(path) => format!("touch {}", quoted(path)),
        }
    }

    /// What was done, in words.
    #[must_use]
    pub fn done(&self) -> String {
        match self {
            Self::MakeFolder(path) => format!("made folder {}", path.display()),
            Self::Keep { path, kept } => {
                format!("kept {} as {}", path.display(), kept.display())
            }
            Self::Write { path, .. } => format!("wrote {}", path.display()),
            Self::Link { path, target, .. } => {
                format!("linked {} to {}", path.display(), target.display())
            }
            Self::Copy { path, source } => {
                format!("copied {} to {}", source.display(), path.display())
            }
            Self::Unpack { path, source } => {
                format!("unpacked {} to {}", source.display(), path.display())
            }
            Self::Remove(path) => format!("removed {}", path.display()),
            Self::Mark(path) => format!("made {}", path.display()),
        }
    }
}

fn quoted(path: &Path) -> String {
    shell_words::quote(&path.display().to_string()).into_owned()
}

/// The steps that make it true; none where it is already.
///
/// # Errors
/// The folder is GRUB's or none, or a name is taken by what this program did
/// not write and `force` is not set.
pub fn plan(facts: &Facts, wanted: &Wanted, force: bool) -> Result<Vec<Step>, Error> {
    if facts.seen_by_grub {
        return Err(Error::BootFolder {
            dir: facts.dir.clone(),
        });
    }
    let mut steps = vec![];
    match &facts.dir_found {
        Found::Nothing => steps.push(Step::MakeFolder(facts.dir.clone())),
        Found::Other("a folder") => {}
        _ => {
            return Err(Error::Unfit {
                path: facts.dir.clone(),
                what: "not a folder".to_owned(),
            });
        }
    }
    let link = Found::Link(wanted.target.clone());
    // A copy is as good where it is one.
    let copy = Found::File(facts.source_fingerprint);
    let relink = facts.link != link && facts.link != copy;
    let text = |line: &String| format!("{line}\n");
    let texts = [
        (PARAMS, &facts.params, Some(text(&wanted.line))),
        (SAFE, &facts.safe, wanted.safe.as_ref().map(text)),
    ]
    .map(|(name, found, text)| {
        let made = |text: &String| Found::File(Fingerprint::of(text.as_bytes()));
        (name, found, text.filter(|text| made(text) != *found))
    });
    let mut record = super::Record::default();
    let mut keep = vec![];
    let mut names = vec![(LINK, &facts.link, relink)];
    names.extend(
        texts
            .iter()
            .map(|(name, found, text)| (*name, *found, text.is_some())),
    );
    for ((name, found, change), backup) in names.into_iter().zip(&facts.backups) {
        // What was kept of ours stays ours.
        backup
            .found
            .recorded(name)
            .into_iter()
            .for_each(|line| record.add(line));
        let path = facts.dir.join(name);
        match found.recorded(name) {
            Some(line) if facts.record.holds(&line) => {
                record.add(line);
                if change {
                    // What it was can be had back.
                    keep.extend(backup.kept(path, found)?);
                }
            }
            _ if change => keep.extend(backup.foreign(path, found, force)?),
            _ => {}
        }
    }
    let mut changes = vec![];
    if relink {
        let made = [link.recorded(LINK), copy.recorded(LINK)];
        made.into_iter().flatten().for_each(|line| record.add(line));
        changes.push(Step::Link {
            path: facts.dir.join(LINK),
            target: wanted.target.clone(),
            source: facts.source.clone(),
        });
    }
    for (name, _, text) in texts {
        let Some(text) = text else { continue };
        let made = Found::File(Fingerprint::of(text.as_bytes()));
        made.recorded(name)
            .into_iter()
            .for_each(|line| record.add(line));
        changes.push(Step::Write {
            path: facts.dir.join(name),
            text,
        });
    }
    if changes.is_empty() {
        return Ok(vec![]);
    }
    if let Some(foreign) = &facts.foreign_record {
        keep.extend(foreign.kept(force)?);
    }
    steps.extend(keep);
    steps.push(Step::Write {
        path: facts.dir.join(RECORD),
        text: record.to_string(),
    });
    steps.extend(changes);
    steps.extend(facts.marker.clone().map(Step::Mark));
    Ok(steps)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
