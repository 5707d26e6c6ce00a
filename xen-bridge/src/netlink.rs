//! One connection to the kernel's rtnetlink, and the framing of its replies.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_MULTIPART,
    NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use nix::errno::Errno;
use nix::libc;
use nix::setsockopt_impl;
use nix::sys::socket::sockopt::SetBool;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SetSockOpt as _, SockFlag, SockProtocol, SockType, recv, send, socket,
};

use crate::Error;
use crate::reply::attributes;
use crate::request::Request;

/// Have refusals explained (`NLMSGERR_ATTR_MSG`).
#[derive(Debug, Clone, Copy)]
struct ExtendedAck;
setsockopt_impl!(
    ExtendedAck,
    libc::SOL_NETLINK,
    libc::NETLINK_EXT_ACK,
    bool,
    SetBool
);

/// Have the kernel heed the filters of a dump, not send everything.
#[derive(Debug, Clone, Copy)]
struct StrictCheck;
setsockopt_impl!(
    StrictCheck,
    libc::SOL_NETLINK,
    libc::NETLINK_GET_STRICT_CHK,
    bool,
    SetBool
);

/// The kernel fills at most this much of a reader's buffer at a time.
const BUFFER_SIZE: usize = 32 * 1024;
/// `linux/netlink.h`.
const NLMSGERR_ATTR_MSG: u16 = 1;
/// A dump that others' changes interrupt is asked for again, not for ever.
const DUMP_ATTEMPTS: usize = 10;

/// What is known about a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The kernel never had it.
    NotSent,
    /// The kernel said no.
    Refused,
    /// The kernel had it, and its answer was not heard.
    Unknown,
}

/// A request that failed.
#[derive(Debug)]
pub struct Failure {
    /// What became of it.
    pub outcome: Outcome,
    /// The errno.
    pub source: io::Error,
    /// The kernel's explanation, where it gave one.
    pub text: Option<String>,
}

impl Failure {
    fn new(outcome: Outcome, errno: Errno) -> Self {
        Self {
            outcome,
            source: errno.into(),
            text: None,
        }
    }

    /// The kernel, or the way to it, gave this errno.
    #[must_use]
    pub fn is(&self, errno: Errno) -> bool {
        self.source.raw_os_error() == Some(errno as i32)
    }

    /// The kernel said no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.outcome == Outcome::Refused
    }

    /// There is no such interface, or no longer.
    #[must_use]
    pub fn is_no_device(&self) -> bool {
        self.is(Errno::ENODEV)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.source)?;
        match &self.text {
            Some(text) => write!(formatter, ": {text}"),
            None => Ok(()),
        }
    }
}

/// The bytes of one message of a reply, without its header.
pub type Payload = Vec<u8>;

