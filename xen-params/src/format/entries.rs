//! Boot entries that name everything themselves: GRUB's and Limine's.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::grub::{for_grub, unfit_for_grub};
use crate::format::{BootFiles, safe_line};
use crate::line::Line;
use crate::target::below;
use crate::{Arch, Error};

/// A hypervisor with its kernel, once as it is to be and once to fall back on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootEntries<'a> {
    /// The hypervisor's file, as the system has it.
    pub hypervisor: &'a str,
    /// The files that it starts.
    pub files: &'a BootFiles,
    /// The hypervisor's command line.
    pub line: &'a Line,
    /// The machine.
    pub arch: Arch,
}

impl BootEntries<'_> {
    /// The titles, the identifiers and the lines of both.
    fn both(&self) -> [(String, &'static str, Line); 2] {
        let kernel = name_of(&self.files.kernel);
        let release = kernel.strip_prefix("vmlinuz-").unwrap_or(kernel);
        let title = format!("Xen with Linux {release}");
        [
            (title.clone(), "xen-dom0", self.line.clone()),
            (
                format!("{title}, safe"),
                "xen-dom0-safe",
                safe_line(self.line, self.arch),
            ),
        ]
    }

    /// Stanzas for a `grub.cfg`, or for the `custom.cfg` that it reads.
    ///
    /// # Errors
    /// What GRUB would not hand on as it is.
    pub fn grub(&self, root: &Path) -> Result<String, Error> {
        let words = |line: &str| -> Result<String, Error> {
            let words = line.split_whitespace();
            let quoted: Result<Vec<String>, Error> = words
                .map(|word| unfit_for_grub(word).map_or_else(|| Ok(for_grub(word)), Err))
                .collect();
            Ok(quoted?.join(" "))
        };
        let (start, module) = match self.arch {
            Arch::X86_64 => ("multiboot2", "module2"),
            Arch::Aarch64 => ("xen_hypervisor", "xen_module"),
        };
        let path = |file: &str| for_grub(&on_its_device(file, root));
        let xen = path(self.hypervisor);
        let linux = words(&self.files.linux_cmdline)?;
        let mut text = String::new();
        for (title, id, line) in self.both() {
            let line = words(&line.to_string())?;
            // A String takes whatever is written to it.
            let _ = write!(
                text,
                "menuentry {} --class xen --class gnu-linux --id {id} {{\n\
                 \tsearch --no-floppy --set=root --file {xen}\n\
                 \tset xen_firmware=''\n\
                 \tif [ \"$grub_platform\" = efi ]; then set xen_firmware='no-real-mode edd=off'; fi\n\
                 \t{start} {xen} placeholder {line} $xen_firmware\n\
                 \t{module} {} placeholder {linux}\n",
                for_grub(&title),
                path(&self.files.kernel),
            );
            if let Some(ramdisk) = &self.files.ramdisk {
                let _ = writeln!(text, "\t{module} --nounzip {}", path(ramdisk));
            }
            text.push_str("}\n");
        }
        Ok(text)
    }

    /// Entries for a `limine.conf`.
    ///
    /// # Errors
    /// What Limine would take for something of its own.
    pub fn limine(&self, root: &Path) -> Result<String, Error> {
        let mut text = String::new();
        for (title, _, line) in self.both() {
            let line = line.to_string();
            for carried in [&line, &self.files.linux_cmdline] {
                if carried.contains("${") || carried.chars().any(char::is_control) {
                    let what = "limine.conf has a meaning of its own for ${";
                    return Err(Error::Parameter(format!("{carried:?}: {what}")));
                }
            }
            let path = |file: &str| format!("boot():{}", on_its_device(file, root));
            let _ = write!(
                text,
                "/{title}\n    protocol: multiboot2\n    path: {}\n    cmdline: {line}\n    \
                 module_path: {}\n    module_string: {}\n",
                path(self.hypervisor),
                path(&self.files.kernel),
                self.files.linux_cmdline
            );
            if let Some(ramdisk) = &self.files.ramdisk {
                let _ = writeln!(text, "    module_path: {}", path(ramdisk));
            }
        }
        Ok(text)
    }
}

pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A file's path as a boot loader sees it: where /boot is a file system of its
/// own, that is the loader's root.
fn on_its_device(file: &str, root: &Path) -> String {
    let device = |path: &str| fs::metadata(below(root, Path::new(path))).map(|found| found.dev());
    let is_own = match (device("/boot"), device("/")) {
        (Ok(boot), Ok(whole)) => boot != whole,
        _ => false,
    };
    match file.strip_prefix("/boot/") {
        Some(rest) if is_own => format!("/{rest}"),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries<'a>(line: &'a Line, files: &'a BootFiles) -> BootEntries<'a> {
        BootEntries {
            hypervisor: "/boot/xen-4.17-amd64.gz",
            files,
            line,
            arch: Arch::X86_64,
        }
    }

    fn files() -> BootFiles {
        BootFiles {
            kernel: "/boot/vmlinuz-6.1".to_owned(),
            ramdisk: Some("/boot/initrd.img-6.1".to_owned()),
            linux_cmdline: "root=/dev/sda1 ro".to_owned(),
        }
    }

    #[test]
    fn grub_gets_two_stanzas() {
        let line = Line::parse("dom0_mem=1G,max:1G ivrs_hpet[0]=00:14.0");
        let files = files();
        let text = entries(&line, &files).grub(Path::new("/nowhere")).unwrap();
        assert_eq!(
            text.split_inclusive("}\n").next().unwrap(),
            "menuentry 'Xen with Linux 6.1' --class xen --class gnu-linux --id xen-dom0 {\n\
             \tsearch --no-floppy --set=root --file /boot/xen-4.17-amd64.gz\n\
             \tset xen_firmware=''\n\
             \tif [ \"$grub_platform\" = efi ]; then set xen_firmware='no-real-mode edd=off'; fi\n\
             \tmultiboot2 /boot/xen-4.17-amd64.gz placeholder dom0_mem=1G,max:1G \
             'ivrs_hpet[0]=00:14.0' $xen_firmware\n\
             \tmodule2 /boot/vmlinuz-6.1 placeholder root=/dev/sda1 ro\n\
             \tmodule2 --nounzip /boot/initrd.img-6.1\n}\n"
        );
        assert!(text.contains("--id xen-dom0-safe"));
        assert!(text.contains("placeholder loglvl=all guest_loglvl=all noreboot $xen_firmware"));
        let line = Line::parse("tee=\"x\"");
        assert!(entries(&line, &files).grub(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn limine_gets_two_entries() {
        let line = Line::parse("dom0_mem=1G,max:1G");
        let files = files();
        let text = entries(&line, &files)
            .limine(Path::new("/nowhere"))
            .unwrap();
        assert!(text.starts_with(
            "/Xen with Linux 6.1\n    protocol: multiboot2\n    \
             path: boot():/boot/xen-4.17-amd64.gz\n    cmdline: dom0_mem=1G,max:1G\n    \
             module_path: boot():/boot/vmlinuz-6.1\n    module_string: root=/dev/sda1 ro\n    \
             module_path: boot():/boot/initrd.img-6.1\n/Xen with Linux 6.1, safe\n"
        ));
        let line = Line::parse("tee=${x}");
        assert!(
            entries(&line, &files)
                .limine(Path::new("/nowhere"))
                .is_err()
        );
    }
}
