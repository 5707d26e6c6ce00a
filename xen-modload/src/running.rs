//! What the kernel has already.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::Error;
use crate::pattern::underscored;
use crate::root::{below, read_if_there};

/// One line of `/proc/modules`, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// Its name, underscored.
    pub name: String,
    /// How many hold it: modules, open files, mounts.
    pub holders: u32,
    /// The modules among them.
    pub used_by: Vec<String>,
    /// It has no way out: it was made without one.
    pub permanent: bool,
    /// It has started and is not about to go.
    pub live: bool,
}

/// The modules that are loaded.
#[derive(Debug, Clone, Default)]
pub struct Running {
    root: PathBuf,
    modules: Vec<Module>,
    /// What sysfs knows, built in or not, when it was first asked.
    in_sysfs: OnceLock<Vec<String>>,
}

impl Running {
    /// Reads `/proc/modules` below `root`. A kernel without loadable modules
    /// has no such file.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(root: &Path) -> Result<Self, Error> {
        let content = read_if_there(&below(root, Path::new("/proc/modules")))?;
        Ok(Self {
            root: root.to_path_buf(),
            modules: parse(&content.unwrap_or_default()),
            in_sysfs: OnceLock::new(),
        })
    }

    /// Reads it anew.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn refresh(&mut self) -> Result<(), Error> {
        *self = Self::read(&self.root)?;
        Ok(())
    }

    /// Nothing is loaded: for answers that must not depend on what runs.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The module of that name, however it is spelled, if it is in the kernel
    /// as a module.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<&Module> {
        let name = underscored(name);
        self.modules.iter().find(|module| module.name == name)
    }

    /// It is loaded and has started.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.module(name).is_some_and(|module| module.live)
    }

    /// It is part of the kernel itself: sysfs knows it, but it has no
    /// `initstate`, which every loaded module has.
    #[must_use]
    pub fn has_built_in(&self, name: &str) -> bool {
        // What is known need not be asked for, and below no root is nothing.
        if self.module(name).is_some() || self.root.as_os_str().is_empty() {
            return false;
        }
        let name = underscored(name);
        let folder = below(&self.root, Path::new("/sys/module"));
        let in_sysfs = self.in_sysfs.get_or_init(|| names_in(&folder));
        in_sysfs.contains(&name) && !folder.join(name).join("initstate").exists()
    }

    /// Notes that it was loaded just now.
    pub fn note_loaded(&mut self, name: &str) {
        let name = underscored(name);
        self.modules.retain(|module| module.name != name);
        self.modules.push(Module {
            name,
            live: true,
            ..Module::default()
        });
    }

    /// Notes that it was unloaded just now, so that nobody waits for it.
    pub fn note_unloaded(&mut self, name: &str) {
        let gone = underscored(name);
        self.modules.retain(|module| module.name != gone);
        for module in &mut self.modules {
            if module.used_by.contains(&gone) {
                module.used_by.retain(|user| *user != gone);
                module.holders = module.holders.saturating_sub(1);
            }
        }
    }
}

/// The names in a folder; none where there is no folder.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// Stands among the users of a module that has no way out.
const PERMANENT: &str = "[permanent]";

/// `name size holders user,user, state address`; a kernel without unloading
/// writes a dash for the holders.
pub(crate) fn parse(content: &str) -> Vec<Module> {
    content
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let name = fields.next()?;
            let holders = fields.nth(1)?.parse().unwrap_or(0);
            let users = fields.next()?;
            let state = fields.next()?;
            let is_user = |user: &&str| !["", "-", PERMANENT].contains(user);
            let used_by = users.split(',').filter(is_user);
            Some(Module {
                name: name.to_owned(),
                holders,
                used_by: used_by.map(str::to_owned).collect(),
                permanent: users.split(',').any(|user| user == PERMANENT),
                live: state == "Live",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_holders_users_and_state() {
        let modules = parse(
            "xenfs 16384 1 - Live 0x0000000000000000\n\
             xen_privcmd 36864 3 xenfs,other, Live 0x0\n\
             tun 61440 0 - Loading 0x0\n\
             dca 1 1 ioatdma,[permanent], Live 0x0\n\
             cut 12\n",
        );
        let [xenfs, privcmd, tun, dca] = modules.as_slice() else {
            panic!("{modules:?}");
        };
        assert_eq!((privcmd.name.as_str(), privcmd.holders), ("xen_privcmd", 3));
        assert_eq!(privcmd.used_by, ["xenfs", "other"]);
        assert!(xenfs.live && xenfs.used_by.is_empty());
        assert!(!tun.live && !tun.permanent);
        assert!(dca.permanent && dca.used_by == ["ioatdma"]);
    }

    #[test]
    fn a_module_that_goes_holds_nothing_any_more() {
        let mut running = Running {
            modules: parse("a 1 0 - Live 0x0\nb 1 1 a, Live 0x0\n"),
            ..Running::nothing()
        };
        running.note_unloaded("a");
        assert_eq!(running.module("b").unwrap().holders, 0);
        assert!(!running.has("a"));
    }
}
