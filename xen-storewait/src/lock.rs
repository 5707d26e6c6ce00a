//! The lock by which starts of a store take turns.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags};
use nix::sys::inotify::AddWatchFlags;

use crate::facts::below;
use crate::ladder::Ladder;
use crate::watches::Watches;
use crate::{Deadline, Error};

/// Whoever starts a store, or the whole chain, holds this.
pub const LOCK: &str = "/run/xen-dom0.lock";

/// The lock, held until this is dropped or the program replaces itself.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes it, or waits for it until the deadline.
    pub(crate) fn take(root: &Path, deadline: Deadline) -> Result<Self, Error> {
        let path = lock_path(root);
        let failed = |source: std::io::Error| {
            let doing = format!("lock {}", path.display());
            Error::system(doing, source)
        };
        // Rust opens every file with O_CLOEXEC.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => return Ok(Self { _file: file }),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, errno)) => return Err(failed(errno.into())),
        };
        // flock(2) knows no deadline. Whoever holds the lock lets it go by
        // closing the file, which inotify(7) tells: a moment too early, and
        // not where it is let go otherwise, so try again after that as well.
        let closed = watch_closing(&path);
        let mut ladder = Ladder::default();
        while !deadline.passed() {
            if sleep(closed.as_ref(), deadline.or_sooner(ladder.step())) {
                ladder.reset();
            }
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => return Ok(Self { _file: file }),
                Err((file, Errno::EWOULDBLOCK)) => file,
                Err((_, errno)) => return Err(failed(errno.into())),
            };
        }
        let given = deadline.given();
        Err(Error::Locked { path, given })
    }
}

/// A watch on the file being closed; `None` where the kernel gives none.
fn watch_closing(path: &Path) -> Option<Watches> {
    let mut watches = Watches::new()?;
    let closing = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_CLOSE_NOWRITE;
    watches.add(path, closing).ok()?;
    Some(watches)
}

/// Sleeps until then, or until the file was closed: `true`.
fn sleep(closed: Option<&Watches>, until: Deadline) -> bool {
    let descriptors = closed.map(|one| PollFd::new(one.as_fd(), PollFlags::POLLIN));
    let mut descriptors: Vec<PollFd<'_>> = descriptors.into_iter().collect();
    let woken = until.poll(&mut descriptors).unwrap_or(0) > 0;
    if let (true, Some(closed)) = (woken, closed) {
        // What is in it does not matter, but it must be empty to sleep again.
        let _ = closed.events();
    }
    woken
}

/// Closes the lock that a caller handed down open: the daemon would hold it
/// for as long as it lives. The caller's own copy goes on holding it.
pub(crate) fn close_inherited_lock(root: &Path) {
    let path = lock_path(root);
    let path = path.canonicalize().unwrap_or(path);
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<i32> = entries
        .flatten()
        .filter(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open {
        // That it is closed already is as good.
        let _ = nix::unistd::close(descriptor);
    }
}

fn lock_path(root: &Path) -> PathBuf {
    below(root, Path::new(LOCK))
}
