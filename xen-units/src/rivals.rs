//! Other chains that would start the same daemons: those of the distribution
//! and of Xen itself.

use std::path::Path;

use crate::Error;
use crate::machine::UNIT_FOLDERS;
use crate::root::Root;

/// What they call their links. xen-watchdog is not among them: the unit of
/// ours with that name takes its place.
const NAMES: [&str; 7] = [
    "xen",
    "xendomains",
    "xencommons",
    "xenstored",
    "xenconsoled",
    "xen-init-dom0",
    "xen-qemu-dom0-disk-backend",
];

/// A line that names the first link of each one that is started at boot and
/// not masked, if there is any.
///
/// # Errors
/// A folder that cannot be read.
pub fn remark(root: &Root) -> Result<Option<String>, Error> {
    let mut enabled = vec![];
    for name in NAMES {
        if is_masked(root, name) {
            continue;
        }
        if let Some(link) = by_runlevel(root, name)?.or(by_unit(root, name)?) {
            enabled.push(format!("{name} ({link})"));
        }
    }
    if enabled.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "another chain is enabled, to be masked before this one is: {}",
        enabled.join(", ")
    )))
}

fn is_masked(root: &Root, name: &str) -> bool {
    // Those of the administrator and of this boot, the only ones that mask.
    UNIT_FOLDERS[..2].iter().any(|folder| {
        let unit = Path::new(folder).join(format!("{name}.service"));
        root.resolve(&unit) == Path::new("/dev/null")
    })
}

/// A link such as `/etc/rc2.d/S02xen`.
fn by_runlevel(root: &Root, name: &str) -> Result<Option<String>, Error> {
    for level in ["S", "2", "3", "4", "5"] {
        let folder = format!("/etc/rc{level}.d");
        let starts = |entry: &String| {
            let rest = entry.strip_prefix('S').unwrap_or_default();
            rest.trim_start_matches(|c: char| c.is_ascii_digit()) == name
        };
        if let Some(entry) = root.names(Path::new(&folder))?.iter().find(|e| starts(e)) {
            return Ok(Some(format!("{folder}/{entry}")));
        }
    }
    Ok(None)
}

/// A link such as `/etc/systemd/system/multi-user.target.wants/xenstored.service`.
fn by_unit(root: &Root, name: &str) -> Result<Option<String>, Error> {
    for folder in UNIT_FOLDERS {
        for wants in root.names(Path::new(folder))? {
            let link = format!("{folder}/{wants}/{name}.service");
            let is_wants = wants.ends_with(".wants") || wants.ends_with(".requires");
            if is_wants && root.has(Path::new(&link)) {
                return Ok(Some(link));
            }
        }
    }
    Ok(None)
}
