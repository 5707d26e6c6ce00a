//! What is there: Xen, mounts, capabilities.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::Error;

/// One line of `/proc/self/mountinfo` (proc(5)), as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its number.
    pub id: u32,
    /// The number of the mount that it stands on.
    pub parent: u32,
    /// The mount point, its octal escapes undone.
    pub target: PathBuf,
    /// The type, such as `xenfs`.
    pub filesystem: String,
}

impl Mount {
    /// The mounts of a mountinfo file, in its order, which is not that in which
    /// they cover each other: that of a `mount --move` is the older one.
    #[must_use]
    pub fn parse_all(mountinfo: &[u8]) -> Vec<Self> {
        mountinfo
            .split(|byte| *byte == b'\n')
            .filter_map(Self::parse)
            .collect()
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let (id, parent) = (number()?, number()?);
        let target = fields.nth(2)?;
        // Optional fields end with a lone dash; the type follows it.
        let filesystem = fields.skip_while(|field| *field != b"-").nth(1)?;
        Some(Self {
            id,
            parent,
            target: PathBuf::from(OsString::from_vec(unescape(target))),
            filesystem: String::from_utf8_lossy(&unescape(filesystem)).into_owned(),
        })
    }

    /// What is mounted on the target and met there, the topmost last: the way
    /// of the kernel along the path, from each mount to the one that stands on
    /// it there. What is below a mount that covers a folder on the way is not
    /// met, though mountinfo lists it.
    #[must_use]
    pub fn layers<'a>(mounts: &'a [Self], target: &Path) -> Vec<&'a Self> {
        let mut layers = vec![];
        let mut on = None;
        let mut way: Vec<&Path> = target.ancestors().collect();
        while let Some(place) = way.pop() {
            layers.clear();
            // Never more, even if the text goes round in a circle.
            while layers.len() < mounts.len() {
                let stands_here =
                    |mount: &&Self| mount.target == place && mount.parent_in(mounts) == on;
                let Some(mount) = mounts.iter().rfind(stands_here) else {
                    break;
                };
                layers.push(mount);
                on = Some(mount.id);
                // What comes to stand on the root of a process is not met by it.
                if place == Path::new("/") {
                    break;
                }
            }
        }
        layers
    }

    /// `None` for the topmost that this process can see: its root, or (after
    /// a chroot(2) to a mere folder) each below that.
    fn parent_in(&self, mounts: &[Self]) -> Option<u32> {
        let is_parent = |mount: &Self| mount.id == self.parent && mount.id != self.id;
        mounts.iter().any(is_parent).then_some(self.parent)
    }
}

/// Undoes the octal escapes of mountinfo (space `\040`, tab, newline, `\134`).
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        match tail {
            [
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                after @ ..,
            ] if first == b'\\' => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    plain
}

/// What is to be mounted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A folder.
    Folder,
    /// Something else.
    Other,
    /// Nothing.
    Missing,
}

impl Target {
    fn read(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Self::Folder,
            Ok(_) => Self::Other,
            Err(_) => Self::Missing,
        }
    }
}

/// What was read before anything was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The kernel runs under Xen, as a Dom0 or as a guest.
    pub under_xen: bool,
    /// What the target is.
    pub target: Target,
    /// The types of what is mounted on the target and met there, the topmost
    /// last.
    pub mounted: Vec<String>,
    /// The content of the target's `capabilities`, where xenfs is mounted.
    pub capabilities: Option<String>,
}

impl Facts {
    /// Reads below `root`, which is `/` but in tests and image builders.
    ///
    /// # Errors
    /// A file that is there and cannot be read; [`Error::NoProc`].
    pub fn read(root: &Path, target: &Path) -> Result<Self, Error> {
        let mountinfo = read_if_there(&below(root, Path::new("/proc/self/mountinfo")))?;
        let mountinfo = mountinfo.ok_or_else(|| Error::NoProc {
            root: root.to_path_buf(),
        })?;
        let resolved = fs::canonicalize(below(root, target))
            .ok()
            .filter(|_| root == Path::new("/"))
            .unwrap_or_else(|| target.to_path_buf());
        let mounts = Mount::parse_all(&mountinfo);
        let mounted: Vec<String> = Mount::layers(&mounts, &resolved)
            .into_iter()
            .map(|mount| mount.filesystem.clone())
            .collect();
        let capabilities = match mounted.last() {
            Some(filesystem) if filesystem == "xenfs" => {
                read_if_there(&below(root, &target.join("capabilities")))?
            }
            _ => None,
        };
        Ok(Self {
            under_xen: under_xen(root)?,
            target: Target::read(&below(root, target)),
            mounted,
            capabilities: capabilities.map(|text| String::from_utf8_lossy(&text).into_owned()),
        })
    }
}

