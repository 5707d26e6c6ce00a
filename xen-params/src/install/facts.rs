//! What is in the folder and in `/boot`, read before anything is decided.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::{Backup, Fingerprint, ForeignRecord, LINK, PARAMS, Record, SAFE, hypervisor};
use crate::Error;
use crate::format::{compare, names_after};
use crate::target::{below, is_absent};

/// What has a name now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A symbolic link, and where it points.
    Link(PathBuf),
    /// A file, and what it holds.
    File(Fingerprint),
    /// Anything else, in words.
    Other(&'static str),
}

impl Found {
    /// The record's line for it; `None` for what is never written.
    #[must_use]
    pub fn recorded(&self, name: &str) -> Option<String> {
        match self {
            Self::Link(target) => Some(format!("{name} link {}", target.display())),
            Self::File(fingerprint) => Some(format!("{name} file {fingerprint}")),
            Self::Nothing | Self::Other(_) => None,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::system(format!("look at {}", path.display()), error);
        let kind = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if is_absent(&error) => return Ok(Self::Nothing),
            Err(error) => return Err(failed(error)),
        };
        if kind.is_symlink() {
            return fs::read_link(path).map(Self::Link).map_err(failed);
        }
        if kind.is_file() {
            let content = fs::read(path)
                .map_err(|error| Error::system(format!("read {}", path.display()), error))?;
            return Ok(Self::File(Fingerprint::of(&content)));
        }
        Ok(Self::Other(if kind.is_dir() {
            "a folder"
        } else {
            "neither file, link nor folder"
        }))
    }
}

/// Everything that decides what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The folder, below the root.
    pub dir: PathBuf,
    /// What has its name.
    pub dir_found: Found,
    /// It is `/boot`, or GRUB's own folder lies in it.
    pub seen_by_grub: bool,
    /// What is recorded there.
    pub record: Record,
    /// What stands in the record's place.
    pub foreign_record: Option<ForeignRecord>,
    /// What has the link's name.
    pub link: Found,
    /// What has the line's name.
    pub params: Found,
    /// What has the name of the line to fall back on.
    pub safe: Found,
    /// Where what has one of these names is kept, in this order.
    pub backups: [Backup; 3],
    /// The hypervisor's file, as it can be read now.
    pub source: PathBuf,
    /// What it holds.
    pub source_fingerprint: Fingerprint,
    /// The file that says that a reboot is needed, unless it is there already
    /// or nobody could read it: the root is another system's, or has no /run.
    pub marker: Option<PathBuf>,
}

impl Facts {
    /// Reads below `root`.
    ///
    /// # Errors
    /// The hypervisor's file is none, or something cannot be read.
    pub fn read(root: &Path, dir: &Path, hypervisor: &Path) -> Result<Self, Error> {
        let dir = below(root, dir);
        let source = below(root, hypervisor);
        let source_fingerprint = read_hypervisor(&source)?;
        let (record, foreign_record) = Record::read(&dir)?;
        let backup = |name: &str| {
            // It was recorded by the name that it had.
            let is_ours = |_: &Path, found: &Found| {
                let line = found.recorded(name);
                Ok(line.is_some_and(|line| record.holds(&line)))
            };
            Backup::read(&dir.join(name), &is_ours)
        };
        Ok(Self {
            backups: [backup(LINK)?, backup(PARAMS)?, backup(SAFE)?],
            dir_found: if dir.is_dir() {
                Found::Other("a folder")
            } else {
                Found::read(&dir)?
            },
            seen_by_grub: seen_by_grub(root, &dir)?,
            record,
            foreign_record,
            link: Found::read(&dir.join(LINK))?,
            params: Found::read(&dir.join(PARAMS))?,
            safe: Found::read(&dir.join(SAFE))?,
            source,
            source_fingerprint,
            marker: marker(root),
            dir,
        })
    }
}

