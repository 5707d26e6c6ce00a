//! The way to the store: its socket, or the kernel's device.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt::SendTimeout,
};
use nix::sys::statfs::{FsType, fstatfs};
use nix::sys::time::TimeVal;

use crate::Deadline;
use crate::wire::{HEADER_SIZE, PAYLOAD_MAX};

/// How long one connect may hang. Then the path is looked up anew, so that a
/// store that was stopped and whose socket was replaced does not keep us any
/// longer. It cannot be less without more system calls than a silent store may
/// cost, nor do without hanging: where the queue is full no event tells that
/// there is room.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// `XENFS_SUPER_MAGIC` of linux/magic.h.
const XENFS: FsType = FsType(0xabba_1974);

/// An open way to a store; it never blocks.
#[derive(Debug)]
pub(crate) enum Link {
    /// The store's own socket.
    Socket(UnixStream),
    /// `/dev/xen/xenbus` or `/proc/xen/xenbus`: the kernel hands requests to
    /// whichever domain has the store.
    Device(File),
}

impl Link {
    /// Opens the kernel's device. Without `O_NONBLOCK` a read of it waits for
    /// ever where no store lives. `ENOTTY` where something else has its name,
    /// since requests would be written into that.
    pub(crate) fn open_device(path: &Path) -> Result<Self, Errno> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(path)
            .map_err(|error| errno(&error))?;
        let metadata = file.metadata().map_err(|error| errno(&error))?;
        // That of xenfs is a regular file to look at.
        if metadata.file_type().is_char_device() || fstatfs(&file)?.filesystem_type() == XENFS {
            Ok(Self::Device(file))
        } else {
            Err(Errno::ENOTTY)
        }
    }

    pub(crate) fn is_device(&self) -> bool {
        matches!(self, Self::Device(_))
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Socket(stream) => stream.read(buffer),
            Self::Device(file) => file.read(buffer),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(stream) => stream.write(bytes),
            Self::Device(file) => file.write(bytes),
        }
    }

    /// Waits until it can be read (or, asked so, written). `false`: too late.
    pub(crate) fn ready(&self, what: PollFlags, deadline: Deadline) -> Result<bool, Errno> {
        loop {
            let mut descriptors = [PollFd::new(self.as_fd(), what)];
            match deadline.poll(&mut descriptors) {
                Ok(0) if deadline.passed() => return Ok(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// The longest payload that this way takes.
    pub(crate) fn payload_max(&self) -> usize {
        payload_max(self.is_device())
    }
}

/// The longest payload of a request. The kernel's buffer holds the header as
/// well (`xenbus_dev_frontend.c`).
pub(crate) fn payload_max(through_device: bool) -> usize {
    if through_device {
        PAYLOAD_MAX - HEADER_SIZE
    } else {
        PAYLOAD_MAX
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(stream) => stream.as_fd(),
            Self::Device(file) => file.as_fd(),
        }
    }
}

/// Connects, again and again if need be, always with the same socket.
#[derive(Debug, Default)]
pub(crate) struct Connector {
    unconnected: Option<OwnedFd>,
    patience: Duration,
}

impl Connector {
    /// One connect(2). It blocks where the queue of the store is full (the
    /// queue holds one), since a connect that does not block fails there and
    /// leaves nothing to poll; `EAGAIN` when the store accepted nobody for
    /// two seconds or until the deadline.
    pub(crate) fn connect(&mut self, path: &Path, deadline: Deadline) -> Result<Link, Errno> {
        let address = UnixAddr::new(path)?;
        let socket = match self.unconnected.take() {
            Some(socket) => socket,
            None => {
                self.patience = Duration::MAX;
                let (family, kind) = (AddressFamily::Unix, SockType::Stream);
                socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?
            }
        };
        let patience = deadline.left().min(CONNECT_PATIENCE);
        if self.patience > patience {
            // A time of zero would mean for ever.
            let microseconds = patience.as_micros().max(1000) as i64;
            let time = TimeVal::new(
                microseconds / 1_000_000,
                (microseconds % 1_000_000) as nix::libc::suseconds_t,
            );
            setsockopt(&socket, SendTimeout, &time)?;
            self.patience = patience;
        }
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(true).map_err(|e| errno(&e))?;
                Ok(Link::Socket(stream))
            }
            Err(error) => {
                self.unconnected = Some(socket);
                Err(error)
            }
        }
    }
}

/// The number of an error that came from a system call.
pub(crate) fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}
