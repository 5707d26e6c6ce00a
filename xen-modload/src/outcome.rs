//! What becomes of a name.

use nix::errno::Errno;

use crate::Error;

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Loaded by this run.
    Loaded,
    /// The install line of a name that no module has ended well.
    RanCommand,
    /// Only looked: a run would load it.
    WouldLoad,
    /// It was there before, as a module.
    AlreadyLoaded,
    /// It is a part of the kernel.
    BuiltIn,
    /// A name of long ago.
    Obsolete {
        /// What it is today.
        now: String,
        /// What became of that; `None` where it is no module.
        then: Option<Box<Outcome>>,
    },
    /// This kernel has no such module.
    NotInKernel,
    /// This kernel has no such module, but one that is nearly called so.
    DidYouMean(String),
    /// modprobe.d or the kernel command line says not to load it.
    Blacklisted,
    /// The module found nothing to drive: ENODEV, ENXIO.
    NoSuchDevice,
    /// The kernel refused.
    Failed(Failure),
}

/// Why a module could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kernel's answer, if it was the kernel that refused.
    pub errno: Option<Errno>,
    /// In words.
    pub reason: String,
    /// The exit status that says so.
    pub status: u8,
    /// It lies at the module, and matters only where that is required. Not so
    /// a right that is lacking, or an index that cannot be gone by.
    pub own: bool,
}

impl Failure {
    /// The kernel's answer to finit_module(2), in its own terms: there ENOENT
    /// is no missing file, and ENOEXEC no wrong program.
    #[must_use]
    pub fn loading(errno: Errno) -> Self {
        let reason = match errno {
            Errno::ENOENT => "unknown symbol: a module that it needs is missing or another build",
            Errno::ENOEXEC => "not built for this kernel, or not a module",
            Errno::EKEYREJECTED | Errno::ENOKEY => "its signature is not one this kernel trusts",
            Errno::EBADMSG => "its signature is damaged",
            Errno::EPERM => "not permitted",
            Errno::EINVAL => "the kernel does not take it or its options",
            Errno::EBUSY => "what it drives is taken, or another run failed to load it",
            Errno::EEXIST => "the kernel says that it is there, and it is not",
            Errno::ENOSYS => "this kernel has no loadable modules",
            Errno::EOPNOTSUPP => "the kernel cannot decompress it",
            Errno::ETXTBSY => "its file is being written",
            Errno::E2BIG => "its options are too long",
            Errno::ENOMEM => "the kernel has no memory for it",
            _ => "the kernel does not say more",
        };
        Self::answered(errno, reason.to_owned())
    }

    fn answered(errno: Errno, reason: String) -> Self {
        let own = !matches!(errno, Errno::EPERM | Errno::EACCES);
        Self {
            errno: Some(errno),
            reason,
            status: if own { 1 } else { 4 },
            own,
        }
    }

    /// A failure that is not the kernel's.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            errno: None,
            reason: reason.into(),
            status: 1,
            own: true,
        }
    }

    /// What was met at this name and does not lie at it: what decides cannot be
    /// gone by, or nothing can be loaded.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let (errno, reason) = match error {
            Error::NotPermitted { why, .. } => {
                (Some(Errno::EPERM), format!("not permitted: {why}"))
            }
            _ => (None, error.to_string()),
        };
        Self {
            errno,
            reason,
            status: error.exit_status(),
            own: false,
        }
    }

    /// The same, met at another name.
    #[must_use]
    pub fn not_tried(error: &Error) -> Self {
        let met = Self::of(error);
        Self {
            errno: None,
            reason: format!("not tried: {}", met.reason),
            ..met
        }
    }

    /// The kernel was told to refuse it; that is EPERM too.
    #[must_use]
    pub fn refused(errno: Option<Errno>) -> Self {
        Self {
            errno,
            status: 6,
            ..Self::because("blacklisted by module_blacklist= on the kernel command line")
        }
    }

    /// The module asked for fails because of one that it needs: that is named.
    #[must_use]
    pub fn of_needed(self, module: &str) -> Self {
        Self {
            reason: format!("{} (of {module}, which it needs)", self.reason),
            ..self
        }
    }

    /// It turns out to lie at the module, and here is why.
    #[must_use]
    pub fn at_module(self, why: &str) -> Self {
        Self {
            reason: format!("{}: {why}", self.reason),
            own: true,
            ..self
        }
    }

    /// The failure of something else than loading, such as reading the file.
    #[must_use]
    pub fn doing(doing: &str, error: &std::io::Error) -> Self {
        let reason = format!("{doing}: {error}");
        match error.raw_os_error() {
            Some(errno) => Self::answered(Errno::from_raw(errno), reason),
            None => Self::because(reason),
        }
    }
}

