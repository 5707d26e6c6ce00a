//! What somebody sends to have this program stop.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Error;

/// Signals that no longer end the process, but are read.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// From now on SIGTERM, SIGINT and SIGHUP are read here.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn block() -> Result<Self, Error> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            set.add(signal);
        }
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let opened = set
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, flags));
        opened
            .map(Self)
            .map_err(|errno| Error::system("take signals", errno))
    }

    /// The name of one that asks to stop. That a terminal was closed does not:
    /// it may be the one whose connection is being moved.
    #[must_use]
    pub fn taken(&self) -> Option<&'static str> {
        while let Ok(Some(info)) = self.0.read_signal() {
            match i32::try_from(info.ssi_signo) {
                Ok(nix::libc::SIGTERM) => return Some("SIGTERM"),
                Ok(nix::libc::SIGINT) => return Some("SIGINT"),
                _ => {}
            }
        }
        None
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
