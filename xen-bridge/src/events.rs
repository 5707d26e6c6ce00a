//! What the kernel tells of by itself, and waiting for it.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Instant;

use netlink_packet_core::NetlinkBuffer;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use crate::Error;
use crate::netlink::Payload;

/// Interfaces (`RTMGRP_LINK`).
pub const LINKS: u32 = 1;
/// Neighbours (`RTMGRP_NEIGH`).
pub const NEIGHBORS: u32 = 4;
const BUFFER_SIZE: usize = 32 * 1024;

/// A socket on which the kernel says what changes.
#[derive(Debug)]
pub struct Events(OwnedFd);

impl Events {
    /// Listens from now on.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn open(groups: u32) -> Result<Self, Error> {
        let failed = |errno| Error::system("listen to the kernel", errno);
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )
        .map_err(failed)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups)).map_err(failed)?;
        Ok(Self(socket))
    }

    /// Until something is told, or the deadline: `false`.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn wait(&self, deadline: Instant) -> Result<bool, Error> {
        Ok(wait_for(&[self.as_fd()], deadline)?.contains(&true))
    }

    /// What was told, with its kind. `None` among it: more than could be kept.
    #[must_use]
    pub fn take(&self) -> Vec<Option<(u16, Payload)>> {
        let mut told = vec![];
        let mut buffer = vec![0; BUFFER_SIZE];
        loop {
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) => {
                    let datagram = buffer.get(..length).unwrap_or_default();
                    told.extend(messages(datagram).map(Some));
                }
                Err(Errno::ENOBUFS) => told.push(None),
                Err(Errno::EINTR) => {}
                Err(_) => return told,
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The messages of a datagram, up to the first that is cut off.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, Payload)> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(rest).ok()?;
        let length = message.length() as usize;
        let told = (message.message_type(), message.payload().to_vec());
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(told)
    })
}

/// Which of these can be read; none at the deadline.
///
/// # Errors
/// [`Error::System`].
pub fn wait_for(files: &[BorrowedFd<'_>], deadline: Instant) -> Result<Vec<bool>, Error> {
    let mut polled: Vec<PollFd<'_>> = files
        .iter()
        .map(|file| PollFd::new(*file, PollFlags::POLLIN))
        .collect();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Not a moment too early: a part of a millisecond counts as one.
        let left_ms = left.as_micros().div_ceil(1000);
        let timeout = PollTimeout::try_from(left_ms).unwrap_or(PollTimeout::MAX);
        match poll(&mut polled, timeout) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::system("wait", errno)),
            Ok(0) if !left.is_zero() && deadline > Instant::now() => {}
            Ok(_) => break,
        }
    }
    let ready = |polled: &PollFd<'_>| polled.any() == Some(true);
    Ok(polled.iter().map(ready).collect())
}
