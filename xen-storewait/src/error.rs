//! What can go wrong, and the exit status that says so.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::escape::one_line;
use crate::fault::Fault;
use crate::{Refusal, Seen, seconds};

/// A reason for which the store, or what was asked of it, is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// An environment variable holds what its option would not take.
    #[error("{variable}: {what}")]
    Variable {
        /// The variable.
        variable: String,
        /// Its value, and what is wrong with it.
        what: String,
    },

    /// No store answered before the deadline.
    #[error("no answer from the store{}: {seen}{}", within(*.given), if *.under_xen { "" } else { "; not under Xen" })]
    NotInTime {
        /// The time that was given; zero for a single try.
        given: Duration,
        /// What was seen last.
        seen: Seen,
        /// The kernel runs under Xen.
        under_xen: bool,
    },

    /// The store answers, but a node is not yet as it was waited for.
    #[error("wait for {awaited}: {seen}{}", after(*.given))]
    NotYet {
        /// The node, or its absence, in words.
        awaited: String,
        /// What it is now, in words.
        seen: String,
        /// The time that was given; zero for a single look.
        given: Duration,
    },

    /// What the process that set the watch said at its end.
    #[error("{what}")]
    Elsewhere {
        /// Its words.
        what: String,
        /// Its exit status; `None` if it was killed.
        status: Option<u8>,
    },

    /// One request was not answered by the deadline.
    #[error("{doing}: no answer in time{}", part_of_reply(*.received))]
    Late {
        /// What was asked for.
        doing: String,
        /// So many bytes of a reply had come.
        received: usize,
    },

    /// With `--hold`: the store no longer answers.
    #[error("{}: the store has been silent for {} s", .path.display(), seconds::print(*.silence))]
    Silent {
        /// The socket or device.
        path: PathBuf,
        /// For how long.
        silence: Duration,
    },

    /// The store has closed the connection: it died, or was restarted.
    #[error("{doing}: the store closed the connection on {}", .path.display())]
    Died {
        /// What was asked for.
        doing: String,
        /// The socket or device.
        path: PathBuf,
    },

    /// The store said no.
    #[error("{doing}: {refusal}")]
    Refused {
        /// What was asked for.
        doing: String,
        /// Its reason.
        refusal: Refusal,
    },

    /// What came is no reply to the request.
    #[error("{doing}: {} gave a wrong answer: {what}", .path.display())]
    Wrong {
        /// What was asked for.
        doing: String,
        /// The socket or device.
        path: PathBuf,
        /// What came.
        what: String,
    },

    /// No store takes such a path.
    #[error("\"{path}\": no path of the store: {why}")]
    BadPath {
        /// The path, or the beginning of it.
        path: String,
        /// What is wrong with it.
        why: String,
    },

    /// A request that the store would answer by closing the connection.
    #[error("{doing}: a request of {length} bytes is too long for the store")]
    TooLong {
        /// What was asked for.
        doing: String,
        /// The length of the payload.
        length: usize,
    },

    /// Another one is starting a store and did not come to an end in time.
    #[error("lock {}: held by another start for more than {} s", .path.display(), seconds::print(*.given))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The time that was given.
        given: Duration,
    },

    /// A store was heard in this boot, and none lives.
    #[error(
        "the store of this boot has died, and nothing but a reboot makes this a working Dom0 \
         again (--force starts a new, empty one)"
    )]
    Lost,

    /// The daemon that was to be started is not there.
    #[error("start {program}: {source}")]
    NoProgram {
        /// The daemon.
        program: String,
        /// The kernel's answer.
        source: io::Error,
    },

    /// A setting or a file has content that cannot be used.
    #[error("{what}")]
    BadSetting {
        /// The setting, and what is wrong with it.
        what: String,
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

fn within(given: Duration) -> String {
    if given.is_zero() {
        return String::new();
    }
    format!(" within {} s", seconds::print(given))
}

fn after(given: Duration) -> String {
    if given.is_zero() {
        return String::new();
    }
    format!(" after {} s", seconds::print(given))
}

fn part_of_reply(bytes: usize) -> String {
    if bytes == 0 {
        return String::new();
    }
    format!(" (only {bytes} bytes of one)")
}

impl Error {
    /// A failed system call, with what was being done.
    pub(crate) fn system(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::System {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// A request without a good reply, with what was asked for.
    pub(crate) fn of_request(doing: String, path: &Path, fault: Fault) -> Self {
        let path = path.to_path_buf();
        match fault {
            Fault::Late(received) => Self::Late { doing, received },
            Fault::Closed => Self::Died { doing, path },
            Fault::Wrong(what) => Self::Wrong { doing, path, what },
            Fault::TooLong(length) => Self::TooLong { doing, length },
            Fault::Refused(refusal) => Self::Refused { doing, refusal },
            Fault::System(source) => Self::System { doing, source },
        }
    }

    /// The error as one line, whatever the paths in it hold.
    #[must_use]
    pub fn line(&self) -> String {
        one_line(&self.to_string())
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::BadPath { .. } | Self::TooLong { .. } => 2,
            Self::Refused {
                refusal: Refusal::NotPermitted,
                ..
            } => 4,
            Self::Elsewhere { status, .. } => status.unwrap_or(1),
            Self::NoProgram { .. } => 5,
            Self::Variable { .. } | Self::BadSetting { .. } | Self::Lost => 6,
            Self::NotInTime { .. }
            | Self::NotYet { .. }
            | Self::Late { .. }
            | Self::Silent { .. }
            | Self::Locked { .. }
            // Tried again until the deadline: somebody else was always first.
            | Self::Refused {
                refusal: Refusal::Again,
                ..
            } => 7,
            Self::Died { .. } | Self::Refused { .. } | Self::Wrong { .. } => 1,
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => 4,
                _ => 1,
            },
        }
    }
}
