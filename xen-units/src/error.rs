//! What can go wrong, and the exit status that says so.

use std::io;
use std::path::PathBuf;

use crate::XenVersion;

/// A reason for which the chain could not be written or shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// A name that is no service of the chain.
    #[error("{0}: no such service (see xen-units list)")]
    NoSuchService(String),

    /// A service that has no such command, such as one to stop it.
    #[error("{service}: {what}")]
    NoSuchCommand {
        /// The service.
        service: &'static str,
        /// What it has not.
        what: &'static str,
    },

    /// A program of the Xen package is nowhere.
    #[error("{tool} is not installed: looked for {}", .looked.join(", "))]
    NotInstalled {
        /// The program, such as `xenconsoled`.
        tool: String,
        /// Every path that was tried, in order, without the root.
        looked: Vec<String>,
    },

    /// A socket of our own, and a store daemon that takes none.
    #[error("--store-socket: {}", match .version {
        Some(version) => format!("Xen {version} makes its own socket, as all do from 4.8 on"),
        None => "only for Xen before 4.8; name it with --xen".to_owned(),
    })]
    OwnSocket {
        /// The version that was asked about, if any is known.
        version: Option<XenVersion>,
    },

    /// Another chain that is started at boot.
    #[error("another chain is enabled: {0} ({1})")]
    Rivals(String, &'static str),

    /// What enables the chain and is not ours to take away.
    #[error("the chain is enabled still, by {}, which is left as it is", listed(.0))]
    StillEnabled(Vec<PathBuf>),

    /// A service that a generator writes the others without.
    #[error("{0} is left out: {1}")]
    LeftOut(&'static str, Box<Error>),

    /// Something that cannot be done on this machine, or by this program.
    #[error("{0}: {1}")]
    NotHere(&'static str, String),

    /// What `verify` has found is in its answer.
    #[error("{0} found")]
    Found(usize),

    /// A settings file or variable that cannot be followed.
    #[error("{place}: {what}")]
    Setting {
        /// The file and line, or the variable.
        place: String,
        /// What is wrong with it.
        what: String,
    },

    /// A file in the way that somebody else wrote.
    #[error("{}: not written by xen-units, left as it is (overwrite it with --force)", .0.display())]
    NotOurs(PathBuf),

    /// A file of ours that somebody has changed since.
    #[error("{}: changed since xen-units wrote it, left as it is (overwrite it with --force)", .0.display())]
    Changed(PathBuf),

    /// A system call failed.
    #[error("{doing}: {source}")]
    System {
        /// What was being done, to what.
        doing: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl Error {
    /// A failed system call, with what was being done.
    pub(crate) fn system(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::System {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::NoSuchService(_) | Self::NoSuchCommand { .. } => 2,
            Self::NotInstalled { .. } | Self::OwnSocket { .. } | Self::NotHere(..) => 5,
            Self::Found(_)
            | Self::Rivals(..)
            | Self::StillEnabled(_)
            | Self::Setting { .. }
            | Self::NotOurs(_)
            | Self::Changed(_) => 6,
            Self::LeftOut(_, source) => source.exit_status(),
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => 4,
                _ => 1,
            },
        }
    }
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    paths.join(", ")
}
