//! The folders and links that a Dom0 needs, as tmpfiles.d lines and as shell
//! commands.

use std::path::Path;

use crate::chain::pid_file;
use crate::machine::Machine;
use crate::model::Name;
use crate::tools::prefix_of;

/// Where the logs go.
pub const LOG_FOLDER: &str = "/var/log/xen";
/// Where the console daemon keeps its own, unless it is told otherwise.
pub const CONSOLE_LOGS: &str = "/var/log/xen/console";
/// Where the store daemon keeps its socket and its files.
pub const STORE_FOLDER: &str = "/run/xenstored";
/// Upstream's pidfile of the store: what its launch-xenstore looks at.
const UPSTREAM_STORE_PID: &str = "/run/xen/xenstored.pid";

/// The folders, with their modes. oxenstored relies on the mode of its own.
const FOLDERS: [(u16, &str); 8] = [
    (0o700, "/run/xen"),
    (0o700, STORE_FOLDER),
    (0o755, "/run/lock/subsys"),
    (0o750, LOG_FOLDER),
    (0o750, CONSOLE_LOGS),
    (0o755, "/var/lib/xen"),
    (0o700, "/var/lib/xen/save"),
    (0o700, "/var/lib/xen/dump"),
];

/// Something that must be there, or must be gone, before the daemons start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder with this mode. Who owns it is left as it is.
    Folder(u16, String),
    /// A folder that a setting names. Where it is there, others may use it too.
    Named(String),
    /// A link, made only where nothing has the name.
    Link {
        /// The name of the link.
        path: String,
        /// What it leads to.
        target: String,
    },
    /// Files of a store that lives no more, by their pattern.
    OldStore(String),
}

/// Every entry for this machine, folders before what is in them.
#[must_use]
pub fn entries(machine: &Machine) -> Vec<Entry> {
    let mut entries: Vec<Entry> = FOLDERS
        .iter()
        .map(|(mode, path)| Entry::Folder(*mode, (*path).to_owned()))
        .collect();
    // One that is not plain is whoever's named it to make.
    let logs = machine.console_logs().unwrap_or(CONSOLE_LOGS);
    if logs != CONSOLE_LOGS {
        entries.retain(|entry| entry.path() != CONSOLE_LOGS);
    }
    if entries.iter().all(|entry| entry.path() != logs) {
        entries.push(Entry::Named(logs.to_owned()));
    }
    entries.push(Entry::OldStore(format!("{STORE_FOLDER}/tdb*")));
    let store_pid = pid_file(Name::Store, machine);
    if store_pid != UPSTREAM_STORE_PID {
        entries.push(Entry::Link {
            path: UPSTREAM_STORE_PID.to_owned(),
            target: store_pid.to_owned(),
        });
    }
    entries.extend(configuration_links(machine));
    entries
}

/// `/etc/xen/xl.conf` and `/etc/xen/scripts` where Xen keeps them below a
/// prefix of its own. Under `/usr` they are the package's own files.
fn configuration_links(machine: &Machine) -> Vec<Entry> {
    let Ok(daemon) = machine.search().daemon("xenconsoled", "XENCONSOLED") else {
        return vec![];
    };
    let prefix = prefix_of(&daemon);
    if prefix == Path::new("/usr") || prefix == Path::new("/") {
        return vec![];
    }
    let links = ["xl.conf", "scripts"].map(|name| (name, prefix.join("etc/xen").join(name)));
    let found: Vec<Entry> = links
        .into_iter()
        .filter(|(_, target)| machine.root.has(target))
        .map(|(name, target)| Entry::Link {
            path: format!("/etc/xen/{name}"),
            target: target.display().to_string(),
        })
        .collect();
    let mut entries = vec![];
    if !found.is_empty() {
        entries.push(Entry::Folder(0o755, "/etc/xen".to_owned()));
    }
    entries.extend(found);
    entries
}

/// The entries as shell commands that may be run any number of times: the
/// folders of one mode in one command, then the rest in its order.
#[must_use]
pub fn commands(entries: &[Entry]) -> Vec<String> {
    let mut folders: Vec<(u16, Vec<&str>)> = vec![];
    for entry in entries {
        if let Entry::Folder(mode, path) = entry {
            match folders.iter_mut().find(|(of_group, _)| of_group == mode) {
                Some((_, paths)) => paths.push(path),
                None => folders.push((*mode, vec![path])),
            }
        }
    }
    let folders = folders.into_iter().map(|(mode, paths)| {
        let mode = format!("{mode:04o}");
        shell_words::join(["install", "-d", "-m", &mode].into_iter().chain(paths))
    });
    folders
        .chain(entries.iter().filter_map(Entry::command))
        .collect()
}

impl Entry {
    fn path(&self) -> &str {
        match self {
            Self::Folder(_, path) | Self::Named(path) | Self::Link { path, .. } => path,
            Self::OldStore(pattern) => pattern,
        }
    }

    /// As a line of tmpfiles.d(5).
    #[must_use]
    pub fn tmpfiles(&self) -> String {
        match self {
            Self::Folder(mode, path) => format!("d {path} {mode:04o} - - -"),
            // Without a mode it changes none; the logs are their owner's alone.
            Self::Named(path) => format!("d {path} - - - -"),
            Self::Link { path, target } => format!("L {path} - - - - {target}"),
            // With the exclamation mark only at boot, when no store can live.
            Self::OldStore(pattern) => format!("r! {pattern}"),
        }
    }

    /// As a shell command, where it is one of its own.
    fn command(&self) -> Option<String> {
        Some(match self {
            Self::Folder(..) => return None,
            Self::Named(path) => {
                let path = shell_words::quote(path);
                format!("[ -d {path} ] || install -d -m 0750 {path}")
            }
            Self::Link { path, target } => {
                let (path, target) = (shell_words::quote(path), shell_words::quote(target));
                format!("[ -e {path} ] || [ -L {path} ] || ln -s {target} {path}")
            }
            Self::OldStore(pattern) => {
                format!("[ -e {STORE_FOLDER}/socket ] || rm -f {pattern}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_thing_for_tmpfiles_and_for_a_script() {
        let folder = Entry::Folder(0o700, "/run/xen".to_owned());
        assert_eq!(folder.tmpfiles(), "d /run/xen 0700 - - -");
        let link = Entry::Link {
            path: "/etc/xen/scripts".to_owned(),
            target: "/opt/my xen/etc/xen/scripts".to_owned(),
        };
        assert_eq!(
            link.tmpfiles(),
            "L /etc/xen/scripts - - - - /opt/my xen/etc/xen/scripts"
        );
        let other = Entry::Folder(0o755, "/etc/xen".to_owned());
        let same = Entry::Folder(0o700, "/run/xenstored".to_owned());
        assert_eq!(
            commands(&[folder, other, link, same]),
            [
                "install -d -m 0700 /run/xen /run/xenstored",
                "install -d -m 0755 /etc/xen",
                "[ -e /etc/xen/scripts ] || [ -L /etc/xen/scripts ] || \
                 ln -s '/opt/my xen/etc/xen/scripts' /etc/xen/scripts",
            ]
        );
    }
}
