//! Tells when something may have appeared at a path that is not there yet.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::inotify::{AddWatchFlags, WatchDescriptor};

use crate::facts::below;
use crate::watches::Watches;

/// A watch on the folder of each path, or on the nearest folder above it that
/// is there; and on the table of mounts, since a file system mounted over a
/// folder (a fresh `/run`) raises no event in it.
pub(crate) struct Folders {
    /// `None` where the kernel gives no more of them to this user.
    kernel: Option<Watches>,
    mounts: Option<File>,
    paths: Vec<PathBuf>,
    /// Every name on the way to one of the paths.
    names: Vec<OsString>,
    /// Of each path.
    watches: Vec<Watch>,
}

/// How a path is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// Its own folder, by a watch of this number.
    Own(WatchDescriptor),
    /// Its own folder is not there; one above it is watched.
    Missing,
    /// Not, or not well enough to rely on.
    Unreliable,
}

impl Folders {
    pub(crate) fn new(paths: &[PathBuf], root: &Path) -> Self {
        let mut folders = Self {
            kernel: Watches::new(),
            mounts: File::open(below(root, Path::new("/proc/self/mountinfo"))).ok(),
            paths: paths.to_vec(),
            names: names_on_the_way(paths),
            watches: vec![],
        };
        folders.arm();
        folders
    }

    /// Sets the watches, all of them anew: a folder may have come, gone, or
    /// been covered. A watch that is there already is the same again.
    pub(crate) fn arm(&mut self) {
        let paths = self.paths.clone();
        self.watches = paths.iter().map(|path| self.watch(path)).collect();
    }

    fn watch(&mut self, path: &Path) -> Watch {
        let folders: Vec<&Path> = path.ancestors().skip(1).map(or_here).collect();
        let mut nearest = None;
        for (level, folder) in folders.iter().enumerate() {
            match self.add(folder) {
                Ok(watch) => {
                    nearest = Some((level, watch));
                    break;
                }
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(_) => return Watch::Unreliable,
            }
        }
        let Some((mut level, mut watch)) = nearest else {
            return Watch::Unreliable;
        };
        // The next folder may have been made before the watch above it was
        // set, which told nobody; so look down again.
        while let Some(next) = level.checked_sub(1).and_then(|next| folders.get(next)) {
            match self.add(next) {
                Ok(deeper) => (level, watch) = (level - 1, deeper),
                // A link that leads nowhere: its end appears elsewhere.
                Err(_) if next.is_symlink() => return Watch::Unreliable,
                Err(Errno::ENOENT | Errno::ENOTDIR) => return Watch::Missing,
                Err(_) => return Watch::Unreliable,
            }
        }
        // The socket appears, and is replaced, elsewhere.
        if path.is_symlink() {
            return Watch::Unreliable;
        }
        Watch::Own(watch)
    }

    fn add(&mut self, folder: &Path) -> Result<WatchDescriptor, Errno> {
        let events = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ONLYDIR;
        let kernel = self.kernel.as_mut().ok_or(Errno::EMFILE)?;
        kernel.add(folder, events)
    }

    /// Whether every change that matters will be seen; else the caller looks
    /// from time to time as well.
    pub(crate) fn are_reliable(&self) -> bool {
        !self.watches.contains(&Watch::Unreliable)
    }

    /// Whether it is worth a try to open the path. Not where its folder is
    /// missing, nor where it is the folder of a path before it: `/var/run` is
    /// a link to `/run` almost everywhere.
    pub(crate) fn is_worth_a_try(&self, index: usize) -> bool {
        match self.watches.get(index) {
            Some(Watch::Missing) => false,
            Some(watch @ Watch::Own(_)) => !self.is_twice(index, *watch),
            _ => true,
        }
    }

    fn is_twice(&self, index: usize, watch: Watch) -> bool {
        let name = |index: usize| self.paths.get(index).and_then(|path| path.file_name());
        let mut before = self.watches.iter().take(index).enumerate();
        before.any(|(other, its)| *its == watch && name(other) == name(index))
    }

    /// What to poll(2) for: events of the watches, and of the table of mounts.
    pub(crate) fn descriptors(&self) -> [Option<PollFd<'_>>; 2] {
        let kernel = self.kernel.as_ref();
        let mounts = self.mounts.as_ref();
        [
            kernel.map(|kernel| PollFd::new(kernel.as_fd(), PollFlags::POLLIN)),
            mounts.map(|mounts| PollFd::new(mounts.as_fd(), PollFlags::POLLPRI)),
        ]
    }

    /// Reads the events that are there: does one concern the paths? Much else
    /// happens in `/run`.
    pub(crate) fn changes(&self) -> bool {
        let events = self.kernel.as_ref().map(Watches::events);
        events.iter().flatten().any(|event| match &event.name {
            Some(name) => self.names.contains(name),
            // Only tells that a watch has ended; if not by our hand, another
            // event has told why.
            None => !event.mask.contains(AddWatchFlags::IN_IGNORED),
        })
    }
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

fn names_on_the_way(paths: &[PathBuf]) -> Vec<OsString> {
    let mut names: Vec<OsString> = vec![];
    for component in paths.iter().flat_map(|path| path.components()) {
        if let Component::Normal(name) = component {
            if !names
                .iter()
                .any(|known| known.as_os_str() == OsStr::new(name))
            {
                names.push(name.to_owned());
            }
        }
    }
    names
}
