//! What can go wrong, and the exit status that says so.

use std::io;

use nix::errno::Errno;

use crate::netlink::Failure;

/// A reason for which the bridge is not as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0} (see --help)")]
    Usage(String),

    /// An environment variable holds what its option would not take.
    #[error("{variable}: {what}")]
    Setting {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        what: String,
    },

    /// Asked to show a bridge, and nothing has its name.
    #[error("{0}: no such bridge")]
    NoSuchBridge(String),

    /// A port that was named is not there.
    #[error("port {0}: no such interface")]
    NoSuchPort(String),

    /// A port that was named did not come.
    #[error("port {0}: no such interface within {1} s")]
    NotInTime(String, u32),

    /// A change was put back because nobody confirmed it.
    #[error("bridge {0}: {1}: everything is as it was before")]
    Unconfirmed(String, String),

    /// A change was put back because somebody asked to stop.
    #[error("stopped by {0}: everything is as it was before")]
    Interrupted(&'static str),

    /// What nobody can put back: what a port was set to that was released, or
    /// that a bridge had no hardware address.
    #[error("{source}, but for {what}")]
    ButFor {
        /// All else was put back.
        source: Box<Error>,
        /// In words.
        what: String,
    },

    /// A change was put back because the watcher died.
    #[error("the watcher is dead: everything is as it was before")]
    NoWatcher,

    /// What was taken from an uplink is there all the same.
    #[error("take {what} from {uplink}: it is still there, or there again")]
    StillThere {
        /// The address or route.
        what: String,
        /// The uplink.
        uplink: String,
    },

    /// There is nothing that could be confirmed.
    #[error("bridge {0}: no change waits to be confirmed")]
    NothingToConfirm(String),

    /// A change that was left half-way cannot be confirmed.
    #[error("bridge {0}: the change was left half-way: put it back with xen-bridge restore {0}")]
    HalfDone(String),

    /// A change that waits to be confirmed is in the way of another.
    #[error("bridge {0}: a change waits for xen-bridge confirm {0}, or restore {0}")]
    Waiting(String),

    /// The kernel knows no interface of kind `bridge`, not even as a module.
    #[error("make bridge {0}: this kernel has no bridges (CONFIG_BRIDGE)")]
    NoBridges(String),

    /// The kernel's bridges cannot heed VLAN tags.
    #[error("bridge {0}: this kernel has no VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)")]
    NoVlanFiltering(String),

    /// Something else has the bridge's name.
    #[error("{name} is {kind}, not a bridge")]
    NotABridge {
        /// The name.
        name: String,
        /// What has it, with its article.
        kind: String,
    },

    /// The bridge that a record is about has another name by now.
    #[error(
        "bridge {bridge} is called {now} now: call it {bridge} again, or remove /run/xen-bridge/{bridge}"
    )]
    Renamed {
        /// The name that it had.
        bridge: String,
        /// The name that it has.
        now: String,
    },

    /// A port that would not work, or whose host would be cut off.
    #[error("port {port}: {why}")]
    UnfitPort {
        /// The port's name.
        port: String,
        /// The reason.
        why: String,
    },

    /// A setting that contradicts what the bridge has.
    #[error("bridge {bridge}: {why}")]
    Contradiction {
        /// The bridge's name.
        bridge: String,
        /// The contradiction.
        why: String,
    },

    /// The bridge is not to be taken away from under somebody.
    #[error("bridge {bridge} is in use: {users} (take it down all the same with --force)")]
    InUse {
        /// The bridge's name.
        bridge: String,
        /// Guests' interfaces, foreign ports and addresses.
        users: String,
    },

    /// The record of what `up` made cannot be understood.
    #[error("{path}: {why}")]
    BadRecord {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },

    /// The kernel refused a request, or could not be asked.
    #[error("{doing}: {failure}")]
    Netlink {
        /// What was being done, to what.
        doing: String,
        /// The kernel's answer.
        failure: Failure,
    },

    /// A failure half-way, after which not everything could be taken back.
    #[error("{cause}; and then, {undoing}")]
    HalfWay {
        /// The first failure.
        cause: Box<Error>,
        /// The failure of taking back.
        undoing: Box<Error>,
    },

    /// A change could not be put back.
    #[error(
        "{source} ({path} keeps what is to be put back: xen-bridge restore {bridge} tries again)"
    )]
    NotPutBack {
        /// The bridge's name.
        bridge: String,
        /// The journal.
        path: String,
        /// The first refusal.
        source: Box<Error>,
    },

    /// A change was put back, but for a route that the kernel did not take.
    #[error("{0}: all else is as it was before")]
    RouteLost(Box<Error>),

    /// All was taken down, but for a route that the kernel did not take.
    #[error("{0}: all else is done")]
    NotGivenBack(Box<Error>),

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

    /// A failed request, with what was being done.
    pub(crate) fn netlink(doing: impl Into<String>, failure: Failure) -> Self {
        Self::Netlink {
            doing: doing.into(),
            failure,
        }
    }

    /// A route's gateway is not in reach.
    pub(crate) fn is_unreachable(&self) -> bool {
        let is = |errno| match self {
            Self::Netlink { failure, .. } => failure.is_refusal() && failure.is(errno),
            _ => false,
        };
        is(Errno::ENETUNREACH) || is(Errno::EHOSTUNREACH)
    }

    /// The exit status, as the manual page lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NoSuchBridge(_)
            | Self::NoSuchPort(_)
            | Self::NothingToConfirm(_)
            | Self::NoBridges(_)
            | Self::NoVlanFiltering(_) => 5,
            Self::Setting { .. }
            | Self::HalfDone(_)
            | Self::Waiting(_)
            | Self::NotABridge { .. }
            | Self::Renamed { .. }
            | Self::UnfitPort { .. }
            | Self::Contradiction { .. }
            | Self::InUse { .. }
            | Self::BadRecord { .. } => 6,
            Self::NotInTime(..) | Self::Unconfirmed(..) => 7,
            Self::Interrupted(_) | Self::NoWatcher | Self::StillThere { .. } => 1,
            Self::HalfWay { cause: error, .. }
            | Self::ButFor { source: error, .. }
            | Self::NotPutBack { source: error, .. }
            | Self::RouteLost(error)
            | Self::NotGivenBack(error) => error.exit_status(),
            Self::Netlink { failure, .. } => status_of(&failure.source),
            Self::System { source, .. } => status_of(source),
        }
    }
}

fn status_of(source: &io::Error) -> u8 {
    match source.kind() {
        io::ErrorKind::PermissionDenied => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_not_permitted_for_both_errnos() {
        for errno in [Errno::EPERM, Errno::EACCES] {
            assert_eq!(Error::system("make bridge xenbr0", errno).exit_status(), 4);
        }
        assert_eq!(Error::system("x", Errno::EIO).exit_status(), 1);
    }
}
