//! The mounted file system that a file is on, as the kernel tells of it
//! (`/proc/self/mountinfo`, `proc_pid_mountinfo(5)`).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::stat::makedev;

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    device: u64,
    /// What of the file system is mounted, by its path from there.
    root: String,
    point: PathBuf,
    kind: String,
    source: String,
    /// It is btrfs, and begins at a subvolume: a folder of one that is mounted
    /// alone, such as a container's root, looks the same in mountinfo.
    is_subvolume: bool,
}

/// The inode of the top folder of every subvolume, and of nothing else on btrfs
/// (`BTRFS_FIRST_FREE_OBJECTID`).
const TOP_OF_SUBVOLUME: u64 = 256;

impl Mount {
    /// The one that holds a file of the system below `root`; `None` where that
    /// is only a folder on a file system of another system's.
    pub(super) fn of(file: &Path, root: &Path) -> Option<Self> {
        // The kernel's, whatever the root is; a chroot may have none.
        let text = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mount = Self::find(&text, file, &fs::canonicalize(root).ok()?)?;
        let top = fs::metadata(&mount.point).map(|metadata| metadata.ino());
        Some(mount.with_top(top.ok()))
    }

    /// The same, where its top folder has that inode.
    fn with_top(self, inode: Option<u64>) -> Self {
        let is_subvolume = self.kind == "btrfs" && inode == Some(TOP_OF_SUBVOLUME);
        Self {
            is_subvolume,
            ..self
        }
    }

    fn find(mountinfo: &str, file: &Path, root: &Path) -> Option<Self> {
        let file = root.join(file.strip_prefix("/").unwrap_or(file));
        let holds = |mount: &Self| mount.point.starts_with(root) && file.starts_with(&mount.point);
        let all = mountinfo.lines().filter_map(Self::parse).filter(holds);
        // Of two on one folder the later hides the earlier.
        all.max_by_key(|mount| mount.point.components().count())
    }

    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(2);
        let (major, minor) = mount.next()?.split_once(':')?;
        let (root, point) = (unescaped(mount.next()?), unescaped(mount.next()?));
        let mut file_system = file_system.split(' ');
        Some(Self {
            device: makedev(major.parse().ok()?, minor.parse().ok()?),
            root,
            point: PathBuf::from(point),
            kind: file_system.next()?.to_owned(),
            source: unescaped(file_system.next()?),
            is_subvolume: false,
        })
    }

    /// A file's path as GRUB needs it where that is in a subvolume: GRUB begins
    /// at the top of all, as `grub-mkrelpath` has it.
    pub(super) fn path_from_top(&self, file: &Path, root: &Path) -> Option<String> {
        let root = fs::canonicalize(root).ok()?;
        let file = root.join(file.strip_prefix("/").unwrap_or(file));
        let inside = file.strip_prefix(&self.point).ok()?;
        let top = Path::new(&self.root).join(inside);
        self.is_subvolume
            .then(|| top.to_string_lossy().into_owned())
    }

    /// The number of the file system, by which GRUB finds the disk, out of
    /// `folder`, which is `/dev/disk/by-uuid`.
    pub(super) fn uuid(&self, folder: &Path) -> Option<String> {
        // Of a folder that was mounted alone nobody knows what it will be.
        if self.root != "/" && !self.is_subvolume {
            return None;
        }
        // That of btrfs is no block device's; a source may be a mere name.
        let source = Path::new(&self.source);
        let source = source.is_absolute().then(|| fs::metadata(source).ok());
        let source = source.flatten().map(|metadata| metadata.rdev());
        let is_ours = |path: &Path| {
            let device = fs::metadata(path).map(|metadata| metadata.rdev());
            device.is_ok_and(|device| device == self.device || Some(device) == source)
        };
        let names = fs::read_dir(folder).ok()?.filter_map(|entry| {
            let entry = entry.ok().filter(|entry| is_ours(&entry.path()))?;
            entry.file_name().into_string().ok()
        });
        let is_plain = |name: &String| name.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        names.filter(is_plain).min()
    }
}

