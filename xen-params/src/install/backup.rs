//! Where what has a name is kept before it is replaced.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Found, Step};
use crate::Error;

/// A name beside a file: `.bak`, or where somebody has that, `.bak.1` and so
/// on. What this program kept there may go; what it did not write never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The name.
    pub path: PathBuf,
    /// What has it: something of ours, or nothing.
    pub found: Found,
}

impl Backup {
    /// Looks for the name of a file. `is_ours` says whether this program made
    /// what has one.
    ///
    /// # Errors
    /// Something cannot be read.
    pub(super) fn read(
        of: &Path,
        is_ours: &dyn Fn(&Path, &Found) -> Result<bool, Error>,
    ) -> Result<Self, Error> {
        let mut path = with_ending(of, ".bak");
        let mut number = 1;
        loop {
            let found = Found::read(&path)?;
            if found == Found::Nothing || is_ours(&path, &found)? {
                return Ok(Self { path, found });
            }
            path = with_ending(of, &format!(".bak.{number}"));
            number += 1;
        }
    }

    /// What must be done before a name that others use is taken.
    pub(super) fn foreign(
        &self,
        path: PathBuf,
        found: &Found,
        force: bool,
    ) -> Result<Option<Step>, Error> {
        let what = match found {
            Found::File(_) if !force => "a file".to_owned(),
            Found::Link(target) if !force => format!("a link to {}", target.display()),
            _ => return self.kept(path, found),
        };
        Err(Error::Foreign { path, found: what })
    }

    /// What has a name is kept, if it is a file or a link.
    pub(super) fn kept(&self, path: PathBuf, found: &Found) -> Result<Option<Step>, Error> {
        match found {
            Found::Nothing => Ok(None),
            Found::Other(what) => Err(Error::Unfit {
                path,
                what: format!("{what}, which is not replaced"),
            }),
            Found::File(_) | Found::Link(_) => Ok(Some(Step::Keep {
                path,
                kept: self.path.clone(),
            })),
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
