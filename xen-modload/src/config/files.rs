//! Which files there are, and in which order they count.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::root::{below, is_absent};

/// The folders; of two files with one name the one in the earlier folder counts.
const FOLDERS: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];

/// The softdeps that depmod collected from the modules themselves.
const SOFTDEP: &str = "modules.softdep";

/// The files as seen from `root`, sorted by their bare names, and the folders
/// that cannot be read.
pub(super) fn list(root: &Path, modules: &Path) -> (Vec<PathBuf>, Vec<Error>) {
    let mut unread = vec![];
    let mut files: Vec<(OsString, PathBuf)> = vec![(SOFTDEP.into(), modules.join(SOFTDEP))];
    for folder in FOLDERS.map(Path::new) {
        let place = below(root, folder);
        let entries = match fs::read_dir(&place).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => {
                unread.push(Error::reading(&place, error));
                continue;
            }
        };
        for entry in entries {
            let name = entry.file_name();
            let bytes = name.as_encoded_bytes();
            // The second ending is older than the folder, and modprobe reads it still.
            let is_ours = bytes.ends_with(b".conf") || bytes.ends_with(b".alias");
            if !is_ours || bytes.starts_with(b".") || entry.path().is_dir() {
                continue;
            }
            let path = folder.join(&name);
            // Kept sorted; what an earlier folder has stays.
            if let Err(place) = files.binary_search_by(|(other, _)| other.cmp(&name)) {
                files.insert(place, (name, path));
            }
        }
    }
    let files = files.into_iter().map(|(_, path)| path).collect();
    (files, unread)
}
