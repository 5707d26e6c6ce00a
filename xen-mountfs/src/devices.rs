//! The device nodes in `/dev/xen`, and what sysfs says of them.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use crate::Error;
use crate::facts::{below, read_if_there};

/// The devices, and whether every toolstack opens it. The others belong to
/// modules that a kernel may well lack.
pub const NAMES: [(&str, bool); 7] = [
    ("evtchn", true),
    ("gntdev", true),
    ("privcmd", true),
    ("xenbus", true),
    ("gntalloc", false),
    ("hypercall", false),
    ("xenbus_backend", false),
];

/// What has the name of a device node now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A character device.
    CharacterDevice {
        /// Its major number.
        major: u64,
        /// Its minor number.
        minor: u64,
        /// Who may read and write it: the last nine bits of its mode.
        mode: u32,
    },
    /// A folder.
    Folder,
    /// Anything else, in words.
    Other(&'static str),
}

/// One of the [`NAMES`], as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the node belongs, such as `/dev/xen/evtchn`.
    pub path: PathBuf,
    /// Every toolstack opens it.
    pub required: bool,
    /// The driver's major and minor number, from `/sys/class/misc`; `None`
    /// where no driver offers it.
    pub driver: Option<(u64, u64)>,
    /// What is there now.
    pub found: Found,
}

/// Reads what sysfs and `/dev/xen` hold, below `root`.
///
/// # Errors
/// A file of sysfs that cannot be read or holds no device number; `/dev/xen`
/// is no folder; [`Error::NoSys`].
pub fn read_nodes(root: &Path) -> Result<Vec<Node>, Error> {
    // There whatever drivers there are.
    if !below(root, Path::new("/sys/class/misc")).is_dir() {
        return Err(Error::NoSys {
            root: root.to_path_buf(),
        });
    }
    let folder = below(root, Path::new("/dev/xen"));
    if folder.is_symlink() && !folder.is_dir() {
        // As one that leads nowhere it would look like a folder without nodes.
        return Err(Error::NoFolder { path: folder });
    }
    NAMES
        .iter()
        .map(|(name, required)| {
            let path = PathBuf::from(format!("/dev/xen/{name}"));
            Ok(Node {
                required: *required,
                driver: read_driver(root, name)?,
                found: look_at(&below(root, &path))?,
                path,
            })
        })
        .collect()
}

/// sysfs writes the slash of `xen/evtchn` as an exclamation mark.
fn read_driver(root: &Path, name: &str) -> Result<Option<(u64, u64)>, Error> {
    let path = below(root, Path::new(&format!("/sys/class/misc/xen!{name}/dev")));
    let Some(content) = read_if_there(&path)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&content);
    text.trim()
        .split_once(':')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
        .map(Some)
        .ok_or_else(|| Error::Unreadable {
            path,
            what: format!("{:?} is no device number", text.trim()),
        })
}

fn look_at(path: &Path) -> Result<Found, Error> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Error::NoFolder {
                path: path.parent().unwrap_or(path).to_path_buf(),
            });
        }
        Err(error) => return Err(Error::system(format!("look at {}", path.display()), error)),
    };
    let kind = metadata.file_type();
    Ok(if kind.is_char_device() {
        Found::CharacterDevice {
            major: major(metadata.rdev()),
            minor: minor(metadata.rdev()),
            mode: metadata.mode() & 0o777,
        }
    } else if kind.is_file() {
        Found::Other("a file")
    } else if kind.is_symlink() {
        Found::Other("a link")
    } else if kind.is_dir() {
        Found::Folder
    } else {
        Found::Other("neither file, link nor character device")
    })
}
