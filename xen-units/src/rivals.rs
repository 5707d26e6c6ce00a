//! Other chains that would start the same daemons: those of the distribution
//! and of Xen itself.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::machine::UNIT_FOLDERS;
use crate::root::Root;

/// What they call their links. xen-watchdog is not among them: the unit of
/// ours with that name takes its place.
const NAMES: [&str; 9] = [
    "xen",
    "xendomains",
    "xencommons",
    "xenstored",
    "xenconsoled",
    "xenqemu",
    "xenqemudev",
    "xen-init-dom0",
    "xen-qemu-dom0-disk-backend",
];

/// A link of another chain that is started at boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// What it is called.
    pub name: &'static str,
    /// By what it is started.
    pub started: Started,
}

/// By what a rival is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// A link such as `/etc/rc2.d/S02xen`.
    ByRunlevel(String),
    /// A link such as `/etc/systemd/system/multi-user.target.wants/xenstored.service`.
    ByUnit(String),
    /// A link of OpenRC or runit, and what it leads to.
    ByLink(PathBuf, PathBuf),
}

/// Each one that is started at boot and not masked.
///
/// # Errors
/// A folder that cannot be read.
pub fn enabled(root: &Root) -> Result<Vec<Rival>, Error> {
    let mut enabled = vec![];
    for name in NAMES {
        if is_masked(root, name) {
            continue;
        }
        let started = match by_runlevel(root, name)? {
            None => by_unit(root, name)?,
            found => found,
        };
        enabled.extend(started.map(|started| Rival { name, started }));
        for folder in link_folders(root)? {
            let path = folder.join(name);
            if let Some(target) = root.link_target(&path) {
                let started = Started::ByLink(path, target);
                enabled.push(Rival { name, started });
            }
        }
    }
    Ok(enabled)
}

/// The link by which another service is started where no systemd is.
///
/// # Errors
/// A folder that cannot be read.
pub fn link_of(root: &Root, name: &str) -> Result<Option<String>, Error> {
    if let Some(Started::ByRunlevel(link)) = by_runlevel(root, name)? {
        return Ok(Some(link));
    }
    let folders = link_folders(root)?.into_iter();
    let mut paths = folders.map(|folder| folder.join(name));
    let found = paths.find(|path| root.has(path));
    Ok(found.map(|path| path.display().to_string()))
}

/// The rivals in one line, each with its link.
#[must_use]
pub fn named(rivals: &[Rival]) -> String {
    let one = |rival: &Rival| match &rival.started {
        Started::ByRunlevel(link) | Started::ByUnit(link) => format!("{} ({link})", rival.name),
        Started::ByLink(path, _) => format!("{} ({})", rival.name, path.display()),
    };
    rivals.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The runlevels of OpenRC and the folders that runit runs.
fn link_folders(root: &Root) -> Result<Vec<PathBuf>, Error> {
    let runlevels = Path::new("/etc/runlevels");
    let levels = root.names(runlevels)?.into_iter();
    let mut folders: Vec<PathBuf> = levels.map(|level| runlevels.join(level)).collect();
    folders.extend(["/etc/service", "/var/service"].map(PathBuf::from));
    Ok(folders)
}

fn is_masked(root: &Root, name: &str) -> bool {
    // Those of the administrator and of this boot, the only ones that mask.
    UNIT_FOLDERS[..2].iter().any(|folder| {
        let unit = Path::new(folder).join(format!("{name}.service"));
        root.resolve(&unit) == Path::new("/dev/null")
    })
}

/// A link such as `/etc/rc2.d/S02xen`.
fn by_runlevel(root: &Root, name: &str) -> Result<Option<Started>, Error> {
    for level in ["S", "2", "3", "4", "5"] {
        let folder = format!("/etc/rc{level}.d");
        let starts = |entry: &String| {
            let rest = entry.strip_prefix('S').unwrap_or_default();
            rest.trim_start_matches(|c: char| c.is_ascii_digit()) == name
        };
        if let Some(entry) = root.names(Path::new(&folder))?.iter().find(|e| starts(e)) {
            return Ok(Some(Started::ByRunlevel(format!("{folder}/{entry}"))));
        }
    }
    Ok(None)
}

/// A link such as `/etc/systemd/system/multi-user.target.wants/xenstored.service`.
fn by_unit(root: &Root, name: &str) -> Result<Option<Started>, Error> {
    for folder in UNIT_FOLDERS {
        for wants in root.names(Path::new(folder))? {
            let link = format!("{folder}/{wants}/{name}.service");
            let is_wants = wants.ends_with(".wants") || wants.ends_with(".requires");
            if is_wants && root.has(Path::new(&link)) {
                return Ok(Some(Started::ByUnit(link)));
            }
        }
    }
    Ok(None)
}
