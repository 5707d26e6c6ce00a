//! The files below `/run/xen-bridge`: where they are, who may write them, how.
//!
//! A record is `NAME`, but several network namespaces can share `/run`: where
//! `NAME` is another namespace's, ours is `in-namespace-INODE/NAME`. What is
//! not yet confirmed is `.unconfirmed-INODE-NAME`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::Error;
use crate::record::{self, Record};

/// Where the files are, below the root.
pub(crate) const FOLDER: &str = "run/xen-bridge";
// Longer than an interface name can be, so no record has these names.
const LOCK: &str = ".lock-for-all-bridges";
const UNFINISHED: &str = ".unfinished-record";

/// The network namespace of this process; `None` where `/proc` does not tell.
pub(crate) fn namespace(root: &Path) -> Option<u64> {
    let file = fs::metadata(root.join("proc/self/ns/net")).ok()?;
    Some(file.ino())
}

/// Where the record is if the plain name is another namespace's.
pub(crate) fn own_place(root: &Path, name: &str, namespace: u64) -> PathBuf {
    let folder = root.join(FOLDER);
    folder.join(format!("in-namespace-{namespace}")).join(name)
}

/// A file of a change of that bridge, in the namespace of this process.
pub(crate) fn place_of(root: &Path, kind: &str, name: &str) -> PathBuf {
    let namespace = namespace(root).unwrap_or(0);
    root.join(FOLDER)
        .join(format!(".{kind}-{namespace}-{name}"))
}

/// Somebody who may write it has a lock on the file; what readers do is
/// nobody's business.
pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    let mut other = libc::flock {
        l_type: libc::F_RDLCK as libc::c_short,
        ..WHOLE_FILE
    };
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut other))?;
    Ok(other.l_type != libc::F_UNLCK as libc::c_short)
}

const WHOLE_FILE: libc::flock = libc::flock {
    l_type: libc::F_WRLCK as libc::c_short,
    l_whence: libc::SEEK_SET as libc::c_short,
    l_start: 0,
    l_len: 0,
    l_pid: 0,
};

/// Takes a lock on an open file, which ends with the file; `false`: somebody
/// else has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&WHOLE_FILE)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// The right to change bridges and records, which one process has at a time.
/// It ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    root: PathBuf,
    folder: PathBuf,
    namespace: Option<u64>,
    _file: File,
}

impl Lock {
    /// Waits for the right, and makes the folder.
    ///
    /// # Errors
    /// [`Error::System`]: without privilege, "Permission denied".
    pub fn take(root: &Path) -> Result<Self, Error> {
        let file = open_lock(root)?;
        loop {
            match fcntl(&file, FcntlArg::F_OFD_SETLKW(&WHOLE_FILE)) {
                Ok(_) => return Ok(Self::with(root, file)),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(not_taken(root, errno.into())),
            }
        }
    }

    /// The right, unless somebody has it.
    pub(crate) fn take_if_free(root: &Path) -> Result<Option<Self>, Error> {
        let file = open_lock(root)?;
        let is_free = try_lock(&file).map_err(|error| not_taken(root, error))?;
        Ok(is_free.then(|| Self::with(root, file)))
    }

    /// The same where nothing has to be made for it, nor refused.
    pub(crate) fn take_if_at_hand(root: &Path) -> Option<Self> {
        let path = root.join(FOLDER).join(LOCK);
        let file = OpenOptions::new().write(true).open(path).ok()?;
        try_lock(&file).ok()?.then(|| Self::with(root, file))
    }

    fn with(root: &Path, file: File) -> Self {
        let folder = root.join(FOLDER);
        // Whoever left it is dead, and its record was not to be read by anybody.
        let _ = fs::remove_file(folder.join(UNFINISHED));
        Self {
            root: root.to_owned(),
            folder,
            namespace: namespace(root),
            _file: file,
        }
    }

    /// Below which the files are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes the record in one go: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn write(&self, record: &Record) -> Result<(), Error> {
        let mut path = self.folder.join(&record.name);
        if let Some(namespace) = self.namespace {
            let own = own_place(&self.root, &record.name, namespace);
            if own.exists() || record::is_elsewhere(&path, Some(namespace)) {
                path = own;
            }
        }
        let record = Record {
            netns: self.namespace,
            ..record.clone()
        };
        self.write_file(&path, &record.to_text(), 0o644)
    }

    /// Writes a whole file, and has it on its disk.
    pub(crate) fn write_file(&self, path: &Path, content: &str, mode: u32) -> Result<(), Error> {
        let unfinished = self.folder.join(UNFINISHED);
        let write = || -> io::Result<()> {
            let parent = path.parent().filter(|parent| *parent != self.folder);
            if let Some(parent) = parent {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o755)
                    .create(parent)?;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(&unfinished)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, path)
        };
        write().map_err(|error| {
            // The first error is the one to tell.
            let _ = fs::remove_file(&unfinished);
            Error::system(format!("write {}", path.display()), error)
        })
    }

    /// Removes the record, if there is one of this namespace.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let plain = self.folder.join(name);
        if !record::is_elsewhere(&plain, self.namespace) {
            remove(&plain)?;
        }
        match self.namespace {
            Some(namespace) => remove(&own_place(&self.root, name, namespace)),
            None => Ok(()),
        }
    }
}

fn not_taken(root: &Path, error: io::Error) -> Error {
    let folder = root.join(FOLDER);
    Error::system(format!("take the lock in {}", folder.display()), error)
}

fn open_lock(root: &Path) -> Result<File, Error> {
    let folder = root.join(FOLDER);
    let open = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // Who may not change bridges may not keep others from it either.
        options.mode(0o600).open(folder.join(LOCK))
    };
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o755).create(&folder);
            made.and_then(|()| open())
        }
        opened => opened,
    };
    file.map_err(|error| not_taken(root, error))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::system(format!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heeds_no_lock_of_who_may_only_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || OpenOptions::new().read(true).write(true).open(file.path());
        let (reader, writer, looker) = (
            File::open(file.path()).unwrap(),
            open().unwrap(),
            open().unwrap(),
        );
        let shared = libc::flock {
            l_type: libc::F_RDLCK as libc::c_short,
            ..WHOLE_FILE
        };
        fcntl(&reader, FcntlArg::F_OFD_SETLK(&shared)).unwrap();
        assert!(!is_locked(&looker).unwrap());
        drop(reader);
        assert!(try_lock(&writer).unwrap());
        assert!(is_locked(&looker).unwrap());
    }
}
