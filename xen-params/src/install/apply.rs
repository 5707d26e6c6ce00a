//! The steps done. Everything new is first made under names of its own, and
//! only when all of it is there it gets its names: a full disk or a folder
//! that may not be written leaves everything as it was.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{Step, unpack};
use crate::Error;
use crate::format::names_after;

/// What the names begin with that files have until they are whole.
const TEMPORARY: &str = ".xen-params-";

/// A file or link under a name of its own, beside the one it is for. It goes
/// away if it does not get that name.
struct Staged<'a> {
    temporary: PathBuf,
    path: &'a Path,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // Mostly nothing is there any more. But rename(2) leaves both names
        // where they are two names of one file already.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Does the steps, and calls `done` with each that was done. Where the marker
/// of a needed reboot cannot be made, what is installed stays, and the error
/// comes back as a remark.
///
/// # Errors
/// The first step that failed, in its words.
pub fn apply(steps: &[Step], mut done: impl FnMut(&Step)) -> Result<Option<Error>, Error> {
    let mut staged = vec![];
    for step in steps {
        match step {
            Step::MakeFolder(path) => fs::create_dir_all(path)
                .map_err(|error| Error::system(format!("make folder {}", path.display()), error))?,
            Step::Keep { path, kept } => staged.push(keep(path, kept)?),
            Step::Write { path, text } => staged.push(write(path, text.as_bytes())?),
            Step::Link {
                path,
                target,
                source,
            } => staged.push(link(path, target, source, symlink_at)?),
            Step::Copy { path, source } => staged.push(write(path, &read(source)?)?),
            Step::Unpack { path, source } => {
                staged.push(write(path, &unpack(source, &read(source)?)?)?);
            }
            Step::Remove(_) | Step::Mark(_) => {}
        }
    }
    let mut folders: Vec<&Path> = staged.iter().filter_map(|one| one.path.parent()).collect();
    folders.dedup();
    for one in staged {
        fs::rename(&one.temporary, one.path)
            .map_err(|error| Error::system(format!("rename to {}", one.path.display()), error))?;
    }
    folders.into_iter().try_for_each(synchronize)?;
    for step in steps {
        if let Step::Remove(path) = step {
            fs::remove_file(path)
                .or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })
                .map_err(|error| Error::system(format!("remove {}", path.display()), error))?;
        }
    }
    let mut remark = None;
    for step in steps {
        match step {
            Step::Mark(path) => match mark(path) {
                Ok(()) => done(step),
                Err(error) => remark = Some(error),
            },
            _ => done(step),
        }
    }
    Ok(remark)
}

/// Makes something under a name that nothing has. The error names the folder,
/// for that is what refused.
fn beside<'a, R>(
    path: &'a Path,
    make: impl Fn(&Path) -> io::Result<R>,
) -> Result<(Staged<'a>, R), Error> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let process = std::process::id();
    sweep(folder);
    let mut number = 0;
    loop {
        let temporary = folder.join(format!("{TEMPORARY}{process}-{number}"));
        match make(&temporary) {
            Ok(made) => return Ok((Staged { temporary, path }, made)),
            // Another one of this run, or left by one that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                return Err(Error::system(
                    format!("write in {}", folder.display()),
                    error,
                ));
            }
        }
    }
}

/// Removes what runs left that were killed: names with the number of a process
/// that is no more.
fn sweep(folder: &Path) {
    let Ok(names) = names_after(folder, TEMPORARY) else {
        return;
    };
    for rest in names {
        let process = rest.split_once('-').map_or("", |(process, _)| process);
        let is_number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
        if is_number
            && !Path::new("/proc").join(process).exists()
            && Path::new("/proc/self").exists()
        {
            // Another run may have been faster.
            let _ = fs::remove_file(folder.join(format!("{TEMPORARY}{rest}")));
        }
    }
}

fn read(source: &Path) -> Result<Vec<u8>, Error> {
    fs::read(source).map_err(|error| Error::system(format!("read {}", source.display()), error))
}

fn write<'a>(path: &'a Path, content: &[u8]) -> Result<Staged<'a>, Error> {
    let (staged, mut file) = beside(path, |name| File::create_new(name))?;
    file.write_all(content)
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::system(format!("write {}", path.display()), error))?;
    Ok(staged)
}

fn symlink_at(target: &Path, name: &Path) -> io::Result<()> {
    symlink(target, name)
}