/// A socket that asks one thing at a time.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens the socket; the kernel binds it at the first request.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn open() -> Result<Self, Error> {
        let failed = |errno| Error::system("open a netlink socket", errno);
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )
        .map_err(failed)?;
        // Linux before 4.20 lacks the second: then replies are sifted here alone.
        for result in [
            ExtendedAck.set(&socket, &true),
            StrictCheck.set(&socket, &true),
        ] {
            match result {
                Ok(()) | Err(Errno::ENOPROTOOPT) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(Self {
            socket,
            sequence: 0,
            buffer: vec![0; BUFFER_SIZE],
        })
    }

    /// Has something changed, and hears that it was.
    ///
    /// # Errors
    /// The kernel's refusal, or a socket that failed.
    pub fn change(&mut self, message: Request, flags: u16) -> Result<(), Failure> {
        self.send(message, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.receive().map(drop)
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// The kernel's refusal (`ENODEV`: no such interface), or a socket that failed.
    pub fn get(&mut self, message: Request) -> Result<Payload, Failure> {
        self.send(message, NLM_F_REQUEST)?;
        let reply = self.receive()?;
        let first = reply.messages.into_iter().next();
        first.ok_or_else(|| Failure::new(Outcome::Unknown, Errno::EBADMSG))
    }

    /// Asks for all things of a kind that the message's filter lets through.
    ///
    /// # Errors
    /// The kernel's refusal, or a socket that failed.
    pub fn dump(&mut self, message: &Request) -> Result<Vec<Payload>, Failure> {
        for _ in 0..DUMP_ATTEMPTS {
            self.send(message.clone(), NLM_F_REQUEST | NLM_F_DUMP)?;
            let reply = self.receive()?;
            if !reply.interrupted {
                return Ok(reply.messages);
            }
        }
        Err(Failure::new(Outcome::Unknown, Errno::EINTR))
    }

    fn send(&mut self, message: Request, flags: u16) -> Result<(), Failure> {
        self.sequence += 1;
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        loop {
            match send(self.socket.as_raw_fd(), &bytes, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Failure::new(Outcome::NotSent, errno)),
            }
        }
    }

    /// All of the reply to the last request.
    fn receive(&mut self) -> Result<Reply, Failure> {
        let mut reply = Reply::default();
        while !reply.complete {
            let socket = self.socket.as_raw_fd();
            let length = match recv(socket, &mut self.buffer, MsgFlags::MSG_TRUNC) {
                Ok(length) => length,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(Failure::new(Outcome::Unknown, errno)),
            };
            let bytes = self
                .buffer
                .get(..length)
                .ok_or_else(|| Failure::new(Outcome::Unknown, Errno::EMSGSIZE))?;
            reply.read(bytes, self.sequence)?;
        }
        Ok(reply)
    }
}

/// What has been heard in answer to a request.
#[derive(Debug, Default)]
pub struct Reply {
    /// The messages so far.
    pub messages: Vec<Payload>,
    /// There are no more to come.
    pub complete: bool,
    /// Something changed while the kernel listed it.
    pub interrupted: bool,
}

impl Reply {
    /// Takes in one datagram; messages of other requests are passed over.
    ///
    /// # Errors
    /// The kernel's refusal in it, or it is no such datagram.
    pub fn read(&mut self, datagram: &[u8], sequence: u32) -> Result<(), Failure> {
        let mut rest = datagram;
        while !rest.is_empty() && !self.complete {
            let message = NetlinkBuffer::new_checked(rest)
                .map_err(|_| Failure::new(Outcome::Unknown, Errno::EBADMSG))?;
            let length = message.length() as usize;
            if message.sequence_number() == sequence {
                self.take(&message)?;
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(())
    }

    fn take(&mut self, message: &NetlinkBuffer<&[u8]>) -> Result<(), Failure> {
        let flags = message.flags();
        self.interrupted |= flags & NLM_F_DUMP_INTR != 0;
        match message.message_type() {
            NLMSG_NOOP => return Ok(()),
            NLMSG_ERROR | NLMSG_DONE => {
                self.complete = true;
                return refusal(message).map_or(Ok(()), Err);
            }
            _ => {}
        }
        self.messages.push(message.payload().to_vec());
        self.complete = flags & NLM_F_MULTIPART == 0;
        Ok(())
    }
}

/// The errno and the explanation in an `NLMSG_ERROR` or `NLMSG_DONE`.
fn refusal(message: &NetlinkBuffer<&[u8]>) -> Option<Failure> {
    let payload = message.payload();
    let (code, after) = payload.split_first_chunk::<4>()?;
    let code = i32::from_ne_bytes(*code);
    if code == 0 {
        return None;
    }
    let is_error = message.message_type() == NLMSG_ERROR;
    let echo = match NetlinkBuffer::new_checked(after) {
        // The request comes back whole, or only its header.
        Ok(request) if is_error && message.flags() & NLM_F_CAPPED == 0 => request.length() as usize,
        _ if is_error => 16,
        _ => 0,
    };
    let text = after
        .get(echo.next_multiple_of(4)..)
        .filter(|_| message.flags() & NLM_F_ACK_TLVS != 0)
        .and_then(|tail| {
            attributes(tail)
                .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
                .map(|(_, text)| text.strip_suffix(&[0]).unwrap_or(text))
        })
        .map(|text| String::from_utf8_lossy(text).into_owned());
    Some(Failure {
        outcome: Outcome::Refused,
        source: io::Error::from_raw_os_error(code.saturating_neg()),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![];
        bytes.extend((16 + payload.len() as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn read(datagram: &[u8]) -> Result<Reply, Failure> {
        let mut reply = Reply::default();
        reply.read(datagram, 7).map(|()| reply)
    }

    #[test]
    fn takes_only_the_answer_to_its_own_request() {
        let mut datagram = message(16, 0, 6, b"old!");
        assert!(!read(&datagram).unwrap().complete);
        datagram.extend(message(16, 0, 7, b"new!"));
        let reply = read(&datagram).unwrap();
        assert!(reply.complete);
        assert_eq!(reply.messages, [b"new!"]);
    }

    #[test]
    fn gathers_a_dump_until_it_is_done() {
        let mut datagram = message(16, NLM_F_MULTIPART, 7, b"one!");
        datagram.extend(message(16, NLM_F_MULTIPART | NLM_F_DUMP_INTR, 7, b"two!"));
        assert!(!read(&datagram).unwrap().complete);
        datagram.extend(message(NLMSG_DONE, NLM_F_MULTIPART, 7, &[0; 4]));
        let reply = read(&datagram).unwrap();
        assert!(reply.complete && reply.interrupted);
        assert_eq!(reply.messages.len(), 2);
    }

    #[test]
    fn tells_the_kernels_explanation() {
        let mut payload = (-16i32).to_ne_bytes().to_vec();
        payload.extend(message(16, 0, 7, &[9; 8]));
        payload.extend(9u16.to_ne_bytes());
        payload.extend(NLMSGERR_ATTR_MSG.to_ne_bytes());
        payload.extend(b"busy\0");
        let failure = read(&message(NLMSG_ERROR, NLM_F_ACK_TLVS, 7, &payload)).unwrap_err();
        assert!(failure.is(Errno::EBUSY));
        assert_eq!(failure.outcome, Outcome::Refused);
        assert_eq!(
            failure.to_string(),
            "Device or resource busy (os error 16): busy"
        );
    }

    #[test]
    fn survives_every_cut_of_a_datagram() {
        let mut whole = message(16, NLM_F_MULTIPART, 7, &[1; 20]);
        whole.extend(message(NLMSG_ERROR, NLM_F_ACK_TLVS, 7, &[0xff; 40]));
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
        assert!(read(&[0; 64]).is_err());
    }
}
