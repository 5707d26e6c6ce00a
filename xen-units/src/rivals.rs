//! Other chains that would start the same daemons: those of the distribution
//! and of Xen itself.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Init;
use crate::machine::{UNIT_FOLDERS, is_masked};
use crate::root::Root;
use crate::stamp::{Found, whose};

/// What they call their links.
const NAMES: [&str; 10] = [
    "xen",
    "xendomains",
    "xencommons",
    "xenstored",
    "xenconsoled",
    "xenqemu",
    "xenqemudev",
    "xen-init-dom0",
    "xen-qemu-dom0-disk-backend",
    WATCHDOG,
];

/// Called by upstream as it is by us: whose it is, its file tells.
pub(crate) const WATCHDOG: &str = "xen-watchdog";

/// Where runit looks for what it is to run, the first that is there.
pub(crate) const RUNIT_FOLDERS: [&str; 3] = ["/etc/service", "/var/service", "/service"];

/// Where dinit has the links of what it starts at boot.
pub(crate) const DINIT_FOLDER: &str = "/etc/dinit.d/boot.d";

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
    /// A link of OpenRC, runit or dinit, and what it leads to.
    ByLink(PathBuf, PathBuf),
}

/// Each one that this init system starts at boot. systemd's masks mean nothing
/// to the others, and their links nothing to it, but for SysV's.
///
/// # Errors
/// A folder that cannot be read.
pub fn enabled(root: &Root, init: Init) -> Result<Vec<Rival>, Error> {
    let runlevels = match init {
        Init::Systemd | Init::Sysvinit | Init::S6 | Init::Runit => runlevel_links(root)?,
        Init::Openrc | Init::Dinit => vec![],
    };
    let wants = match init {
        Init::Systemd => wants_folders(root)?,
        _ => vec![],
    };
    let folders = link_folders(root, init)?;
    let mut enabled = vec![];
    for name in NAMES {
        if init == Init::Systemd && is_masked(root, &format!("{name}.service")) {
            continue;
        }
        let is_rival = |link: &Path| name != WATCHDOG || !leads_to_ours(root, link);
        let mut by_runlevel = runlevels.iter().filter(|(script, _)| script == name);
        let runlevel = by_runlevel
            .find(|(_, link)| is_rival(Path::new(link)))
            // A script is no unit where there is one of its name.
            .filter(|_| init != Init::Systemd || name != WATCHDOG)
            .map(|(_, link)| Started::ByRunlevel(link.clone()));
        let unit = || {
            let links = wants.iter().map(|wants| format!("{wants}/{name}.service"));
            let mut found = links.filter(|link| root.has(Path::new(link)));
            found.find(|link| name != WATCHDOG || !starts_ours(root, Path::new(link)))
        };
        let started = runlevel.or_else(|| unit().map(Started::ByUnit));
        enabled.extend(started.map(|started| Rival { name, started }));
        for path in folders.iter().map(|folder| folder.join(name)) {
            if let Some(target) = root.link_target(&path).filter(|_| is_rival(&path)) {
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
    let runlevels = runlevel_links(root)?.into_iter();
    if let Some((_, link)) = runlevels.into_iter().find(|(script, _)| script == name) {
        return Ok(Some(link));
    }
    for init in [Init::Openrc, Init::Runit, Init::Dinit] {
        let folders = link_folders(root, init)?.into_iter();
        let mut paths = folders.map(|folder| folder.join(name));
        if let Some(path) = paths.find(|path| root.has(path)) {
            return Ok(Some(path.display().to_string()));
        }
    }
    Ok(None)
}

/// Whether a file of ours goes where a rival may have one of its own.
#[must_use]
pub fn may_be_at(path: &Path) -> bool {
    let name = |part: &std::ffi::OsStr| Path::new(part).file_stem() == Some(WATCHDOG.as_ref());
    path.iter().any(name)
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

/// The runlevels of OpenRC, or the folders that runit or dinit runs.
pub(crate) fn link_folders(root: &Root, init: Init) -> Result<Vec<PathBuf>, Error> {
    let runlevels = Path::new("/etc/runlevels");
    Ok(match init {
        Init::Openrc => {
            let levels = root.names(runlevels)?.into_iter();
            levels.map(|level| runlevels.join(level)).collect()
        }
        Init::Runit => RUNIT_FOLDERS.map(PathBuf::from).to_vec(),
        Init::Dinit => vec![PathBuf::from(DINIT_FOLDER)],
        Init::Systemd | Init::Sysvinit | Init::S6 => vec![],
    })
}

/// Whether what systemd starts by this link is ours, or nothing at all. It goes
/// by the link's name: where the target is gone, a unit of that name may still
/// be in another folder. While our generator runs, its folder is empty; what it
/// will write there beats all that is not in `/etc` or `/run`.
fn starts_ours(root: &Root, link: &Path) -> bool {
    let target = root.resolve(link);
    if target.starts_with("/run/systemd") && !target.starts_with(UNIT_FOLDERS[1]) {
        return true;
    }
    if root.has_file(&target) {
        return leads_to_ours(root, link);
    }
    let name = link.file_name().unwrap_or_default();
    let mut units = UNIT_FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name));
    let unit = units.find(|unit| root.has_file(unit));
    unit.is_none_or(|unit| leads_to_ours(root, &unit))
}

/// Whether a link leads to a file of ours, or to a service's folder of ours.
pub(crate) fn leads_to_ours(root: &Root, link: &Path) -> bool {
    let mut path = root.resolve(link);
    if root.has_folder(&path) {
        path.push("run");
    }
    let content = root.read_bytes(&path).ok().flatten().unwrap_or_default();
    matches!(whose(&content), Found::Ours | Found::Changed)
}

/// Links such as `/etc/rc2.d/S02xen`, each behind the name of its script.
fn runlevel_links(root: &Root) -> Result<Vec<(String, String)>, Error> {
    let mut links = vec![];
    for level in ["S", "2", "3", "4", "5"] {
        let folder = format!("/etc/rc{level}.d");
        for entry in root.names(Path::new(&folder))? {
            if let Some(rest) = entry.strip_prefix('S') {
                let name = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                links.push((name.to_owned(), format!("{folder}/{entry}")));
            }
        }
    }
    Ok(links)
}

/// Folders such as `/etc/systemd/system/multi-user.target.wants`.
pub(crate) fn wants_folders(root: &Root) -> Result<Vec<String>, Error> {
    // Mostly /lib is /usr/lib, and every boot waits for this.
    let is_merged = root.link_target(Path::new("/lib")).is_some();
    let mut found = vec![];
    for folder in UNIT_FOLDERS {
        if is_merged && folder.starts_with("/lib/") {
            continue;
        }
        let mut names = root.names(Path::new(folder))?;
        names.retain(|name| name.ends_with(".wants") || name.ends_with(".requires"));
        found.extend(names.iter().map(|name| format!("{folder}/{name}")));
    }
    Ok(found)
}
