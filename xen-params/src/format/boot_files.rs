//! The Dom0 kernel, its ramdisk and its command line.

use std::cmp::Ordering;
use std::fs;
use std::path::Path;

use super::on_its_device;
use crate::Error;
use crate::settings::BootArgs;
use crate::target::{below, is_absent, read_if_there};

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
    /// The same as a boot loader sees them.
    pub(crate) fn on_their_device(mut self, root: &Path) -> Self {
        self.kernel = on_its_device(&self.kernel, root);
        self.ramdisk = self.ramdisk.map(|file| on_its_device(&file, root));
        self
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

/// What the arguments name, else what is found in `/boot` below `root`.
///
/// # Errors
/// Nothing is named and nothing found, or a file cannot be read.
pub fn read_boot_files(args: &BootArgs, root: &Path) -> Result<BootFiles, Error> {
    let given = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map(|path| path.to_string_lossy().into_owned())
    };
    let (kernel, ramdisk) = match given(&args.kernel) {
        Some(kernel) => {
            let name = Path::new(&kernel).file_name().unwrap_or_default();
            let name = name.to_string_lossy();
            let release = name.strip_prefix("vmlinuz-");
            let ramdisk = release.and_then(|release| ramdisk_of(root, release));
            (kernel, ramdisk)
        }
        None => {
            let release = newest_dom0_kernel(root)?;
            let ramdisk = ramdisk_of(root, &release);
            (format!("/boot/vmlinuz-{release}"), ramdisk)
        }
    };
    Ok(BootFiles {
        kernel,
        ramdisk: given(&args.ramdisk).or(ramdisk),
        linux_cmdline: match &args.linux_cmdline {
            Some(line) => line.trim().to_owned(),
            None => running_cmdline(root)?,
        },
    })
}

/// The release of the newest kernel that can be a Dom0: its configuration
/// lies beside it and says so.
fn newest_dom0_kernel(root: &Path) -> Result<String, Error> {
    let boot = below(root, Path::new("/boot"));
    let mut newest: Option<String> = None;
    for release in names_after(&boot, "vmlinuz-")? {
        let config = read_if_there(&boot.join(format!("config-{release}")))?.unwrap_or_default();
        if !config.lines().any(|line| line == "CONFIG_XEN_DOM0=y") {
            continue;
        }
        if newest
            .as_ref()
            .is_none_or(|newest| compare(&release, newest).is_gt())
        {
            newest = Some(release);
        }
    }
    newest.ok_or_else(|| Error::NoKernel {
        what: format!(
            "{}: no kernel with CONFIG_XEN_DOM0=y there (name one with --kernel)",
            boot.display()
        ),
    })
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

/// Debian, Fedora and Arch name the ramdisk each in a way of its own.
fn ramdisk_of(root: &Path, release: &str) -> Option<String> {
    let names = [
        format!("initrd.img-{release}"),
        format!("initramfs-{release}.img"),
        format!("initrd-{release}"),
    ];
    let boot = below(root, Path::new("/boot"));
    let name = names.into_iter().find(|name| boot.join(name).is_file());
    name.map(|name| format!("/boot/{name}"))
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

/// Orders `6.1.0-9-amd64` before `6.1.0-10-amd64`: numbers as numbers.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

/// The numbers and the texts between them, in turn.
fn parts(text: &str) -> Vec<(u64, &str)> {
    let mut found = vec![];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (between, after) = after.split_at(end);
        found.push((number.parse().unwrap_or(u64::MAX), between));
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(compare("6.1.0-9-amd64", "6.1.0-10-amd64").is_lt());
        assert!(compare("4.17-amd64", "4.20-amd64").is_lt());
        assert!(compare("4", "4.17").is_lt());
        assert!(compare("6.1", "6.1").is_eq());
        assert!(compare("99999999999999999999", "1").is_gt());
    }
}
