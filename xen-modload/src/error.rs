//! What can go wrong, and the exit status that says so.

use std::io;
use std::path::{Path, PathBuf};

/// What is wrong, and the exit status that says so: for what does not stop the
/// rest.
pub type Problem = (String, u8);

/// A reason for which the modules are not as asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// An environment variable is wrong.
    #[error("{variable}: {what}")]
    Setting {
        /// Its name.
        variable: String,
        /// What is wrong with it.
        what: String,
    },

    /// The kernel does not run under Xen.
    #[error("not running under Xen")]
    NotUnderXen,

    /// No folder of modules for this release.
    #[error("no modules of kernel {release}: {} is not there", .folder.display())]
    NoModules {
        /// The kernel, as `uname -r` names it.
        release: String,
        /// Where they would be.
        folder: PathBuf,
    },

    /// Below a root it is not clear which kernel is meant.
    #[error("{what} below {} (choose with --kernel)", .folder.display())]
    WhichKernel {
        /// `no kernel`, or those that were found.
        what: String,
        /// Where it was looked for.
        folder: PathBuf,
    },

    /// No configuration to check.
    #[error("no configuration of kernel {release}: none of {} is there", .places.join(", "))]
    NoConfiguration {
        /// The kernel, as `uname -r` names it.
        release: String,
        /// Where it was looked for.
        places: Vec<String>,
    },

    /// The configuration lacks what a Dom0 needs.
    #[error("kernel {release} lacks {}", .options.join(", "))]
    Lacks {
        /// The kernel, as `uname -r` names it.
        release: String,
        /// The options, with `CONFIG_`.
        options: Vec<String>,
    },

    /// A file that decides has content nobody can go by.
    #[error("{}: {what}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// Loading and unloading need a right that this process lacks.
    #[error("{doing} {module}: not permitted: {why}")]
    NotPermitted {
        /// `load` or `unload`.
        doing: &'static str,
        /// The module that was tried.
        module: String,
        /// Which right.
        why: &'static str,
    },

    /// Required modules are not there.
    #[error("{}", .problems.join("; "))]
    Required {
        /// `NAME: what became of it`, each.
        problems: Vec<String>,
        /// The exit status that fits them.
        status: u8,
    },

    /// Modules that could not be unloaded.
    #[error("{}", .problems.join("; "))]
    Busy {
        /// `unload NAME: why not`, each.
        problems: Vec<String>,
        /// The exit status that fits them.
        status: u8,
    },

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

    /// What an environment variable says wrongly.
    pub(crate) fn setting(variable: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Setting {
            variable: variable.into(),
            what: what.into(),
        }
    }

    /// A file that decides could not be read, for want of a right or because
    /// it is none.
    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => {
                Self::system(format!("read {}", path.display()), source)
            }
            _ => Self::unreadable(path, source.to_string()),
        }
    }

    /// A file that cannot be gone by.
    pub(crate) fn unreadable(path: &Path, what: impl Into<String>) -> Self {
        Self::Unreadable {
            path: path.to_path_buf(),
            what: what.into(),
        }
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotPermitted { .. } => 4,
            Self::NotUnderXen
            | Self::NoModules { .. }
            | Self::WhichKernel { .. }
            | Self::NoConfiguration { .. }
            | Self::Lacks { .. } => 5,
            Self::Setting { .. } | Self::Unreadable { .. } => 6,
            Self::Required { status, .. } | Self::Busy { status, .. } => *status,
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => 4,
                _ => 1,
            },
        }
    }
}
