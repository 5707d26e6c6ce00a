//! By what the chain is started at boot, whoever has enabled it.

use std::path::PathBuf;

use crate::Error;
use crate::root::Root;

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
