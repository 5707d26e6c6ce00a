//! By what the chain is started at boot, whoever has enabled it.

use std::path::{Path, PathBuf};

use crate::cli::Init;
use crate::enable::RUNIT_WAY_DOWN;
use crate::model::Name;
use crate::rivals::{leads_to_ours, link_folders, wants_folders};
use crate::root::Root;
use crate::{Error, dinit, systemd};

/// What stands where the chain is enabled and leads to files of ours. Links of
/// SysV's runlevels are none: programs of the init system take them away.
///
/// # Errors
/// A folder that cannot be read.
pub fn links(root: &Root, init: Init) -> Result<Vec<PathBuf>, Error> {
    let mut folders = match init {
        Init::Systemd => wants_folders(root)?
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        _ => link_folders(root, init)?,
    };
    // One may be a link to another.
    for folder in &mut folders {
        *folder = root.resolve(folder);
    }
    folders.sort();
    folders.dedup();
    let names: Vec<&str> = match init {
        Init::Systemd => vec![systemd::TARGET],
        Init::Dinit => vec![dinit::ALL],
        _ => Name::ALL.map(Name::as_str).to_vec(),
    };
    let each = |folder: &PathBuf| names.iter().map(|name| folder.join(name)).collect();
    let mut places: Vec<PathBuf> = folders.iter().flat_map::<Vec<_>, _>(each).collect();
    if init == Init::Runit {
        places.extend(RUNIT_WAY_DOWN.map(PathBuf::from));
    }
    places.retain(|place| is_ours(root, place));
    Ok(places)
}

/// Whether something leads to a file of ours, or is a link to one that is gone.
pub(crate) fn is_ours(root: &Root, place: &Path) -> bool {
    root.has(place) && (leads_to_ours(root, place) || !root.has(&root.resolve(place)))
}

/// Whether it may be taken away: what is not in an administrator's folders is
/// a package's, and what is no link is more than that.
pub(crate) fn may_go(root: &Root, place: &Path) -> bool {
    let is_packaged = place.starts_with("/usr") || place.starts_with("/lib");
    root.link_target(place).is_some() && !is_packaged
}

/// SysV's links to the script of that name, those that stop it too.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn in_runlevels(root: &Root, name: &str) -> Result<Vec<PathBuf>, Error> {
    let mut links = vec![];
    for level in ["0", "1", "2", "3", "4", "5", "6", "S"] {
        let folder = PathBuf::from(format!("/etc/rc{level}.d"));
        for entry in root.names(&folder)? {
            let rest = entry.trim_start_matches(['S', 'K']);
            if rest.trim_start_matches(|c: char| c.is_ascii_digit()) == name {
                links.push(folder.join(entry));
            }
        }
    }
    Ok(links)
}
