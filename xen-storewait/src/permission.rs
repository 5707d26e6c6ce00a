//! Who may read and write a node.

use std::fmt;

use crate::wire::decimal;

/// What a domain may do with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Read it.
    Read,
    /// Write it.
    Write,
    /// Both.
    Both,
}

/// One entry of a node's permissions (`docs/misc/xenstore.txt`): `n0`, `r5`.
///
/// The first entry names the owner, who may always do everything, and says
/// what domains may do that have no entry of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What the domain may do.
    pub access: Access,
    /// The domain.
    pub domid: u16,
}

impl Permission {
    /// From its text, such as `r5`; `None` where it is none.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (letter, domid) = text.split_first()?;
        let access = match letter {
            b'n' => Access::None,
            b'r' => Access::Read,
            b'w' => Access::Write,
            b'b' => Access::Both,
            _ => return None,
        };
        let domid = decimal(domid)?;
        Some(Self { access, domid })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.access {
            Access::None => 'n',
            Access::Read => 'r',
            Access::Write => 'w',
            Access::Both => 'b',
        };
        write!(formatter, "{letter}{}", self.domid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_letter_and_a_domid() {
        let permission = Permission::parse(b"b32752").unwrap();
        assert_eq!(permission.access, Access::Both);
        assert_eq!(permission.domid, 32752);
        assert_eq!(permission.to_string(), "b32752");
    }

    #[test]
    fn is_nothing_else() {
        for text in [&b""[..], b"n", b"x0", b"r-1", b"r65536", b"r+5", b"r\xff"] {
            assert_eq!(Permission::parse(text), None);
        }
    }
}
