//! Where the programs of the Xen package are.

use std::path::{Path, PathBuf};

use crate::root::Root;
use crate::settings::Settings;
use crate::{Error, XenVersion};

/// Where Xen's daemons are kept, after Debian's folder for the version.
const FOLDERS: [&str; 7] = [
    "/usr/sbin",
    "/usr/libexec/xen/bin",
    "/usr/lib/xen/bin",
    "/usr/local/sbin",
    "/usr/local/lib/xen/bin",
    "/usr/local/libexec/xen/bin",
    "/usr/lib64/xen/bin",
];

/// Where distributions keep the qemu that Xen's tools use. A qemu of plain
/// `/usr/bin` may have been built without Xen, and is used only if named.
const QEMUS: [&str; 6] = [
    "/usr/libexec/xen-qemu-system-i386",
    "/usr/lib/xen/bin/qemu-system-i386",
    "/usr/libexec/xen/bin/qemu-system-i386",
    "/usr/local/lib/xen/bin/qemu-system-i386",
    "/usr/local/libexec/xen/bin/qemu-system-i386",
    "/usr/lib64/xen/bin/qemu-system-i386",
];

/// The script that starts and stops the domains. Debian's is its own, and the
/// only one that knows its tools; upstream's in `/etc/init.d` runs the other.
/// A service of OpenRC by that name is neither: it needs the store of its own
/// chain, which OpenRC would start beside ours.
pub(crate) const XENDOMAINS: [&str; 7] = [
    "/etc/init.d/xendomains",
    "/etc/rc.d/init.d/xendomains",
    "/usr/libexec/xen/bin/xendomains",
    "/usr/lib/xen/bin/xendomains",
    "/usr/local/libexec/xen/bin/xendomains",
    "/usr/local/lib/xen/bin/xendomains",
    "/usr/lib64/xen/bin/xendomains",
];

/// Debian's link target for every tool that must fit the running hypervisor.
const WRAPPER: &str = "xen-utils-wrapper";

/// The two store daemons. They take different options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// xenstored, in C.
    C,
    /// oxenstored, in OCaml.
    Ocaml,
}

/// A search through one root, for one version of Xen.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Where to look.
    pub root: &'a Root,
    /// The version whose tools must be taken where several are installed.
    pub version: Option<XenVersion>,
    /// Where the administrator may have named a program.
    pub settings: &'a Settings,
}

