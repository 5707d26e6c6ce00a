//! Versions of the hypervisor.

use std::fmt;
use std::str::FromStr;

/// A release of Xen, such as 4.17. Options come and go with these; the third
/// number of a stable release changes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl Version {
    /// The first release that the table of options tells apart from others.
    pub const OLDEST: Self = Self {
        major: 4,
        minor: 15,
    };

    /// The last, which was in the making when the table was.
    pub const NEWEST: Self = Self {
        major: 4,
        minor: 23,
    };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Takes what follows the second number for a patch level or a suffix:
    /// `4.17`, `4.17.4`, `4.17-amd64`, `4.23-unstable`.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no version of Xen, such as 4.17");
        let (major, rest) = text.split_once('.').ok_or_else(bad)?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (minor, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if !rest.is_empty() && !rest.starts_with(['.', '-', '+', '~']) {
            return Err(bad());
        }
        Ok(Self {
            major: number(major).ok_or_else(bad)?,
            minor: number(minor).ok_or_else(bad)?,
        })
    }
}

fn number(digits: &str) -> Option<u16> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases_with_and_without_suffixes() {
        let xen = Version {
            major: 4,
            minor: 17,
        };
        for text in ["4.17", "4.17.4", "4.17-amd64", "4.17.0-rc3", "4.17+1"] {
            assert_eq!(text.parse(), Ok(xen), "{text}");
        }
        for text in ["", "4", "4.", "x.y", "4.17x", "+4.17", "4.99999999"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn orders_by_number_and_not_by_letter() {
        assert!("4.9".parse::<Version>() < "4.17".parse::<Version>());
    }
}
