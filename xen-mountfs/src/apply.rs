//! One system call a step, no decisions.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::plan::says_control_d;
use crate::{Error, Facts, Step};

/// Does the step. `false`: somebody else had done it in the meantime.
///
/// # Errors
/// The system call's error, in the words of the step.
pub fn apply(step: &Step) -> Result<bool, Error> {
    match step {
        Step::Mount(target) => mount_xenfs(target),
        Step::Unmount(target) => unmount(target),
        Step::RequireControlD(capabilities) => require_control_d(capabilities),
        Step::MakeFolder(path) => make_folder(path),
        Step::Remove(path) => remove(path),
        Step::SetMode(path) => set_mode(path, 0o600).map(|()| true),
        Step::MakeNode { path, major, minor } => make_node(path, *major, *minor),
    }
}

fn mount_xenfs(target: &Path) -> Result<bool, Error> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match mount(Some("xenfs"), target, Some("xenfs"), flags, None::<&str>) {
        Ok(()) => Ok(true),
        // xenfs has one superblock, and the kernel mounts none twice in one
        // place: another mount came first. Believed only if it is seen.
        Err(Errno::EBUSY) if is_mounted(target)? => Ok(false),
        Err(Errno::ENODEV) => Err(Error::NoXenfs {
            target: target.to_path_buf(),
        }),
        Err(errno) => Err(Error::system(
            format!("mount xenfs on {}", target.display()),
            errno,
        )),
    }
}

fn is_mounted(target: &Path) -> Result<bool, Error> {
    let facts = Facts::read(Path::new("/"), target)?;
    Ok(facts.mounted.last().is_some_and(|last| last == "xenfs"))
}

fn unmount(target: &Path) -> Result<bool, Error> {
    match umount2(target, MntFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::EINVAL) if !is_mounted(target)? => Ok(false),
        Err(errno) => Err(Error::system(
            format!("unmount {}", target.display()),
            errno,
        )),
    }
}

fn require_control_d(capabilities: &Path) -> Result<bool, Error> {
    let text = fs::read_to_string(capabilities)
        .map_err(|error| Error::system(format!("read {}", capabilities.display()), error))?;
    if says_control_d(&text) {
        return Ok(true);
    }
    Err(Error::Guest {
        capabilities: capabilities.to_path_buf(),
    })
}

fn make_folder(path: &Path) -> Result<bool, Error> {
    // Never open to more than that, not for a moment.
    match DirBuilder::new().mode(0o755).create(path) {
        Ok(()) => set_mode(path, 0o755).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(Error::system(
            format!("make folder {}", path.display()),
            error,
        )),
    }
}

/// What the umask has taken from a mode is given back.
fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| Error::system(format!("set the mode of {}", path.display()), error))
}

fn remove(path: &Path) -> Result<bool, Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::system(format!("remove {}", path.display()), error)),
    }
}

fn is_device(path: &Path, major: u64, minor: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.file_type().is_char_device() && metadata.rdev() == makedev(major, minor)
    })
}

fn make_node(path: &Path, major: u64, minor: u64) -> Result<bool, Error> {
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    match mknod(path, SFlag::S_IFCHR, mode, makedev(major, minor)) {
        Ok(()) => set_mode(path, 0o600).map(|()| true),
        // Another run, or udev; believed only if it is the same device.
        Err(Errno::EEXIST) if is_device(path, major, minor) => Ok(false),
        Err(errno) => Err(Error::system(
            format!("make device node {}", path.display()),
            errno,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_device_by_its_numbers() {
        assert!(is_device(Path::new("/dev/null"), 1, 3));
        assert!(!is_device(Path::new("/dev/null"), 1, 5));
        assert!(!is_device(Path::new("/dev"), 1, 3));
        assert!(!is_device(Path::new("/nowhere"), 1, 3));
    }

    #[test]
    fn a_folder_is_open_to_all_whatever_the_umask() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("xen");
        let before = nix::sys::stat::umask(Mode::from_bits_truncate(0o277));
        let made = make_folder(&folder);
        nix::sys::stat::umask(before);
        assert!(matches!(made, Ok(true)));
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
    }

    #[test]
    fn what_is_gone_already_need_not_be_removed() {
        assert!(matches!(remove(Path::new("/nowhere/evtchn")), Ok(false)));
    }
}