impl Search<'_> {
    /// The store daemon: the one that `XENSTORED` names, else oxenstored, else
    /// xenstored, in Debian's order.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub fn store(&self) -> Result<(PathBuf, StoreKind), Error> {
        let path = match self.settings.get("XENSTORED") {
            Some(named) => self.named("xenstored", named)?,
            None => self.find(&["oxenstored", "xenstored"])?,
        };
        let resolved = self.root.resolve(&path);
        let kind = if resolved
            .file_name()
            .is_some_and(|name| name == "oxenstored")
        {
            StoreKind::Ocaml
        } else {
            StoreKind::C
        };
        Ok((path, kind))
    }

    /// A daemon: the one that the setting names, else the one found.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub fn daemon(&self, name: &str, setting: &str) -> Result<PathBuf, Error> {
        match self.settings.get(setting) {
            Some(named) => self.named(name, named),
            None => self.find(&[name]),
        }
    }

    /// The disk backend of domain 0.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub fn qemu(&self) -> Result<PathBuf, Error> {
        match self.settings.get("QEMU_XEN") {
            Some(named) => self.named("qemu", named),
            None => self.first("qemu for Xen", &QEMUS),
        }
    }

    /// The script that starts and stops the domains.
    ///
    /// # Errors
    /// [`Error::NotInstalled`].
    pub fn xendomains(&self) -> Result<PathBuf, Error> {
        let is_services = |path: &&str| self.root.is_of_openrc(Path::new(path));
        let scripts: Vec<&str> = XENDOMAINS
            .into_iter()
            .filter(|path| !is_services(path))
            .collect();
        self.first("xendomains", &scripts)
    }

    /// The shell of a script in `/etc/init.d`, where it names a usual one.
    #[must_use]
    pub fn init_shell(&self, script: &Path) -> Option<&'static str> {
        if !script.starts_with("/etc/init.d") {
            return None;
        }
        ["/bin/bash", "/bin/sh"].into_iter().find(|shell| {
            let lines = [format!("#!{shell}"), format!("#! {shell}")];
            let is_first = |line: &String| self.root.starts_with(script, line.as_bytes());
            lines.iter().any(is_first)
        })
    }

    fn first(&self, tool: &str, paths: &[&str]) -> Result<PathBuf, Error> {
        let found = paths.iter().map(Path::new);
        found
            .clone()
            .find(|path| self.root.has_program(path))
            .map(Path::to_path_buf)
            .ok_or_else(|| Error::NotInstalled {
                tool: tool.to_owned(),
                looked: paths.iter().map(|path| (*path).to_owned()).collect(),
            })
    }

    /// The first of the names that is installed; of one name, that of the
    /// version before any other.
    fn find(&self, names: &[&str]) -> Result<PathBuf, Error> {
        let mut looked = vec![];
        for name in names {
            let of_version = self.of_version(name);
            let elsewhere = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
            for path in of_version.into_iter().chain(elsewhere) {
                if let Some(real) = self.real(&path) {
                    return Ok(real);
                }
                looked.push(path.display().to_string());
            }
        }
        Err(Error::NotInstalled {
            tool: names.join(" or "),
            looked,
        })
    }

    /// What the administrator named, which is taken or an error.
    fn named(&self, name: &str, value: &str) -> Result<PathBuf, Error> {
        if !value.contains('/') {
            return self.find(&[value]);
        }
        self.real(Path::new(value))
            .ok_or_else(|| Error::NotInstalled {
                tool: name.to_owned(),
                looked: vec![value.to_owned()],
            })
    }

    /// Debian's place for a tool of one version.
    fn of_version(&self, name: &str) -> Option<PathBuf> {
        let version = self.version?;
        Some(PathBuf::from(format!("/usr/lib/xen-{version}/bin/{name}")))
    }

    /// The program itself, where a path leads to Debian's wrapper: its init
    /// script knows a daemon by the file that runs, and the wrapper is none.
    fn real(&self, path: &Path) -> Option<PathBuf> {
        if !self.root.has_program(path) {
            return None;
        }
        let target = self.root.resolve(path);
        let is_wrapper = target.file_name().is_some_and(|name| name == WRAPPER);
        if !is_wrapper && !self.root.starts_with(path, b"#!") {
            return Some(path.to_path_buf());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let real = self
            .of_version(&name)
            .filter(|real| self.root.has_program(real));
        if is_wrapper {
            return real;
        }
        // A script of the administrator's own is run as it is.
        real.or_else(|| Some(path.to_path_buf()))
    }
}

/// The prefix that Xen was installed with, as far as a daemon's path tells.
#[must_use]
pub fn prefix_of(daemon: &Path) -> PathBuf {
    const ENDS: [&str; 6] = [
        "lib/xen/bin",
        "lib64/xen/bin",
        "libexec/xen/bin",
        "libexec",
        "sbin",
        "bin",
    ];
    let folder = daemon.parent().unwrap_or(Path::new("/"));
    let is_debian = folder
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|name| name.to_string_lossy().starts_with("xen-"));
    if is_debian {
        return PathBuf::from("/usr");
    }
    for end in ENDS {
        if folder.ends_with(end) {
            let depth = Path::new(end).components().count();
            return folder
                .ancestors()
                .nth(depth)
                .unwrap_or(folder)
                .to_path_buf();
        }
    }
    folder.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_prefix_of_a_daemon() {
        for (daemon, prefix) in [
            ("/usr/sbin/xenstored", "/usr"),
            ("/usr/lib/xen-4.17/bin/oxenstored", "/usr"),
            ("/usr/local/lib/xen/bin/xenstored", "/usr/local"),
            ("/opt/xen/sbin/xenstored", "/opt/xen"),
            ("/sbin/xenstored", "/"),
        ] {
            assert_eq!(prefix_of(Path::new(daemon)), Path::new(prefix), "{daemon}");
        }
    }
}
