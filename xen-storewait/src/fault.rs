//! What can go wrong with one request.

use std::io;

use nix::errno::Errno;

use crate::Refusal;
use crate::wire::WireError;

/// Why a request had no good reply.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The deadline came first. So many bytes of a reply were there.
    Late(usize),
    /// The store has closed the connection.
    Closed,
    /// What came is no reply to the request.
    Wrong(String),
    /// The request is longer than the store takes.
    TooLong(usize),
    /// The store said no.
    Refused(Refusal),
    /// A system call failed.
    System(io::Error),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::EPIPE | Errno::ECONNRESET => Self::Closed,
            other => Self::System(other.into()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Closed,
            _ => Self::System(error),
        }
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::Wrong(error.to_string())
    }
}
