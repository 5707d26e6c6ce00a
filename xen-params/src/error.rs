//! What can go wrong, and the exit status that says so.

use std::io;
use std::path::PathBuf;

/// A reason for which there is no line, or it is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line of this program is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// A setting is wrong, whose fault it may be.
    #[error("{}: {what}", .variable.as_deref().unwrap_or(.flag))]
    Setting {
        /// Its flag.
        flag: String,
        /// The variable that it comes from, if it comes from one.
        variable: Option<String>,
        /// What is wrong.
        what: String,
    },

    /// A line that a setting gave is wrong, and is to be installed.
    #[error("{}: {what}", .variable.as_deref().unwrap_or(.flag))]
    WrongLine {
        /// Its flag.
        flag: String,
        /// The variable that it comes from, if it comes from one.
        variable: Option<String>,
        /// What is wrong.
        what: String,
    },

    /// A parameter that Xen would not take, or a format could not carry.
    #[error("{0}")]
    Parameter(String),

    /// An option that a boot loader's file cannot carry.
    #[error("{word}: {what}")]
    Uncarried {
        /// The option.
        word: String,
        /// Why not.
        what: String,
    },

    /// The same, but it is to be installed.
    #[error("{0}")]
    Configured(String),

    /// `lint` found errors; they stand on stdout.
    #[error("{} found", counted(*.errors, *.warnings))]
    Lint {
        /// How many.
        errors: usize,
        /// How many warnings, where these count.
        warnings: usize,
    },

    /// A file to look at holds no command line of Xen.
    #[error("{0}: no command line of Xen in it")]
    NoLine(String),

    /// `diff` found differences; they stand on stdout.
    #[error("the lines differ")]
    Different,

    /// A machine whose Dom0 this program knows nothing of.
    #[error("{0}: no table of Xen's options for this machine (only x86_64 and aarch64)")]
    Architecture(String),

    /// Asked to explain what Xen does not know.
    #[error("{0}")]
    NoOption(String),

    /// No option of the table matches.
    #[error("no option of Xen matches {pattern}")]
    NoMatch {
        /// What was looked for.
        pattern: String,
    },

    /// There is no hypervisor to link to.
    #[error("{}: no hypervisor there (name one with --xen-file)", .looked_at.display())]
    NoHypervisor {
        /// The file, or the pattern.
        looked_at: PathBuf,
    },

    /// A file that a setting names is not there.
    #[error("{}: {}: no such file", .variable.as_deref().unwrap_or(.flag), .path.display())]
    NoFile {
        /// The setting's flag.
        flag: String,
        /// The variable that it comes from, if it comes from one.
        variable: Option<String>,
        /// The file.
        path: PathBuf,
    },

    /// No kernel that can be a Dom0, or nothing that tells its command line.
    #[error("{what}")]
    NoKernel {
        /// What is missing, and the option that names one.
        what: String,
    },

    /// GRUB takes every `xen*` in its folder for a hypervisor.
    #[error("{}: GRUB would take xen.gz and xen-params there for hypervisors (use --format grub, or another folder)", .dir.display())]
    BootFolder {
        /// The folder asked for.
        dir: PathBuf,
    },

    /// A file that this program did not write.
    #[error("{}: {found}, not written by xen-params (replace it with --force)", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is there, in words.
        found: String,
    },

    /// A file or folder is not what it must be.
    #[error("{}: {what}", .path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// Another install is at work, and does not end.
    #[error("wait for the lock of {}: another install holds it", .root.display())]
    Busy {
        /// The root that it installs below.
        root: PathBuf,
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

    /// A wrong setting, so far blamed on its flag.
    pub(crate) fn setting(flag: &str, what: impl Into<String>) -> Self {
        Self::Setting {
            flag: flag.to_owned(),
            variable: None,
            what: what.into(),
        }
    }

    /// A line that is not installed, so far blamed on its flag.
    pub(crate) fn wrong_line(flag: String, what: String) -> Self {
        Self::WrongLine {
            flag,
            variable: None,
            what,
        }
    }

    /// The same error, blamed on the variable that the setting comes from.
    pub(crate) fn blamed(self, variables: &[(String, String)]) -> Self {
        let from = |flag: &str| {
            let from = variables.iter().find(|(name, _)| name == flag);
            from.map(|(_, variable)| variable.clone())
        };
        match self {
            Self::Setting { flag, what, .. } => Self::Setting {
                variable: from(&flag),
                flag,
                what,
            },
            Self::WrongLine { flag, what, .. } => Self::WrongLine {
                variable: from(&flag),
                flag,
                what,
            },
            Self::NoFile { flag, path, .. } => Self::NoFile {
                variable: from(&flag),
                flag,
                path,
            },
            other => other,
        }
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Parameter(_)
            | Self::Uncarried { .. }
            | Self::Setting { variable: None, .. } => 2,
            Self::Architecture(_)
            | Self::NoOption(_)
            | Self::NoMatch { .. }
            | Self::NoLine(_)
            | Self::NoHypervisor { .. }
            | Self::NoFile { .. }
            | Self::NoKernel { .. } => 5,
            Self::Configured(_)
            | Self::Setting { .. }
            | Self::WrongLine { .. }
            | Self::Lint { .. }
            | Self::Different
            | Self::BootFolder { .. }
            | Self::Foreign { .. }
            | Self::Unfit { .. } => 6,
            Self::Busy { .. } => 7,
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => 4,
                _ => 1,
            },
        }
    }
}

/// `1 error and 2 warnings`.
fn counted(errors: usize, warnings: usize) -> String {
    let one = |count: usize, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        _ => Some(format!("{count} {name}s")),
    };
    let parts = [one(errors, "error"), one(warnings, "warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" and ")
}
