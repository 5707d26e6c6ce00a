//! What is asked of a store that answers, in the order of the command line.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::Error;
use crate::calls::check_path;
use crate::escape::escape;
use crate::link::payload_max;

/// Makes an action of a flag's value.
type Parse = fn(&[u8]) -> Result<Action, Error>;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write the name and the number of domain 0 unless they are there.
    SeedDom0,
    /// Set the value of a node.
    Write {
        /// The node.
        path: Vec<u8>,
        /// Its new value.
        value: Vec<u8>,
    },
    /// Print the value of a node.
    Read {
        /// The node.
        path: Vec<u8>,
    },
    /// Wait until a node is as expected.
    Wait {
        /// The node.
        path: Vec<u8>,
        /// How it shall be.
        expected: Expected,
    },
}

/// How a node shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// There, with any value.
    There,
    /// Not there.
    Gone,
    /// There, with this value.
    Value(Vec<u8>),
}

impl Expected {
    /// Whether a node that has this value, or is not there, is as expected.
    #[must_use]
    pub fn is_met_by(&self, value: Option<&[u8]>) -> bool {
        match self {
            Self::There => value.is_some(),
            Self::Gone => value.is_none(),
            Self::Value(expected) => value == Some(expected),
        }
    }

    /// As it is written for `--wait`.
    pub(crate) fn condition(&self, path: &[u8]) -> OsString {
        OsString::from_vec(match self {
            Self::There => path.to_vec(),
            Self::Gone => [b"!", path].concat(),
            Self::Value(value) => [path, b"=", value].concat(),
        })
    }
}

impl Action {
    /// The actions that were named, in the order in which they were.
    ///
    /// # Errors
    /// [`Error::Usage`]: `--write` without a value; [`Error::BadPath`];
    /// [`Error::TooLong`].
    pub fn in_order(matches: &ArgMatches) -> Result<Vec<Self>, Error> {
        let mut found: Vec<(usize, Self)> = vec![];
        let longest = payload_max(matches.get_flag("device"));
        if matches.value_source("seed_dom0") == Some(ValueSource::CommandLine) {
            let index = matches.index_of("seed_dom0").unwrap_or_default();
            found.push((index, Self::SeedDom0));
        }
        let parsers: [(&str, Parse); 3] = [
            ("write", Self::parse_write),
            ("read", Self::parse_read),
            ("wait", Self::parse_wait),
        ];
        for (name, parse) in parsers {
            let values = matches.get_many::<OsString>(name).into_iter().flatten();
            let indices = matches.indices_of(name).into_iter().flatten();
            for (index, value) in indices.zip(values) {
                let before = found.iter().take_while(|(other, _)| *other < index);
                let action = parse(value.as_bytes())?;
                action.check(longest)?;
                found.insert(before.count(), (index, action));
            }
        }
        Ok(found.into_iter().map(|(_, action)| action).collect())
    }

    /// Not only once a store is there.
    fn check(&self, longest: usize) -> Result<(), Error> {
        match self {
            Self::SeedDom0 => Ok(()),
            Self::Write { path, value } => {
                check_path(path)?;
                let length = path.len() + 1 + value.len();
                if length > longest {
                    let doing = format!("write {}", escape(path));
                    return Err(Error::TooLong { doing, length });
                }
                Ok(())
            }
            Self::Read { path } | Self::Wait { path, .. } => check_path(path),
        }
    }

    fn parse_write(text: &[u8]) -> Result<Self, Error> {
        let Some((path, value)) = split_at_equals(text) else {
            let why = format!("--write {}: PATH=VALUE expected", escape(text));
            return Err(Error::Usage(why));
        };
        Ok(Self::Write { path, value })
    }

    fn parse_read(text: &[u8]) -> Result<Self, Error> {
        let path = text.to_vec();
        Ok(Self::Read { path })
    }

    fn parse_wait(text: &[u8]) -> Result<Self, Error> {
        let (path, expected) = match (text.strip_prefix(b"!"), split_at_equals(text)) {
            (Some(_), Some(_)) => {
                let why = format!("--wait {}: ! goes with a path alone", escape(text));
                return Err(Error::Usage(why));
            }
            (Some(path), None) => (path.to_vec(), Expected::Gone),
            (None, Some((path, value))) => (path, Expected::Value(value)),
            (None, None) => (text.to_vec(), Expected::There),
        };
        Ok(Self::Wait { path, expected })
    }
}

fn split_at_equals(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let (path, value) = text.split_at(at);
    Some((path.to_vec(), value.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_equals_sign() {
        assert_eq!(
            Action::parse_write(b"/a=b=c\n").unwrap(),
            Action::Write {
                path: b"/a".to_vec(),
                value: b"b=c\n".to_vec()
            }
        );
        assert!(Action::parse_write(b"/a").is_err());
    }

    #[test]
    fn waits_for_presence_absence_or_a_value() {
        let expected = |text: &[u8]| match Action::parse_wait(text).unwrap() {
            Action::Wait { path, expected } => {
                assert_eq!(path, b"/a");
                assert_eq!(expected.condition(&path).as_bytes(), text);
                expected
            }
            _ => unreachable!(),
        };
        assert_eq!(expected(b"/a"), Expected::There);
        assert_eq!(expected(b"!/a"), Expected::Gone);
        assert_eq!(expected(b"/a=1"), Expected::Value(b"1".to_vec()));
        assert_eq!(expected(b"/a="), Expected::Value(vec![]));
        assert!(Action::parse_wait(b"!/a=1").is_err());
    }

    #[test]
    fn tells_an_empty_value_from_an_absent_node() {
        assert!(Expected::There.is_met_by(Some(b"")));
        assert!(!Expected::Gone.is_met_by(Some(b"")));
        assert!(Expected::Gone.is_met_by(None));
        assert!(Expected::Value(vec![]).is_met_by(Some(b"")));
        assert!(!Expected::Value(vec![]).is_met_by(None));
    }
}