impl Outcome {
    /// The words of the report.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Loaded => "loaded".to_owned(),
            Self::RanCommand => "ran its install line".to_owned(),
            Self::WouldLoad => "would load".to_owned(),
            Self::AlreadyLoaded => "already loaded".to_owned(),
            Self::BuiltIn => "built in".to_owned(),
            Self::Obsolete { now, .. } => format!("obsolete, now {now}"),
            Self::NotInKernel => "not in this kernel".to_owned(),
            Self::DidYouMean(other) => format!("did you mean {other}"),
            Self::Blacklisted => "blacklisted".to_owned(),
            Self::NoSuchDevice => "no such device".to_owned(),
            Self::Failed(Failure { errno, reason, .. }) => match errno {
                Some(errno) => format!("failed: {errno:?}, {reason}"),
                None => format!("failed: {reason}"),
            },
        }
    }

    /// The kernel has it now (or, where this is only a look, would have), or
    /// what stands in its place was done.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self {
            Self::Loaded
            | Self::RanCommand
            | Self::WouldLoad
            | Self::AlreadyLoaded
            | Self::BuiltIn => true,
            Self::Obsolete { then, .. } => then.as_ref().is_some_and(|then| then.is_there()),
            _ => false,
        }
    }

    /// The exit status where the name is required.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            _ if self.is_there() => 0,
            Self::Obsolete {
                then: Some(then), ..
            } => then.exit_status(),
            Self::Blacklisted => 6,
            Self::Failed(failure) => failure.status,
            _ => 5,
        }
    }

    /// It matters whether or not the name is required.
    #[must_use]
    pub fn always_matters(&self) -> bool {
        match self {
            Self::Failed(failure) => !failure.own,
            Self::Obsolete {
                then: Some(then), ..
            } => then.always_matters(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_are_told_in_the_kernels_terms() {
        let words = Outcome::Failed(Failure::loading(Errno::ENOENT)).words();
        assert!(
            words.starts_with("failed: ENOENT, unknown symbol"),
            "{words}"
        );
        let words = Outcome::Failed(Failure::loading(Errno::ENOMEM)).words();
        assert_eq!(words, "failed: ENOMEM, the kernel has no memory for it");
    }

    #[test]
    fn statuses_fit_the_table() {
        let status = |outcome: Outcome| outcome.exit_status();
        assert_eq!(status(Outcome::BuiltIn), 0);
        assert_eq!(status(Outcome::NotInKernel), 5);
        assert_eq!(status(Outcome::NoSuchDevice), 5);
        assert_eq!(status(Outcome::Blacklisted), 6);
        assert_eq!(status(Outcome::Failed(Failure::loading(Errno::EPERM))), 4);
        assert_eq!(status(Outcome::Failed(Failure::loading(Errno::ENOEXEC))), 1);
        let obsolete = |then| Outcome::Obsolete {
            now: "x".to_owned(),
            then,
        };
        assert_eq!(status(obsolete(Some(Box::new(Outcome::Loaded)))), 0);
        assert_eq!(status(obsolete(Some(Box::new(Outcome::Blacklisted)))), 6);
        assert_eq!(status(obsolete(None)), 5);
    }
}
