//! The Dom0 kernel, its ramdisk and its command line.

use std::fs;
use std::path::Path;

use super::on_its_device;
use super::releases::{compare, is_set_aside};
use crate::finding::Code;
use crate::line::too_long_for_linux;
use crate::lint::lint_linux;
use crate::settings::BootArgs;
use crate::target::{absolute, below, is_absent, read_if_there};
use crate::{Error, Target};

/// The flag that gives the kernel's line.
const LINUX_CMDLINE: &str = "--linux-cmdline";

/// What a boot entry names beside the hypervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFiles {
    /// The kernel, as the system has it.
    pub kernel: String,
    /// Its initial ramdisk.
    pub ramdisk: Option<String>,
    /// Its command line.
    pub linux_cmdline: String,
}

impl BootFiles {
    /// The same, whatever folder the program was started in. `xen.cfg` may name
    /// files as they were given, for they lie beside it.
    ///
    /// # Errors
    /// The current folder is gone.
    pub(crate) fn absolute(mut self, root: &Path) -> Result<Self, Error> {
        let whole = |file: &String| {
            let path = absolute(root, Path::new(file));
            path.map(|path| path.to_string_lossy().into_owned())
        };
        self.kernel = whole(&self.kernel)?;
        self.ramdisk = self.ramdisk.as_ref().map(whole).transpose()?;
        Ok(self)
    }

    /// The same as a boot loader sees them.
    pub(crate) fn on_their_device(mut self, root: &Path) -> Self {
        self.kernel = on_its_device(&self.kernel, root);
        self.ramdisk = self.ramdisk.map(|file| on_its_device(&file, root));
        self
    }

    /// The kernel gets the whole of its line, behind so many bytes more.
    ///
    /// # Errors
    /// [`Error::Setting`], blamed on the flag.
    pub(crate) fn fits(&self, more: usize) -> Result<(), Error> {
        match too_long_for_linux(more + self.linux_cmdline.len()) {
            Some(what) => Err(Error::setting(LINUX_CMDLINE, what)),
            None => Ok(()),
        }
    }

    /// Nothing of the hypervisor's stands on the kernel's line, which would hand
    /// it on to nobody. What is forced is `told`.
    ///
    /// # Errors
    /// [`Error::Setting`], blamed on the flag.
    pub(crate) fn no_option_of_xen(
        &self,
        target: &Target,
        force: bool,
        told: &mut Vec<String>,
    ) -> Result<(), Error> {
        let found = lint_linux(&self.linux_cmdline, target);
        // Its length depends on the entry.
        let found = found.iter().filter(|one| one.code == Code::XenOption);
        let found: Vec<String> = found.map(ToString::to_string).collect();
        if force {
            told.extend(found.iter().map(|what| format!("{LINUX_CMDLINE}: {what}")));
        } else if !found.is_empty() {
            return Err(Error::setting(LINUX_CMDLINE, found.join("; ")));
        }
        Ok(())
    }

    /// An entry must not name what is not there.
    ///
    /// # Errors
    /// [`Error::NoFile`], blamed on the flag.
    pub(crate) fn must_be_there(&self, root: &Path) -> Result<(), Error> {
        let files = [
            ("--kernel", Some(&self.kernel)),
            ("--ramdisk", self.ramdisk.as_ref()),
        ];
        for (flag, file) in files {
            let path = file.map(|file| below(root, Path::new(file)));
            if let Some(path) = path.filter(|path| !path.is_file()) {
                return Err(Error::NoFile {
                    flag: flag.to_owned(),
                    variable: None,
                    path,
                });
            }
        }
        Ok(())
    }
}

/// What the arguments name, else what is found below `root`. What is odd about
/// it is added to `told`.
///
/// # Errors
/// Nothing is named and nothing found, or a file cannot be read.
pub fn read_boot_files(
    args: &BootArgs,
    root: &Path,
    told: &mut Vec<String>,
) -> Result<BootFiles, Error> {
    let given = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map(|path| path.to_string_lossy().into_owned())
    };
    let kernel = match given(&args.kernel) {
        Some(kernel) => kernel,
        None => newest_dom0_kernel(root, args.without_kernel.as_deref())?,
    };
    let ramdisk = match given(&args.ramdisk).as_deref() {
        Some(NO_RAMDISK) => None,
        Some(file) => Some(file.to_owned()),
        None => {
            let found = release_of(&kernel).map(|release| ramdisk_of(root, release));
            let found = found.transpose()?.flatten();
            if found.is_none() {
                told.push(format!(
                    "{kernel}: found no ramdisk for it, so the entry has none (name one with \
                     --ramdisk, or {NO_RAMDISK})"
                ));
            }
            found
        }
    };
    Ok(BootFiles {
        kernel,
        ramdisk,
        linux_cmdline: match &args.linux_cmdline {
            Some(line) => line.trim().to_owned(),
            None => running_cmdline(root)?,
        },
    })
}

/// Says that a kernel needs no ramdisk.
const NO_RAMDISK: &str = "none";