fn link<'a>(
    path: &'a Path,
    target: &Path,
    source: &Path,
    make: fn(&Path, &Path) -> io::Result<()>,
) -> Result<Staged<'a>, Error> {
    match beside(path, |name| make(target, name)) {
        Ok((staged, ())) => Ok(staged),
        // vfat answers EPERM; a folder that may not be written says so again.
        Err(Error::System { source: cause, .. }) if has_no_links(&cause) => {
            write(path, &read(source)?)
        }
        Err(error) => Err(error),
    }
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
    )
}

/// The same file once more: by a hard link, which a symbolic link may have
/// too, else as a copy.
fn keep<'a>(path: &Path, kept: &'a Path) -> Result<Staged<'a>, Error> {
    if let Ok((staged, ())) = beside(kept, |name| fs::hard_link(path, name)) {
        return Ok(staged);
    }
    if let Ok(target) = fs::read_link(path) {
        return link(kept, &target, path, symlink_at);
    }
    let failed = |error| Error::system(format!("keep {}", path.display()), error);
    let content = fs::read(path).map_err(failed)?;
    let mode = fs::metadata(path).map_err(failed)?.permissions();
    let copy = write(kept, &content)?;
    fs::set_permissions(&copy.temporary, mode).map_err(failed)?;
    Ok(copy)
}

/// The new names survive a power failure.
fn synchronize(folder: &Path) -> Result<(), Error> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or_else(|error| match error.kind() {
            // Some file systems cannot, and need not.
            io::ErrorKind::InvalidInput => Ok(()),
            _ => Err(error),
        })
        .map_err(|error| Error::system(format!("fsync {}", folder.display()), error))
}

fn mark(path: &Path) -> Result<(), Error> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map(drop)
        .map_err(|error| Error::system(format!("touch {}", path.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_system_without_links_gets_a_copy() {
        let folder = folder();
        let (source, path) = (
            folder.path().join("xen-4.17.gz"),
            folder.path().join("xen.gz"),
        );
        fs::write(&source, b"hypervisor").unwrap();
        let refuse = |_: &Path, _: &Path| Err(io::ErrorKind::PermissionDenied.into());
        let staged = link(&path, Path::new("/boot/xen-4.17.gz"), &source, refuse).unwrap();
        fs::rename(&staged.temporary, &path).unwrap();
        drop(staged);
        assert_eq!(fs::read(&path).unwrap(), b"hypervisor");
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = folder();
        let steps = [
            Step::Write {
                path: folder.path().join("xen-params"),
                text: "x\n".to_owned(),
            },
            Step::Write {
                path: folder.path().join("missing/xen-params"),
                text: "x\n".to_owned(),
            },
        ];
        let error = apply(&steps, |_| {}).unwrap_err();
        assert!(error.to_string().starts_with("write in "), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_a_living_one_s_is_not() {
        let folder = folder();
        let at = |name: String| folder.path().join(name);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = at(format!("{TEMPORARY}{}-0", child.id()));
        child.wait().unwrap();
        let living = at(format!("{TEMPORARY}1-0"));
        let other = at(".xen-params-notes".to_owned());
        for path in [&dead, &living, &other] {
            fs::write(path, "").unwrap();
        }
        let path = at("xen-params".to_owned());
        let text = "x\n".to_owned();
        apply(&[Step::Write { path, text }], |_| {}).unwrap();
        assert!(!dead.exists() && living.exists() && other.exists());
    }

    #[test]
    fn what_is_kept_stays_what_it_was() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "a").unwrap();
        symlink("nowhere", at("b")).unwrap();
        let keep = |name: &str| Step::Keep {
            path: at(name),
            kept: at(&format!("{name}.bak")),
        };
        apply(&[keep("a"), keep("b")], |_| {}).unwrap();
        assert_eq!(fs::read(at("a.bak")).unwrap(), b"a");
        assert_eq!(fs::read_link(at("b.bak")).unwrap(), Path::new("nowhere"));
    }

    #[test]
    fn a_marker_that_cannot_be_made_is_a_remark() {
        let folder = folder();
        let mark = Step::Mark(folder.path().join("missing/reboot-required"));
        let mut done = 0;
        let remark = apply(&[mark], |_| done += 1).unwrap().unwrap();
        assert!(remark.to_string().starts_with("touch "));
        assert_eq!(done, 0);
    }
}
