//! The lock by which installations take turns: what one has read must still be
//! so when it writes.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::Error;

/// Longer than any installation takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// flock(2) knows no deadline, and of a folder nothing tells when it is let go.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _root: Flock<File>,
}

impl Lock {
    /// Takes it, or waits for it. It is on the root itself: the one folder that
    /// is there before anything is made, whatever files are to be written.
    /// `None` where the root cannot be opened, which the first look at it tells
    /// better, or where its file system has no locks.
    ///
    /// # Errors
    /// Another one does not let it go.
    pub(crate) fn take(root: &Path) -> Result<Option<Self>, Error> {
        Self::take_within(root, PATIENCE)
    }

    fn take_within(root: &Path, patience: Duration) -> Result<Option<Self>, Error> {
        let begin = Instant::now();
        let Ok(mut folder) = File::open(root) else {
            return Ok(None);
        };
        loop {
            folder = match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
                Ok(root) => return Ok(Some(Self { _root: root })),
                Err((folder, Errno::EWOULDBLOCK)) => folder,
                Err(_) => return Ok(None),
            };
            if begin.elapsed() >= patience {
                return Err(Error::Busy {
                    root: root.to_path_buf(),
                });
            }
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock_of_a_root() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at_once = |root: &Path| Lock::take_within(root, Duration::ZERO);
        let held = at_once(root.path()).unwrap();
        assert!(held.is_some());
        let error = at_once(root.path()).unwrap_err();
        assert_eq!(error.exit_status(), 7);
        let waited_for = format!(
            "wait for the lock of {}: another install holds it",
            root.path().display()
        );
        assert_eq!(error.to_string(), waited_for);
        assert!(at_once(other.path()).unwrap().is_some());
        drop(held);
        assert!(at_once(root.path()).unwrap().is_some());
    }
}
