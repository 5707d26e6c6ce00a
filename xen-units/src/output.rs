//! Files are written whole or not at all, and nobody else's.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// The line by which a file of ours is known: the first, or the second where
/// a script names its interpreter first.
pub const MARKER: &str = "# Written by xen-units";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, below the output folder.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// Its mode.
    pub mode: u32,
}

impl File {
    /// A file that all may read.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            mode: 0o644,
        }
    }

    /// The same, to be run.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.mode = 0o755;
        self
    }

    /// The same file below a folder.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Self {
        self.path = folder.join(self.path);
        self
    }

    /// A shell command that writes it.
    #[must_use]
    pub fn command(&self) -> String {
        let path = self.path.display().to_string();
        format!(
            "install -D -m {:04o} /dev/stdin {} <<'XEN_UNITS_END'\n{}XEN_UNITS_END",
            self.mode,
            shell_words::quote(&path),
            self.text
        )
    }
}

/// What is at a file's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Exactly the file.
    Same,
    /// An older one of ours.
    Ours,
    /// Something that somebody else wrote.
    Foreign,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Keep a copy beside it, with `.bak` at the end.
    Keep(PathBuf),
    /// Write the file.
    Write(File),
}

impl Step {
    /// The same as a shell command.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Keep(path) => shell_words::join([
                "ln",
                "-fP",
                &path.display().to_string(),
                &backup(path).display().to_string(),
            ]),
            Self::Write(file) => file.command(),
        }
    }

    /// What was done, in words.
    #[must_use]
    pub fn done(&self) -> String {
        match self {
            Self::Keep(path) => {
                format!("kept {} as {}", path.display(), backup(path).display())
            }
            Self::Write(file) => format!("wrote {}", file.path.display()),
        }
    }
}

/// Looks at what is at a file's place.
///
/// # Errors
/// Something that is there and cannot be read.
pub fn look(file: &File) -> Result<Found, Error> {
    let failed = |error| Error::system(format!("read {}", file.path.display()), error);
    let meta = match file.path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed(error)),
    };
    // A link is somebody's decision too: to /dev/null, it masks a unit.
    if !meta.is_file() {
        return Ok(Found::Foreign);
    }
    let content = fs::read(&file.path).map_err(failed)?;
    let is_same = content == file.text.as_bytes();
    if is_same && meta.permissions().mode() & 0o777 == file.mode {
        return Ok(Found::Same);
    }
    Ok(if is_same || is_ours(&content) {
        Found::Ours
    } else {
        Found::Foreign
    })
}

fn is_ours(content: &[u8]) -> bool {
    let mut lines = content.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let marked = if first.starts_with(b"#!") {
        lines.next().unwrap_or_default()
    } else {
        first
    };
    marked == MARKER.as_bytes()
}

/// The steps for all files, or none at all where one is in the way.
///
/// # Errors
/// [`Error::NotOurs`] without `force`.
pub fn plan(files: Vec<(File, Found)>, force: bool) -> Result<Vec<Step>, Error> {
    let mut steps = vec![];
    for (file, found) in files {
        match found {
            Found::Same => continue,
            Found::Nothing | Found::Ours => {}
            Found::Foreign if force => steps.push(Step::Keep(file.path.clone())),
            Found::Foreign => return Err(Error::NotOurs(file.path)),
        }
        steps.push(Step::Write(file));
    }
    Ok(steps)
}

/// Does the step.
///
/// # Errors
/// The system call's error, in the words of the step.
pub fn apply(step: &Step) -> Result<(), Error> {
    match step {
        Step::Keep(path) => keep(path),
        Step::Write(file) => write(file),
    }
}

/// The same file, or link, under a second name: it is never gone from its
/// first one, which the new file then takes in one go.
fn keep(path: &Path) -> Result<(), Error> {
    let backup = backup(path);
    let failed = |error| Error::system(format!("keep {} as .bak", path.display()), error);
    match fs::remove_file(&backup) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // Some file systems know one name a file, and folders have but one anywhere.
    fs::hard_link(path, &backup)
        .or_else(|_| fs::rename(path, &backup))
        .map_err(failed)
}

fn backup(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    PathBuf::from(name)
}

fn write(file: &File) -> Result<(), Error> {
    let failed = |error| Error::system(format!("write {}", file.path.display()), error);
    let folder = file.path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Error::system(format!("make folder {}", folder.display()), error))?;
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, file).and_then(|()| fs::rename(&temporary, &file.path));
    written.map_err(|error| {
        // It may never have been made; the first error is the one that matters.
        let _ = fs::remove_file(&temporary);
        failed(error)
    })
}

fn write_new(path: &Path, file: &File) -> io::Result<()> {
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    out.write_all(file.text.as_bytes())?;
    // The mode asked for, whatever the umask.
    out.set_permissions(fs::Permissions::from_mode(file.mode))?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_files_by_their_marker() {
        assert!(is_ours(b"# Written by xen-units\n[Unit]\n"));
        assert!(is_ours(b"#!/bin/sh\n# Written by xen-units\n"));
        assert!(!is_ours(b"[Unit]\n# Written by xen-units\n"));
        assert!(!is_ours(b"# Written by xen-units, once\n"));
        assert!(!is_ours(b""));
    }

    #[test]
    fn plans_nothing_where_one_file_is_in_the_way() {
        let (a, b) = (File::new("/a", "x"), File::new("/b", "y"));
        let files = vec![(a.clone(), Found::Nothing), (b.clone(), Found::Foreign)];
        assert!(plan(files.clone(), false).is_err());
        assert_eq!(
            plan(files, true).unwrap(),
            [Step::Write(a), Step::Keep("/b".into()), Step::Write(b)]
        );
    }

    #[test]
    fn leaves_alone_what_is_the_same() {
        let file = File::new("/a", "x");
        assert_eq!(plan(vec![(file, Found::Same)], false).unwrap(), []);
    }
}