/// `/proc/xen` is made only by a kernel that runs under Xen; one without
/// `CONFIG_XEN_COMPAT_XENFS` still has `/sys/hypervisor/type`.
fn under_xen(root: &Path) -> Result<bool, Error> {
    if below(root, Path::new("/proc/xen")).is_dir() {
        return Ok(true);
    }
    let kind = read_if_there(&below(root, Path::new("/sys/hypervisor/type")))?;
    Ok(kind.is_some_and(|text| text.trim_ascii() == b"xen"))
}

/// `path` as seen below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The content of a file, or `None` where there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(Error::system(format!("read {}", path.display()), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_mount_with_and_without_optional_fields() {
        let text = b"22 1 0:20 / /proc rw,nosuid shared:5 master:1 - proc proc rw\n\
            31 22 0:27 / /proc/xen rw,nosuid,nodev,noexec - xenfs xenfs rw\n";
        let mounts = Mount::parse_all(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[1].target, Path::new("/proc/xen"));
        assert_eq!(mounts[1].filesystem, "xenfs");
    }

    fn layers(mountinfo: &str, target: &str) -> Vec<u32> {
        let mounts = Mount::parse_all(mountinfo.as_bytes());
        let layers = Mount::layers(&mounts, Path::new(target));
        layers.into_iter().map(|mount| mount.id).collect()
    }

    #[test]
    fn what_was_moved_onto_the_target_covers_it_though_it_is_listed_first() {
        let text = "28 1 0:2 / / rw - ext4 /dev/sda rw\n\
            22 28 0:21 / /proc rw - proc proc rw\n\
            64 65 0:40 / /proc/xen rw - tmpfs other rw\n\
            65 22 0:41 / /proc/xen rw - xenfs xenfs rw\n";
        assert_eq!(layers(text, "/proc/xen"), [65, 64]);
    }

    #[test]
    fn what_is_below_another_proc_is_not_met() {
        let text = "28 1 0:2 / / rw - ext4 /dev/sda rw\n\
            22 28 0:21 / /proc rw - proc proc rw\n\
            65 22 0:41 / /proc/xen rw - xenfs xenfs rw\n\
            92 22 0:43 / /proc rw - proc proc rw\n";
        assert!(layers(text, "/proc/xen").is_empty());
        let again = format!("{text}93 92 0:41 / /proc/xen rw - xenfs xenfs rw\n");
        assert_eq!(layers(&again, "/proc/xen"), [93]);
    }

    #[test]
    fn a_root_that_something_else_came_to_stand_on_is_still_the_root() {
        let text = "1 1 0:2 / / rw - rootfs rootfs rw\n\
            22 1 0:21 / /proc rw - proc proc rw\n\
            30 1 0:30 / / rw - tmpfs other rw\n\
            65 22 0:41 / /proc/xen rw - xenfs xenfs rw\n";
        assert_eq!(layers(text, "/proc/xen"), [65]);
    }

    #[test]
    fn a_root_that_is_a_mere_folder_is_not_listed() {
        let text = "22 28 0:21 / /proc rw - proc proc rw\n\
            65 22 0:41 / /proc/xen rw - xenfs xenfs rw\n";
        assert_eq!(layers(text, "/proc/xen"), [65]);
    }

    #[test]
    fn an_endless_tower_is_left() {
        let text = "5 1 0:2 / /a rw - tmpfs a rw\n6 5 0:2 / /a rw - tmpfs b rw\n\
            5 6 0:2 / /a rw - tmpfs c rw\n";
        assert!(layers(text, "/a").len() <= 3);
    }

    #[test]
    fn undoes_octal_escapes() {
        assert_eq!(unescape(br"/mnt/a\040b\134c\011"), b"/mnt/a b\\c\t");
        assert_eq!(unescape(br"\04"), br"\04");
        assert_eq!(unescape(br"\"), br"\");
    }

    #[test]
    fn skips_lines_that_are_cut_off() {
        assert_eq!(
            Mount::parse_all(
                b"31 22 0:27 / /proc/xen rw\n\n31 22\nx 22 0:27 / /a rw - proc proc rw"
            ),
            vec![]
        );
    }
}