/// Where systems have their kernels: in one folder, named by release, or each
/// in a folder of its own, with the modules.
const MODULES: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

/// The newest kernel that can be a Dom0: its configuration lies beside it and
/// says so. One that is about to be removed is passed over, and one that was set
/// aside, whose ramdisk is another's by now.
fn newest_dom0_kernel(root: &Path, without: Option<&str>) -> Result<String, Error> {
    let boot = below(root, Path::new("/boot"));
    let mut newest: Option<(String, String)> = None;
    let mut look = |release: String, kernel: String, config: String| -> Result<(), Error> {
        let is_newer = newest
            .as_ref()
            .is_none_or(|(newest, _)| compare(&release, newest).is_gt());
        if is_newer && without != Some(release.as_str()) && !is_set_aside(&release) {
            let config = read_if_there(&below(root, Path::new(&config)))?.unwrap_or_default();
            if config.lines().any(|line| line == "CONFIG_XEN_DOM0=y") {
                newest = Some((release, kernel));
            }
        }
        Ok(())
    };
    for name in ["vmlinuz-", "kernel-"] {
        for release in names_after(&boot, name)? {
            let (kernel, config) = (
                format!("/boot/{name}{release}"),
                format!("/boot/config-{release}"),
            );
            look(release, kernel, config)?;
        }
    }
    for folder in MODULES {
        for release in names_after(&below(root, Path::new(folder)), "")? {
            let kernel = format!("{folder}/{release}/vmlinuz");
            if below(root, Path::new(&kernel)).is_file() {
                let config = format!("{folder}/{release}/config");
                look(release, kernel, config)?;
            }
        }
    }
    newest
        .map(|(_, kernel)| kernel)
        .ok_or_else(|| Error::NoKernel {
            what: format!(
                "{}: no kernel with CONFIG_XEN_DOM0=y there (name one with --kernel)",
                boot.display()
            ),
        })
}

/// The release in a kernel's name, or in that of its folder.
pub(crate) fn release_of(kernel: &str) -> Option<&str> {
    let path = Path::new(kernel);
    let name = path.file_name()?.to_str()?;
    if name == "vmlinuz" {
        // Beside its modules it has no other name; anywhere else it has none.
        let folder = path.parent()?;
        let is_of_modules = folder.parent()?.ends_with("lib/modules");
        return folder.file_name()?.to_str().filter(|_| is_of_modules);
    }
    let mut names = ["vmlinuz-", "vmlinux-", "kernel-", "bzImage-", "Image-"].into_iter();
    names.find_map(|prefix| name.strip_prefix(prefix))
}

/// What follows `prefix` in the names of a folder's files, in no order.
pub(crate) fn names_after(folder: &Path, prefix: &str) -> Result<Vec<String>, Error> {
    let failed = |error| Error::system(format!("read folder {}", folder.display()), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(vec![]),
        Err(error) => return Err(failed(error)),
    };
    let mut found = vec![];
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix(prefix));
        found.extend(name.map(str::to_owned));
    }
    Ok(found)
}

/// Each distribution has a way of its own to name the ramdisk: Debian, Fedora
/// and Arch, SUSE, Alpine, XCP-ng, and kernel-install by the machine's number.
fn ramdisk_of(root: &Path, release: &str) -> Result<Option<String>, Error> {
    let machine = read_if_there(&below(root, Path::new("/etc/machine-id")))?.unwrap_or_default();
    let names = [
        format!("/boot/initrd.img-{release}"),
        format!("/boot/initramfs-{release}.img"),
        format!("/boot/initrd-{release}"),
        format!("/boot/initramfs-{release}"),
        format!("/boot/initrd-{release}.img"),
        format!("/boot/{}/{release}/initrd", machine.trim()),
    ];
    let is_there = |name: &String| below(root, Path::new(name)).is_file();
    Ok(names.into_iter().find(is_there))
}

/// The running kernel's line, without what only its boot loader meant.
fn running_cmdline(root: &Path) -> Result<String, Error> {
    let path = below(root, Path::new("/proc/cmdline"));
    let line = read_if_there(&path)?.ok_or_else(|| Error::NoKernel {
        what: format!(
            "{}: no such file (name the kernel's command line with --linux-cmdline)",
            path.display()
        ),
    })?;
    let words = line.split_whitespace();
    let kept = words
        .filter(|word| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd="))
        // Under GRUB each entry puts one first, so they would grow in number.
        .skip_while(|word| *word == "placeholder");
    Ok(kept.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_in_the_name_or_in_the_folder_s() {
        for (kernel, release) in [
            ("/boot/vmlinuz-6.1.0-10-amd64", Some("6.1.0-10-amd64")),
            ("/boot/vmlinuz-lts", Some("lts")),
            ("/boot/vmlinuz", None),
            ("kernel-6.1.0-gentoo", Some("6.1.0-gentoo")),
            ("/usr/lib/modules/6.8.1/vmlinuz", Some("6.8.1")),
            ("vmlinuz", None),
            ("/boot/bzImage", None),
        ] {
            assert_eq!(release_of(kernel), release, "{kernel}");
        }
    }
}
