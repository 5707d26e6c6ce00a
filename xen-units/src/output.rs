//! Files are written whole or not at all, and nobody else's.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// The line by which a file of ours is known: the first, or the second where
/// a script names its interpreter first. As written, it ends with a comma and
/// the fingerprint of all other lines, by which a change is seen.
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
    /// A file that all may read. Its marker gets the fingerprint.
    pub fn new(path: impl Into<PathBuf>, text: impl AsRef<str>) -> Self {
        Self {
            path: path.into(),
            text: stamp(text.as_ref()),
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
    /// One of ours that somebody has changed.
    Changed,
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
    Ok(if is_same {
        Found::Ours
    } else {
        whose(&content)
    })
}

fn whose(content: &[u8]) -> Found {
    let (before, marked, after) = at_marker(content);
    let Some(stamp) = marked.strip_prefix(MARKER.as_bytes()) else {
        return Found::Foreign;
    };
    match stamp.strip_prefix(b", ") {
        Some(found) if found == fingerprint(before, after).as_bytes() => Found::Ours,
        Some(_) => Found::Changed,
        // The marker alone says nothing of what has happened since.
        None if stamp.is_empty() => Found::Changed,
        None => Found::Foreign,
    }
}

/// The text with the fingerprint at its marker, if it has one.
fn stamp(text: &str) -> String {
    let (before, marked, after) = at_marker(text.as_bytes());
    if marked != MARKER.as_bytes() {
        return text.to_owned();
    }
    let stamped = format!("{MARKER}, {}", fingerprint(before, after));
    text.replacen(MARKER, &stamped, 1)
}

/// What stands before the line where the marker has to be, that line, and
/// what stands after it.
fn at_marker(content: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end_of_line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
    let start = match end_of_line(content) {
        Some(end) if content.starts_with(b"#!") => end + 1,
        _ => 0,
    };
    let (before, rest) = content.split_at(start);
    let (marked, after) = rest.split_at(end_of_line(rest).unwrap_or(rest.len()));
    (before, marked, after)
}

/// FNV-1a with 64 bits: it has to tell a change, not to withstand anybody.
fn fingerprint(before: &[u8], after: &[u8]) -> String {
    let hash = before
        .iter()
        .chain(after)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

/// The steps for all files, or none at all where one is in the way.
///
/// # Errors
/// [`Error::NotOurs`] and [`Error::Changed`] without `force`.
pub fn plan(files: Vec<(File, Found)>, force: bool) -> Result<Vec<Step>, Error> {
    let mut steps = vec![];
    for (file, found) in files {
        match found {
            Found::Same => continue,
            Found::Nothing | Found::Ours => {}
            Found::Foreign | Found::Changed if force => steps.push(Step::Keep(file.path.clone())),
            Found::Foreign => return Err(Error::NotOurs(file.path)),
            Found::Changed => return Err(Error::Changed(file.path)),
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
    let temporary = temporary(&backup);
    let made = fs::hard_link(path, &temporary)
        // Some file systems know one name a file.
        .or_else(|_| fs::copy(path, &temporary).map(drop))
        .and_then(|()| fs::rename(&temporary, &backup));
    // It is left where the backup is the same file already (rename(2)).
    let _ = fs::remove_file(&temporary);
    match made {
        // Folders have but one name anywhere.
        Err(_) if path.is_dir() => fs::rename(path, &backup).map_err(failed),
        made => made.map_err(failed),
    }
}

/// The name beside a file under which it is made.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
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
    let temporary = temporary(&file.path);
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
        for text in [
            "# Written by xen-units\n[Unit]\n",
            "#!/bin/sh\n# Written by xen-units\n",
        ] {
            let written = stamp(text);
            assert_eq!(whose(written.as_bytes()), Found::Ours, "{written}");
            assert_eq!(whose(text.as_bytes()), Found::Changed, "{text}");
            let more = format!("{written}# mine\n");
            assert_eq!(whose(more.as_bytes()), Found::Changed, "{more}");
            let other = written.replace("[Unit]", "[Unix]").replace("/sh", "/zsh");
            assert_eq!(whose(other.as_bytes()), Found::Changed, "{other}");
        }
        for text in [
            "[Unit]\n# Written by xen-units\n",
            "# Written by xen-units2\n",
            "",
        ] {
            assert_eq!(stamp(text), text);
            assert_eq!(whose(text.as_bytes()), Found::Foreign, "{text}");
        }
    }

    #[test]
    fn makes_the_fingerprint_that_fnv_1a_makes() {
        assert_eq!(fingerprint(b"", b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"foo", b"bar"), "85944171f73967e8");
    }

    #[test]
    fn keeps_a_file_without_ever_taking_it_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit");
        fs::write(&path, "mine").unwrap();
        fs::write(backup(&path), "older").unwrap();
        for _ in 0..2 {
            keep(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
            assert_eq!(fs::read_to_string(backup(&path)).unwrap(), "mine");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
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
