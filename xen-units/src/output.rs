//! Files are written whole or not at all, and nobody else's.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::manifest::Manifest;
use crate::root::Root;
pub use crate::stamp::Found;
use crate::stamp::{stamp, whose};

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
        Self::plain(path.into(), text.as_ref())
    }

    #[inline(never)]
    fn plain(path: PathBuf, text: &str) -> Self {
        Self {
            path,
            text: stamp(text),
            mode: 0o644,
        }
    }

    /// The same, to be run.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.mode = 0o755;
        self
    }

    /// With the mode of what is at its place, which somebody may have set.
    pub fn keep_mode(&mut self) {
        if let Ok(meta) = self.path.symlink_metadata() {
            self.mode = meta.permissions().mode() & 0o777;
        }
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

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Keep a copy beside it, with `.bak` at the end.
    Keep(PathBuf),
    /// Write the file.
    Write(File),
    /// Take a file of ours away, and its folder where that is ours and empty.
    Remove(PathBuf),
    /// Make a link, to the second path.
    Link(PathBuf, PathBuf),
    /// Take a link away.
    Unlink(PathBuf),
    /// Run a program of the init system's.
    Run(Vec<String>),
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
            Self::Remove(path) => {
                let mut command = Self::Unlink(path.clone()).command();
                let folders = own_folders(path).map(|folder| folder.display().to_string());
                let folders: Vec<String> = folders.collect();
                if !folders.is_empty() {
                    let folders = shell_words::join(folders);
                    command.extend(["\nrmdir ", &folders, " 2>/dev/null || :"]);
                }
                command
            }
            Self::Unlink(path) => shell_words::join(["rm", "-f", &path.display().to_string()]),
            Self::Link(path, target) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                let make = shell_words::join(["mkdir", "-p", &folder.display().to_string()]);
                let (path, target) = (path.display().to_string(), target.display().to_string());
                format!(
                    "{make}\n{}",
                    shell_words::join(["ln", "-s", &target, &path])
                )
            }
            Self::Run(words) => shell_words::join(words),
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
            Self::Remove(path) | Self::Unlink(path) => format!("removed {}", path.display()),
            Self::Link(path, target) => {
                format!("linked {} to {}", path.display(), target.display())
            }
            Self::Run(words) => format!("ran {}", shell_words::join(words)),
        }
    }
}

/// Looks at what is at a file's place. Where the file has no marker, the
/// list tells whether what is there is as an earlier run has written it.
///
/// # Errors
/// Something that is there and cannot be read.
pub fn look(file: &File, list: Option<(&Manifest, &Path)>) -> Result<Found, Error> {
    let failed = |error| Error::system(format!("read {}", file.path.display()), error);
    let meta = match file.path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed(error)),
    };
    // A link is somebody's decision too: to /dev/null, it masks a unit.
    if !meta.is_file() {
        let is_listed = list.and_then(|(list, path)| list.wrote(path, b""));
        return Ok(is_listed.map_or(Found::Foreign, |_| Found::Changed));
    }
    let content = fs::read(&file.path).map_err(failed)?;
    let written = list.and_then(|(list, path)| list.wrote(path, &content));
    Ok(match (whose(&content), written) {
        // Its mode may be somebody's decision.
        _ if content == file.text.as_bytes() => Found::Same,
        (Found::Foreign, Some(true)) => Found::Ours,
        (Found::Foreign, Some(false)) => Found::Changed,
        (found, _) => found,
    })
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
        Step::Remove(path) => remove(path),
        Step::Link(path, target) => link(path, target),
        Step::Unlink(path) => gone(path),
        // They come last, all together, in this program's place.
        Step::Run(_) => Ok(()),
    }
}

/// The folder goes too, where it is a service's own and nothing is left in it.
fn remove(path: &Path) -> Result<(), Error> {
    gone(path)?;
    for folder in own_folders(path) {
        // What is not empty stays.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// The folders that are a service's own, the innermost first: one of its name,
/// and those in that one.
fn own_folders(path: &Path) -> impl Iterator<Item = &Path> {
    let is_ours = |folder: &Path| {
        let name = folder.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b"xen-")
    };
    let is_own = move |folder: &&Path| is_ours(folder) || folder.parent().is_some_and(is_ours);
    path.ancestors().skip(1).take_while(is_own)
}

/// Somebody else may have taken it away already.
fn gone(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::system(format!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

fn link(path: &Path, target: &Path) -> Result<(), Error> {
    let failed = |error| Error::system(format!("link {}", path.display()), error);
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    match std::os::unix::fs::symlink(target, path) {
        Err(_) if fs::read_link(path).is_ok_and(|found| found == target) => Ok(()),
        result => result.map_err(failed),
    }
}

/// Files that a run of ours has left behind when it was killed: those beside
/// the file that are called as it makes them, of a process that is no more.
///
/// # Errors
/// A folder that is there and cannot be read.
pub fn left_behind(path: &Path) -> Result<Vec<Step>, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = Root::new(Path::new("/")).names(folder)?;
    let is_dead = |entry: &str| {
        let rest = entry.strip_prefix('.')?.strip_suffix(".tmp")?;
        let (of, process) = rest.rsplit_once('.')?;
        let is_ours = of == name || of.strip_suffix(".bak") == Some(&name);
        let process: u32 = process.parse().ok()?;
        Some(is_ours && !Path::new(&format!("/proc/{process}")).exists())
    };
    let dead = names.iter().filter(|entry| is_dead(entry).unwrap_or(false));
    Ok(dead.map(|entry| Step::Unlink(folder.join(entry))).collect())
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
