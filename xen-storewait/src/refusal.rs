//! The reasons for which a store refuses a request.

use std::fmt;

/// What an ERROR message says (`xs_wire.h`, and `EQUOTA` of oxenstored).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// `ENOENT`.
    NoEntry,
    /// `EACCES` or `EPERM`.
    NotPermitted,
    /// `EAGAIN`: another one changed what the transaction had read or written.
    Again,
    /// `EQUOTA`, `EDQUOT` or `ENOSPC`: the domain has used up its share.
    Quota,
    /// `E2BIG`: the answer does not fit into one message.
    TooBig,
    /// `EINVAL`: the path or an argument is none.
    Invalid,
    /// `EEXIST`.
    Exists,
    /// `ENOSYS`: this store does not know the request.
    Unknown,
    /// Any other, by its name.
    Other(String),
}

impl Refusal {
    /// From the payload of an ERROR message: the name of an errno, then NUL.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Self {
        let name = payload.strip_suffix(b"\0").unwrap_or(payload);
        match name {
            b"ENOENT" => Self::NoEntry,
            b"EACCES" | b"EPERM" => Self::NotPermitted,
            b"EAGAIN" => Self::Again,
            b"EQUOTA" | b"EDQUOT" | b"ENOSPC" => Self::Quota,
            b"E2BIG" => Self::TooBig,
            b"EINVAL" => Self::Invalid,
            b"EEXIST" => Self::Exists,
            b"ENOSYS" => Self::Unknown,
            other => Self::Other(other.escape_ascii().to_string()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoEntry => "no such node (ENOENT)",
            Self::NotPermitted => "the store does not permit it (EACCES)",
            Self::Again => "another transaction was first (EAGAIN)",
            Self::Quota => "the store's quota is used up (EQUOTA)",
            Self::TooBig => "too long for one message (E2BIG)",
            Self::Invalid => "the store finds it invalid (EINVAL)",
            Self::Exists => "exists already (EEXIST)",
            Self::Unknown => "this store cannot do that (ENOSYS)",
            Self::Other(name) => return write!(formatter, "the store answers {name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_both_stores() {
        assert_eq!(Refusal::parse(b"ENOENT\0"), Refusal::NoEntry);
        assert_eq!(Refusal::parse(b"EQUOTA\0"), Refusal::Quota);
        assert_eq!(Refusal::parse(b"ENOSPC\0"), Refusal::Quota);
    }

    #[test]
    fn keeps_a_name_that_nobody_knows_printable() {
        let refusal = Refusal::parse(b"E\x1b[31m\0");
        assert_eq!(refusal.to_string(), r"the store answers E\x1b[31m");
    }
}
