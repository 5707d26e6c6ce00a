//! Watches of inotify(7) that cost no time at the end.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::path::Path;
use std::thread;
use std::time::Duration;

use io_uring::IoUring;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// An inotify instance and the watches that were set with it.
///
/// close(2) of one waits until the kernel has cleared its watches away: 8 to
/// 16 ms (`fsnotify_destroy_group`, `synchronize_srcu`), also at exit. So it
/// is put among the files of an io_uring(7), which lives on for a moment after
/// its process: the kernel clears it away later, by a thread of its own.
pub(crate) struct Watches {
    inotify: Inotify,
    set: Vec<WatchDescriptor>,
    /// Dropped last. `None` where the kernel or its administrator has none.
    keeper: Option<IoUring>,
}

/// Without a keeper: how long the kernel needs for the first step of clearing
/// watches away. If close(2) asks for the second one meanwhile, it takes the
/// slow way.
const CLEARING: Duration = Duration::from_micros(200);

/// Something happened at a watch; to a file of this name, if it is a folder's.
pub(crate) struct Event {
    pub mask: AddWatchFlags,
    pub name: Option<OsString>,
}

impl Watches {
    /// `None` where the kernel gives no more instances to this user (128 by
    /// default).
    pub(crate) fn new() -> Option<Self> {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        let inotify = Inotify::init(flags).ok()?;
        Some(Self {
            keeper: keep(&inotify),
            inotify,
            set: vec![],
        })
    }

    /// Sets a watch. One that is there already is the same again.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        events: AddWatchFlags,
    ) -> Result<WatchDescriptor, Errno> {
        let watch = self.inotify.add_watch(path, events)?;
        if !self.set.contains(&watch) {
            self.set.push(watch);
        }
        Ok(watch)
    }

    /// The events that are there.
    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.inotify.read_events().unwrap_or_default();
        let event = |event: nix::sys::inotify::InotifyEvent| Event {
            mask: event.mask,
            name: event.name,
        };
        events.into_iter().map(event).collect()
    }
}

impl AsFd for Watches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

fn keep(inotify: &Inotify) -> Option<IoUring> {
    let ring = IoUring::new(1).ok()?;
    let files = [inotify.as_fd().as_raw_fd()];
    ring.submitter().register_files(&files).ok()?;
    Some(ring)
}

impl Drop for Watches {
    fn drop(&mut self) {
        if self.keeper.is_some() {
            return;
        }
        for watch in self.set.drain(..) {
            // One on a folder that is gone has gone with it.
            let _ = self.inotify.rm_watch(watch);
        }
        thread::sleep(CLEARING);
    }
}