/// Blanks, tabs, line ends and backslashes stand there as `\040` and so on.
fn unescaped(field: &str) -> String {
    let mut text = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let digits = after.get(..3).unwrap_or_default();
        match u8::from_str_radix(digits, 8) {
            Ok(letter) if letter.is_ascii() => {
                text.push(char::from(letter));
                rest = &after[3..];
            }
            _ => {
                text.push('\\');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system on subvolumes, one of them by a name with a blank, and a disk.
    const MOUNTS: &str = "\
        22 1 0:21 / /proc rw shared:2 - proc proc rw\n\
        27 1 0:25 /@rootfs / rw,relatime shared:1 - btrfs /dev/vda2 rw,subvol=/@rootfs\n\
        28 27 0:25 /@my\\040home /home/a\\040b rw - btrfs /dev/vda2 rw\n\
        29 27 254:1 / /boot/efi rw shared:3 - vfat /dev/vda1 rw\n\
        30 27 1:3 / /srv/target rw - ext4 /dev/vdb1 rw\n";

    fn find(file: &str, root: &str) -> Option<Mount> {
        let mount = Mount::find(MOUNTS, Path::new(file), Path::new(root))?;
        Some(mount.with_top(Some(TOP_OF_SUBVOLUME)))
    }

    #[test]
    fn a_file_in_a_subvolume_is_named_from_the_top_of_all() {
        let path = |file: &str| find(file, "/")?.path_from_top(Path::new(file), Path::new("/"));
        for (file, expected) in [
            ("/boot/xen.gz", Some("/@rootfs/boot/xen.gz")),
            ("/home/a b/xen.gz", Some("/@my home/xen.gz")),
            ("/boot/efi/xen.efi", None),
            ("/proc/version", None),
        ] {
            assert_eq!(path(file).as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn a_folder_of_a_subvolume_is_none() {
        let folder = tempfile::tempdir().unwrap();
        // What the mount has for its source, by any number.
        let link = folder.path().join("01-AB");
        std::os::unix::fs::symlink("/dev/null", link).unwrap();
        let file = Path::new("/boot/xen.gz");
        let told = |inode| {
            let text = "27 1 0:25 /var/lib/machines/x / rw - btrfs /dev/null rw\n";
            let mount = Mount::find(text, file, Path::new("/")).unwrap();
            let mount = mount.with_top(inode);
            let path = mount.path_from_top(file, Path::new("/"));
            (path, mount.uuid(folder.path()))
        };
        let subvolume = "/var/lib/machines/x/boot/xen.gz".to_owned();
        assert_eq!(told(Some(256)), (Some(subvolume), Some("01-AB".to_owned())));
        assert_eq!(told(Some(257)), (None, None));
        assert_eq!(told(None), (None, None));
    }

    #[test]
    fn another_root_s_file_systems_begin_there_or_below() {
        let point = |root: &str| find("/boot/xen.gz", root).map(|mount| mount.point);
        assert_eq!(point("/srv/target"), Some(PathBuf::from("/srv/target")));
        // A folder in the file system of the one who builds.
        assert_eq!(point("/srv/other"), None);
        assert_eq!(point("/srv/target/deeper"), None);
    }

    #[test]
    fn the_disk_is_known_by_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let link = |name: &str, device: &str| {
            std::os::unix::fs::symlink(device, folder.path().join(name)).unwrap();
        };
        link("0123-ABCD", "/dev/zero");
        let mount = find("/boot/xen.gz", "/srv/target").unwrap();
        assert_eq!(mount.uuid(folder.path()), None);
        // It has 1:3, as the disk above.
        link("ee5c-01", "/dev/null");
        assert_eq!(mount.uuid(folder.path()).as_deref(), Some("ee5c-01"));
        let by_source = Mount {
            device: 0,
            source: "/dev/null".to_owned(),
            ..mount.clone()
        };
        assert_eq!(by_source.uuid(folder.path()).as_deref(), Some("ee5c-01"));
        let bound = Mount {
            root: "/srv/image".to_owned(),
            ..mount
        };
        assert_eq!(bound.uuid(folder.path()), None);
        assert_eq!(by_source.uuid(Path::new("/nowhere")), None);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(unescaped(r"a\040b\134c\09é\"), "a b\\c\\09é\\");
    }
}
