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
    /// The mount point, its octal escapes undone.
    pub target: PathBuf,
    /// The type, such as `xenfs`.
    pub filesystem: String,
}

impl Mount {
    /// The mounts of a mountinfo file, in its order: of two on one target the
    /// later covers the earlier.
    #[must_use]
    pub fn parse_all(mountinfo: &[u8]) -> Vec<Self> {
        mountinfo
            .split(|byte| *byte == b'\n')
            .filter_map(Self::parse)
            .collect()
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let target = fields.nth(4)?;
        // Optional fields end with a lone dash; the type follows it.
        let filesystem = fields.skip_while(|field| *field != b"-").nth(1)?;
        Some(Self {
            target: PathBuf::from(OsString::from_vec(unescape(target))),
            filesystem: String::from_utf8_lossy(&unescape(filesystem)).into_owned(),
        })
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

/// What was read before anything was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The kernel runs under Xen, as a Dom0 or as a guest.
    pub under_xen: bool,
    /// The target is a folder.
    pub target_exists: bool,
    /// The types of what is mounted on the target, the topmost last.
    pub mounted: Vec<String>,
    /// The content of the target's `capabilities`, where xenfs is mounted.
    pub capabilities: Option<String>,
}

impl Facts {
    /// Reads below `root`, which is `/` but in tests and image builders.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(root: &Path, target: &Path) -> Result<Self, Error> {
        let mountinfo = read_if_there(&below(root, Path::new("/proc/self/mountinfo")))?;
        let resolved = fs::canonicalize(below(root, target))
            .ok()
            .filter(|_| root == Path::new("/"))
            .unwrap_or_else(|| target.to_path_buf());
        let mounted: Vec<String> = Mount::parse_all(&mountinfo.unwrap_or_default())
            .into_iter()
            .filter(|mount| mount.target == resolved)
            .map(|mount| mount.filesystem)
            .collect();
        let capabilities = match mounted.last() {
            Some(filesystem) if filesystem == "xenfs" => {
                read_if_there(&below(root, &target.join("capabilities")))?
            }
            _ => None,
        };
        Ok(Self {
            under_xen: under_xen(root)?,
            target_exists: below(root, target).is_dir(),
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

    #[test]
    fn undoes_octal_escapes() {
        assert_eq!(unescape(br"/mnt/a\040b\134c\011"), b"/mnt/a b\\c\t");
        assert_eq!(unescape(br"\04"), br"\04");
        assert_eq!(unescape(br"\"), br"\");
    }

    #[test]
    fn skips_lines_that_are_cut_off() {
        assert_eq!(
            Mount::parse_all(b"31 22 0:27 / /proc/xen rw\n\n31 22"),
            vec![]
        );
    }
}
