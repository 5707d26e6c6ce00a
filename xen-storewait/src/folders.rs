//! Tells when something may have appeared at a path that is not there yet.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::inotify::{AddWatchFlags, WatchDescriptor};

use crate::facts::below;
use crate::watches::Watches;

/// So many links may be on the way to a path, as for the kernel (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// Something comes into a folder, or what is there is made accessible.
const APPEARS: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_ATTRIB);

/// Watches on the way to each path: on the folder that holds it, or the
/// nearest above it that is there, and on each that holds a link, for what
/// appears in it; on the other folders for being moved or removed, which is
/// not told to those below. And on the table of mounts, since a file system
/// mounted over a folder (a fresh `/run`) raises no event in it.
pub(crate) struct Folders {
    /// `None` where the kernel gives no more of them to this user.
    kernel: Option<Watches>,
    /// `None` where `/proc` is not mounted.
    mounts: Option<File>,
    paths: Vec<PathBuf>,
    /// What is awaited in one of the folders.
    names: Vec<OsString>,
    /// The folders that are watched by now, by their paths without links.
    entered: Vec<PathBuf>,
    /// Those of them that are watched for what appears.
    awaited: Vec<(PathBuf, WatchDescriptor)>,
    /// Of each path.
    watches: Vec<Watch>,
}

/// How a path is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// Its own folder, by a watch of this number; the place of its own name
    /// among those awaited.
    Own(WatchDescriptor, usize),
    /// Its own folder is not there; one above it is watched.
    Missing,
    /// Not, or not well enough to rely on.
    Unreliable,
}

/// What a name on the way stands for.
enum Entry {
    Folder,
    /// And where it leads.
    Link(PathBuf),
    Missing,
}

impl Folders {
    pub(crate) fn new(paths: &[PathBuf], root: &Path) -> Self {
        let mut folders = Self {
            kernel: Watches::new(),
            mounts: File::open(below(root, Path::new("/proc/self/mountinfo"))).ok(),
            paths: paths.to_vec(),
            names: vec![],
            entered: vec![],
            awaited: vec![],
            watches: vec![],
        };
        folders.arm();
        folders
    }

    /// Sets the watches, all of them anew: a folder may have come, gone, or
    /// been covered. A watch that is there already is the same again.
    pub(crate) fn arm(&mut self) {
        self.names.clear();
        self.entered.clear();
        self.awaited.clear();
        self.watches.clear();
        for path in self.paths.clone() {
            let watch = self.watch(&path).unwrap_or(Watch::Unreliable);
            self.watches.push(watch);
        }
    }

    /// Goes down the way as the kernel does, link by link. Each name is looked
    /// at once its folder is watched, so that nothing comes unnoticed between.
    fn watch(&mut self, path: &Path) -> Result<Watch, Errno> {
        let mut rest = reversed(path);
        let mut folder = PathBuf::new();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            let place = folder.join(&name);
            let mut own = None;
            let entry = match name.to_str() {
                Some("/") => Entry::Folder,
                // No link is in it, so that is the folder above.
                Some("..") if folder.file_name().is_some() => {
                    folder.pop();
                    continue;
                }
                Some("..") => Entry::Folder,
                _ if rest.is_empty() => {
                    let watch = self.await_in(&folder, &name)?;
                    if self.watches.contains(&watch) {
                        // That of a path before it.
                        return Ok(watch);
                    }
                    own = Some(watch);
                    fs::read_link(&place).map_or(Entry::Missing, Entry::Link)
                }
                _ => self.enter(&folder, &name, rest.len() == 1)?,
            };
            match entry {
                Entry::Folder => folder = place,
                Entry::Link(_) if links == LINKS_MAX => return Err(Errno::ELOOP),
                Entry::Link(end) => {
                    links += 1;
                    rest.extend(reversed(&end));
                }
                Entry::Missing => return Ok(own.unwrap_or(Watch::Missing)),
            }
        }
        // No socket has such a name.
        Ok(Watch::Missing)
    }

    fn enter(&mut self, folder: &Path, name: &OsStr, is_own: bool) -> Result<Entry, Errno> {
        let place = folder.join(name);
        if self.is_folder(&place, is_own)? {
            return Ok(Entry::Folder);
        }
        self.await_in(folder, name)?;
        if let Ok(end) = fs::read_link(&place) {
            return Ok(Entry::Link(end));
        }
        // Made before that watch was set, it would have told nobody.
        let is_there = self.is_folder(&place, is_own)?;
        Ok(if is_there {
            Entry::Folder
        } else {
            Entry::Missing
        })
    }

    /// Whether there is a folder, which is watched from then on; its own, for
    /// what appears in it. A link to one is none.
    fn is_folder(&mut self, place: &Path, is_own: bool) -> Result<bool, Errno> {
        if self.entered.iter().any(|entered| entered == place) {
            return Ok(true);
        }
        let events = if is_own {
            APPEARS
        } else {
            AddWatchFlags::empty()
        };
        let watch = match self.add(place, events | AddWatchFlags::IN_DONT_FOLLOW) {
            Ok(watch) => watch,
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        self.entered.push(place.to_path_buf());
        if is_own {
            self.awaited.push((place.to_path_buf(), watch));
        }
        Ok(true)
    }

    /// Watches a folder for what appears in it under this name.
    fn await_in(&mut self, folder: &Path, name: &OsStr) -> Result<Watch, Errno> {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or(self.names.len());
        if known.is_none() {
            self.names.push(name.to_owned());
        }
        let mut awaited = self.awaited.iter();
        if let Some((_, watch)) = awaited.find(|(awaited, _)| awaited == folder) {
            return Ok(Watch::Own(*watch, place));
        }
        let watch = self.add(or_here(folder), APPEARS)?;
        self.awaited.push((folder.to_path_buf(), watch));
        Ok(Watch::Own(watch, place))
    }

    fn add(&mut self, folder: &Path, events: AddWatchFlags) -> Result<WatchDescriptor, Errno> {
        let events = events
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ONLYDIR
            // It may be watched for more already.
            | AddWatchFlags::from_bits_retain(nix::libc::IN_MASK_ADD);
        let kernel = self.kernel.as_mut().ok_or(Errno::EMFILE)?;
        kernel.add(folder, events)
    }

    /// Whether every change that matters will be seen; else the caller looks
    /// from time to time as well.
    pub(crate) fn are_reliable(&self) -> bool {
        self.mounts.is_some() && !self.watches.contains(&Watch::Unreliable)
    }

    /// Whether it is worth a try to open the path. Not where its folder is
    /// missing, nor where it is that of a path before it: `/var/run` is a link
    /// to `/run` almost everywhere.
    pub(crate) fn is_worth_a_try(&self, index: usize) -> bool {
        match self.watches.get(index) {
            Some(Watch::Missing) => false,
            Some(own @ Watch::Own(..)) => !self.watches.iter().take(index).any(|one| one == own),
            _ => true,
        }
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

/// The names of a path, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().rev();
    let names = names.filter(|name| *name != Component::CurDir);
    names.map(|name| name.as_os_str().to_owned()).collect()
}