/// The file that says that a reboot is needed, unless it is there already or
/// nobody could read it.
#[must_use]
pub fn marker(root: &Path) -> Option<PathBuf> {
    let run = Path::new("/run");
    let marker = run.join("reboot-required");
    (root == Path::new("/") && run.is_dir() && !marker.exists()).then_some(marker)
}

/// Refuses a path that leads out of `root`, by `..` or by a link.
///
/// # Errors
/// [`Error::Setting`], with the option that gave the path.
pub fn stays_below(root: &Path, path: &Path, option: &str) -> Result<(), Error> {
    if root == Path::new("/") {
        return Ok(());
    }
    let mut depth = 0_usize;
    let climbs_out = path.components().any(|part| match part {
        Component::ParentDir if depth == 0 => true,
        Component::ParentDir => {
            depth -= 1;
            false
        }
        Component::Normal(_) => {
            depth += 1;
            false
        }
        _ => false,
    });
    // What is not there yet is where the folder above it is.
    let whole = below(root, path);
    let real = whole
        .ancestors()
        .find_map(|above| fs::canonicalize(above).ok());
    let is_elsewhere = match (real, fs::canonicalize(root)) {
        (Some(real), Ok(root)) => !real.starts_with(root),
        _ => false,
    };
    if climbs_out || is_elsewhere {
        let what = format!("{}: leads out of --root", path.display());
        return Err(Error::setting(option, what));
    }
    Ok(())
}

/// The folder, already below the root, is `/boot`, or GRUB's own lies in it.
pub(crate) fn seen_by_grub(root: &Path, dir: &Path) -> Result<bool, Error> {
    Ok(is_same(dir, &below(root, Path::new("/boot")))?
        || ["grub", "grub2"].iter().any(|name| dir.join(name).is_dir()))
}

/// One folder by two names: by a link, a mount or a detour.
fn is_same(a: &Path, b: &Path) -> Result<bool, Error> {
    let inode = |path: &Path| match fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::system(format!("look at {}", path.display()), error)),
    };
    Ok(match (inode(a)?, inode(b)?) {
        (Some(a), Some(b)) => a == b,
        // Neither is there yet.
        (None, None) => a.components().eq(b.components()),
        _ => false,
    })
}

pub(crate) fn read_hypervisor(path: &Path) -> Result<Fingerprint, Error> {
    let failed = |error: io::Error| {
        if is_absent(&error) {
            Error::NoHypervisor {
                looked_at: path.to_path_buf(),
            }
        } else {
            Error::system(format!("read {}", path.display()), error)
        }
    };
    let unfit = |what: &str| Error::Unfit {
        path: path.to_path_buf(),
        what: what.to_owned(),
    };
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unfit("not a file"));
    }
    let content = fs::read(path).map_err(failed)?;
    match hypervisor::unfit(&content) {
        None => Ok(Fingerprint::of(&content)),
        Some(what) => Err(unfit(what)),
    }
}

/// The newest `/boot/xen-*.gz` below `root`, as the system there names it.
///
/// # Errors
/// There is none, or the folder cannot be read.
pub fn find_hypervisor(root: &Path) -> Result<PathBuf, Error> {
    newest(root, ".gz")
}

/// The newest `/boot/xen-*.efi` below `root`, as the system there names it.
///
/// # Errors
/// There is none, or the folder cannot be read.
pub fn find_efi(root: &Path) -> Result<PathBuf, Error> {
    newest(root, ".efi")
}

fn newest(root: &Path, ending: &str) -> Result<PathBuf, Error> {
    let boot = below(root, Path::new("/boot"));
    let newest = names_after(&boot, "xen-")?
        .into_iter()
        // xen-syms-* are symbols, for a debugger.
        .filter_map(|rest| rest.strip_suffix(ending).map(str::to_owned))
        .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        .max_by(|a, b| compare(a, b));
    match newest {
        Some(version) => Ok(Path::new("/boot").join(format!("xen-{version}{ending}"))),
        None => Err(Error::NoHypervisor {
            looked_at: boot.join(format!("xen-*{ending}")),
        }),
    }
}
