//! What was seen of a store that does not answer, in an operator's words.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The last thing that was seen before the deadline.
#[derive(Debug)]
pub enum Seen {
    /// There is nothing of that name; the folder is missing, too, if `false`.
    Nothing(PathBuf, bool),
    /// Something has the name of the socket and is none.
    NoSocket(PathBuf),
    /// Something has the name of the kernel's device and is no device.
    NoDevice(PathBuf),
    /// The socket is there, and nobody listens.
    Stale(PathBuf),
    /// Nobody listens on the socket, but a store answers through the device.
    Replaced {
        /// The socket.
        socket: PathBuf,
        /// The kernel's device.
        device: PathBuf,
    },
    /// A store listens, and its queue is full: it is stopped or very busy.
    NotAccepting(PathBuf),
    /// Connected; so many bytes came.
    Silent(PathBuf, usize),
    /// Connected, and closed again without an answer.
    Closed(PathBuf),
    /// What came is no answer of a store.
    Wrong(PathBuf, String),
    /// It cannot be opened.
    Unusable(PathBuf, io::Error),
}

impl Seen {
    /// Nothing there: says how much of the path is missing.
    pub(crate) fn nothing_at(path: &Path) -> Self {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder_is_there = folder.is_none_or(Path::is_dir);
        Self::Nothing(path.to_path_buf(), folder_is_there)
    }

    /// Refused: the same errno is given for a file that is no socket.
    pub(crate) fn refusal_of(path: &Path) -> Self {
        use std::os::unix::fs::FileTypeExt as _;
        match std::fs::metadata(path) {
            Ok(metadata) if !metadata.file_type().is_socket() => Self::NoSocket(path.to_path_buf()),
            _ => Self::Stale(path.to_path_buf()),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, what) = match self {
            Self::Nothing(path, true) => (path, "not there"),
            Self::Nothing(path, false) => (path, "not there, nor is its folder"),
            Self::NoSocket(path) => (path, "this is not a socket"),
            Self::NoDevice(path) => (path, "this is not a character device"),
            Self::Stale(path) => (path, "nobody listens on this socket (stale, refused)"),
            Self::Replaced { socket, device } => {
                return write!(
                    formatter,
                    "{}: a store lives, its socket was replaced ({} answers, the socket refuses)",
                    socket.display(),
                    device.display()
                );
            }
            Self::NotAccepting(path) => (path, "listening, but it accepts no connection"),
            Self::Silent(path, 0) => (path, "listening, but silent"),
            Self::Silent(path, bytes) => {
                return write!(
                    formatter,
                    "{}: listening, but too slow (only {bytes} bytes of an answer)",
                    path.display()
                );
            }
            Self::Closed(path) => (path, "closes the connection without an answer"),
            Self::Wrong(path, what) => {
                return write!(formatter, "{}: wrong answer: {what}", path.display());
            }
            Self::Unusable(path, error) => {
                return write!(formatter, "{}: {error}", path.display());
            }
        };
        write!(formatter, "{}: {what}", path.display())
    }
}
