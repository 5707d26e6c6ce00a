//! Where files are read, and which kernel is meant.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::{Args, Error};

/// Where a kernel's modules may be. The last is where the running system of a
/// NixOS machine has them.
const FOLDERS: [&str; 3] = [
    "/lib/modules",
    "/usr/lib/modules",
    "/run/booted-system/kernel-modules/lib/modules",
];

/// `path` as seen below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The content of a file as text, or `None` where there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, Error> {
    Ok(read_bytes_if_there(path)?.map(text))
}

/// The content of a file, or `None` where there is no such file.
pub(crate) fn read_bytes_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let Some((file, length)) = open_if_there(path)? else {
        return Ok(None);
    };
    // The kernel's own files say nothing of their length.
    let expected = if length == 0 { 8 << 10 } else { length + 1 };
    let mut content = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).min(LONGEST_LINE));
    match file.take(LARGEST + 1).read_to_end(&mut content) {
        Ok(length) if length as u64 > LARGEST => Err(Error::unreadable(path, "a file without end")),
        Ok(_) => Ok(Some(content)),
        Err(error) => Err(Error::reading(path, error)),
    }
}

/// The file, and its length as far as it is known. A pipe would keep its reader
/// waiting for ever, so it is no such file.
pub(crate) fn open_if_there(path: &Path) -> Result<Option<(File, u64)>, Error> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((about, _)) if about.file_type().is_fifo() => {
            Err(Error::unreadable(path, "a pipe, not a file"))
        }
        Ok((about, file)) => Ok(Some((file, about.len()))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::reading(path, error)),
    }
}

/// A line longer than this is none.
const LONGEST_LINE: usize = 16 << 20;

/// Nor is a file that is kept whole ever nearly as large.
const LARGEST: u64 = 64 << 20;

/// Gives the content to `take` in pieces of whole lines. No file, no pieces.
pub(crate) fn read_pieces(path: &Path, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
    let Some((mut file, _)) = open_if_there(path)? else {
        return Ok(());
    };
    let mut buffer = vec![0; 64 << 10];
    let mut filled = 0;
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::reading(path, error)),
        };
        filled += read;
        let last_newline = buffer[..filled].iter().rposition(|byte| *byte == b'\n');
        let whole = match last_newline {
            _ if read == 0 => filled,
            Some(newline) => newline + 1,
            None => 0,
        };
        take(&buffer[..whole]);
        if read == 0 {
            return Ok(());
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
        if filled > LONGEST_LINE {
            return Err(Error::unreadable(path, "a line without end"));
        }
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
    }
}

/// Bytes as text; what is no UTF-8 becomes a character that nothing matches.
pub(crate) fn text(content: Vec<u8>) -> String {
    String::from_utf8(content)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// `/proc/xen` is made only by a kernel that runs under Xen; one without
/// `CONFIG_XEN_COMPAT_XENFS` still has `/sys/hypervisor/type`.
pub(crate) fn under_xen(root: &Path) -> Result<bool, Error> {
    if below(root, Path::new("/proc/xen")).is_dir() {
        return Ok(true);
    }
    let kind = read_if_there(&below(root, Path::new("/sys/hypervisor/type")))?;
    Ok(kind.is_some_and(|text| text.trim() == "xen"))
}

/// A kernel, and where its modules are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// As `uname -r` names it.
    pub release: String,
    /// The folder of its modules, as seen from the root.
    pub folder: PathBuf,
    /// It is the one that runs.
    pub runs: bool,
}

impl Kernel {
    /// The kernel that the arguments mean: the one named, the running one, or
    /// below a root the only one there.
    ///
    /// # Errors
    /// No kernel, or several, below a root.
    pub fn find(args: &Args) -> Result<Self, Error> {
        let running = running_release(&args.root)?;
        let release = match (&args.kernel, &running) {
            (Some(release), _) | (None, Some(release)) => release.clone(),
            (None, None) => only_release(&args.root)?,
        };
        let mut folders = FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join(&release));
        let folder = folders.find(|folder| below(&args.root, folder).is_dir());
        Ok(Self {
            runs: running.as_ref() == Some(&release),
            folder: folder.unwrap_or_else(|| Path::new(FOLDERS[0]).join(&release)),
            release,
        })
    }
}

/// An unpacked image has no running kernel.
fn running_release(root: &Path) -> Result<Option<String>, Error> {
    if root == Path::new("/") {
        let names = nix::sys::utsname::uname()
            .map_err(|errno| Error::system("ask for the kernel's release", errno))?;
        return Ok(Some(names.release().to_string_lossy().into_owned()));
    }
    let content = read_if_there(&below(root, Path::new("/proc/sys/kernel/osrelease")))?;
    Ok(content.map(|text| text.trim().to_owned()))
}

fn only_release(root: &Path) -> Result<String, Error> {
    let folder = FOLDERS[..2]
        .iter()
        .map(Path::new)
        .find(|folder| below(root, folder).is_dir())
        .unwrap_or(Path::new(FOLDERS[0]));
    let folder = below(root, folder);
    let mut found: Vec<String> = vec![];
    match fs::read_dir(&folder) {
        Ok(entries) => {
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let place = found.partition_point(|other| *other < name);
                if entry.path().is_dir() {
                    found.insert(place, name);
                }
            }
        }
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(Error::system(format!("read {}", folder.display()), error)),
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        several => Err(Error::WhichKernel {
            what: if several.is_empty() {
                "no kernel".to_owned()
            } else {
                several.join(", ")
            },
            folder,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines_however_long() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "x".repeat(200_000);
        let content = format!("first\n{long}\n{}last", "line\n".repeat(50_000));
        fs::write(file.path(), &content).unwrap();
        let mut pieces: Vec<Vec<u8>> = vec![];
        read_pieces(file.path(), |piece| pieces.push(piece.to_owned())).unwrap();
        assert!(pieces.concat() == content.as_bytes());
        pieces.pop();
        let whole = pieces
            .iter()
            .all(|piece| piece.is_empty() || piece.ends_with(b"\n"));
        assert!(whole);
    }

    #[test]
    fn no_file_has_no_pieces() {
        read_pieces(Path::new("/nonexistent/file"), |_| panic!("a piece")).unwrap();
    }
}
