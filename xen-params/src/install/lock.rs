//! The lock by which installations take turns: what one has read must still be
//! so when it writes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::Error;

/// Longer than any installation takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lock of the root that the machine itself has.
const OF_MACHINE: &str = "/run/xen-params.lock";

/// flock(2) knows no deadline, and of a folder nothing tells when it is let go.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes it, or waits for it. The machine's own is a file that only root may
    /// open: whoever may open a file may hold a lock on it. Another root's is on
    /// that folder itself: it is there before anything is made, whatever files
    /// are to be written. `None` where it cannot be opened, which the first look
    /// at the root tells better, or where its file system has no locks.
    ///
    /// # Errors
    /// Another one does not let it go.
    pub(crate) fn take(root: &Path) -> Result<Option<Self>, Error> {
        Self::take_within(root, PATIENCE)
    }

    fn take_within(root: &Path, patience: Duration) -> Result<Option<Self>, Error> {
        let begin = Instant::now();
        let opened = if root == Path::new("/") {
            let mut options = OpenOptions::new();
            options
                .write(true)
                .create(true)
                .mode(0o600)
                .open(OF_MACHINE)
        } else {
            File::open(root)
        };
        let Ok(mut file) = opened else {
            return Ok(None);
        };
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => return Ok(Some(Self { _file: file })),
                Err((file, Errno::EWOULDBLOCK)) => file,
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
