//! Messages of the store as bytes: `xs_wire.h` (public header of Xen, MIT) and
//! `docs/misc/xenstore.txt`.
//!
//! A message is four 32-bit numbers of the machine's own byte order (kind,
//! request, transaction, length of the payload), then the payload.

use std::fmt;
use std::str::FromStr;

/// The longest payload, in both directions. The store closes the connection of
/// a client that sends more.
pub const PAYLOAD_MAX: usize = 4096;

/// The size of the four numbers before each payload.
pub const HEADER_SIZE: usize = 16;

/// What a message asks or answers (`enum xsd_sockmsg_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub u32);

impl Kind {
    /// The names of the children of a node.
    pub const DIRECTORY: Self = Self(1);
    /// The value of a node.
    pub const READ: Self = Self(2);
    /// The permissions of a node.
    pub const GET_PERMS: Self = Self(3);
    /// Events from a path on, from now on.
    pub const WATCH: Self = Self(4);
    /// No more of them.
    pub const UNWATCH: Self = Self(5);
    /// Begin a transaction.
    pub const TRANSACTION_START: Self = Self(6);
    /// Commit or discard a transaction.
    pub const TRANSACTION_END: Self = Self(7);
    /// The folder of a domain.
    pub const GET_DOMAIN_PATH: Self = Self(10);
    /// Set the value of a node.
    pub const WRITE: Self = Self(11);
    /// Make a node that has no value.
    pub const MKDIR: Self = Self(12);
    /// Remove a node and all below it.
    pub const RM: Self = Self(13);
    /// Set the permissions of a node.
    pub const SET_PERMS: Self = Self(14);
    /// Sent by the store unasked: something watched has changed.
    pub const WATCH_EVENT: Self = Self(15);
    /// Sent by the store instead of a reply.
    pub const ERROR: Self = Self(16);
    /// A part of a list of children that is too long for one message.
    pub const DIRECTORY_PART: Self = Self(23);

    /// The last kind that any store is known to send.
    const LAST: u32 = 27;
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::DIRECTORY => "DIRECTORY",
            Self::READ => "READ",
            Self::GET_PERMS => "GET_PERMS",
            Self::WATCH => "WATCH",
            Self::UNWATCH => "UNWATCH",
            Self::TRANSACTION_START => "TRANSACTION_START",
            Self::TRANSACTION_END => "TRANSACTION_END",
            Self::GET_DOMAIN_PATH => "GET_DOMAIN_PATH",
            Self::WRITE => "WRITE",
            Self::MKDIR => "MKDIR",
            Self::RM => "RM",
            Self::SET_PERMS => "SET_PERMS",
            Self::WATCH_EVENT => "WATCH_EVENT",
            Self::ERROR => "ERROR",
            Self::DIRECTORY_PART => "DIRECTORY_PART",
            Self(other) => return write!(formatter, "message type {other}"),
        };
        formatter.write_str(name)
    }
}

/// One message, either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it asks or answers.
    pub kind: Kind,
    /// The number of the request; a reply has that of its request.
    pub request: u32,
    /// The transaction, 0 outside of any.
    pub transaction: u32,
    /// What follows the header.
    pub payload: Vec<u8>,
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The payload is longer than [`PAYLOAD_MAX`].
    #[error("a message of {0} bytes, more than {PAYLOAD_MAX}")]
    TooLong(u64),
    /// No store sends such a message.
    #[error("unknown {}", Kind(*.0))]
    UnknownKind(u32),
}

impl Message {
    /// The message as bytes.
    ///
    /// # Errors
    /// [`WireError::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        if self.payload.len() > PAYLOAD_MAX {
            return Err(WireError::TooLong(self.payload.len() as u64));
        }
        let length = self.payload.len() as u32;
        let mut bytes = Vec::with_capacity(HEADER_SIZE + self.payload.len());
        for number in [self.kind.0, self.request, self.transaction, length] {
            bytes.extend_from_slice(&number.to_ne_bytes());
        }
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }
}

/// Puts messages together from bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Takes what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes are there of a message that is not whole yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len()
    }

    /// The next whole message, or `None` until more bytes have come.
    ///
    /// # Errors
    /// The header is none of a store's. No message can be found after that.
    pub fn next_message(&mut self) -> Result<Option<Message>, WireError> {
        let Some((header, rest)) = self.bytes.split_at_checked(HEADER_SIZE) else {
            return Ok(None);
        };
        let number = |index: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&header[index * 4..index * 4 + 4]);
            u32::from_ne_bytes(word)
        };
        if number(0) > Kind::LAST {
            return Err(WireError::UnknownKind(number(0)));
        }
        let length = number(3) as usize;
        if length > PAYLOAD_MAX {
            return Err(WireError::TooLong(length as u64));
        }
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let message = Message {
            kind: Kind(number(0)),
            request: number(1),
            transaction: number(2),
            payload: payload.to_vec(),
        };
        self.bytes.drain(..HEADER_SIZE + length);
        Ok(Some(message))
    }
}

/// A number as stores write it: decimal digits and nothing else.
pub(crate) fn decimal<N: FromStr>(text: &[u8]) -> Option<N> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> Message {
        Message {
            kind: Kind::READ,
            request: 7,
            transaction: 9,
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn has_the_layout_of_the_public_header() {
        let bytes = message(b"/x\0").encode().unwrap();
        let mut expected = vec![];
        for number in [2_u32, 7, 9, 3] {
            expected.extend(number.to_ne_bytes());
        }
        expected.extend(b"/x\0");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn comes_back_whole_from_single_bytes() {
        let mut decoder = Decoder::default();
        for payload in [&b"/local\0"[..], b"", &[0; PAYLOAD_MAX]] {
            let bytes = message(payload).encode().unwrap();
            let (last, first) = bytes.split_last().unwrap();
            for byte in first {
                decoder.push(&[*byte]);
                assert_eq!(decoder.next_message(), Ok(None));
            }
            assert_eq!(decoder.pending(), first.len());
            decoder.push(&[*last]);
            assert_eq!(decoder.next_message(), Ok(Some(message(payload))));
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn takes_two_messages_that_come_at_once() {
        let mut decoder = Decoder::default();
        decoder.push(&message(b"a").encode().unwrap());
        decoder.push(&message(b"b").encode().unwrap());
        assert_eq!(decoder.next_message(), Ok(Some(message(b"a"))));
        assert_eq!(decoder.next_message(), Ok(Some(message(b"b"))));
        assert_eq!(decoder.next_message(), Ok(None));
    }

    #[test]
    fn refuses_to_encode_a_payload_that_is_too_long() {
        let too_long = message(&[0; PAYLOAD_MAX + 1]);
        assert_eq!(too_long.encode(), Err(WireError::TooLong(4097)));
    }

    #[test]
    fn refuses_a_giant_length_before_anything_else_has_come() {
        let mut decoder = Decoder::default();
        let mut bytes = message(b"").encode().unwrap();
        bytes[12..].copy_from_slice(&u32::MAX.to_ne_bytes());
        decoder.push(&bytes);
        assert_eq!(
            decoder.next_message(),
            Err(WireError::TooLong(u64::from(u32::MAX)))
        );
    }

    #[test]
    fn refuses_a_header_that_is_garbage() {
        let mut decoder = Decoder::default();
        decoder.push(b"HTTP/1.1 400 Bad");
        let error = decoder.next_message().unwrap_err();
        assert!(error.to_string().starts_with("unknown message type "));
    }
}
