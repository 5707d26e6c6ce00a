//! Entries for a `limine.conf` (`CONFIG.md` of Limine 12 has the format).
//!
//! How Limine can start Xen depends on the firmware. Under UEFI it leaves the
//! boot services before it starts a multiboot kernel, which Xen needs (Limine's
//! issue 490), so there `xen.efi` is started, and reads the `xen.cfg` beside it.
//! Under a BIOS it is multiboot; with any loader that does not call itself GRUB
//! Xen takes the first word of its line, and of its kernel's, for a file's name
//! and drops it (`cmdline_cook` in `xen/arch/x86/setup.c`).

use std::fmt::Write as _;

use super::efi::{NORMAL, SAFE};
use super::entries::{name_of, title};
use crate::format::{BootFiles, safe_line};
use crate::line::Line;
use crate::{Arch, Error};

/// The hypervisor in the forms that there are, and what it starts, each by its
/// path on the file system of `limine.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimineEntries<'a> {
    /// `xen.efi`, for UEFI.
    pub efi: Option<&'a str>,
    /// The other form, for a BIOS.
    pub multiboot: Option<&'a str>,
    /// It is packed by gzip, and Limine shall unpack it, as from 12.0 on.
    pub packed: bool,
    /// The files that the hypervisor starts.
    pub files: &'a BootFiles,
    /// The hypervisor's command line.
    pub line: &'a Line,
    /// The machine.
    pub arch: Arch,
}

impl LimineEntries<'_> {
    /// A normal and a safe entry for each firmware. Limine shows those of the
    /// one that it runs on; before 12.1 it shows all.
    ///
    /// # Errors
    /// What Limine would take for something of its own, or a machine without
    /// that form of the hypervisor.
    pub fn text(&self) -> Result<String, Error> {
        let mut text = String::new();
        if let Some(xen) = self.efi {
            self.efi_entries(xen, &mut text)?;
        }
        if let Some(xen) = self.multiboot {
            if self.arch == Arch::Aarch64 {
                let what = format!("{xen}: on Arm Limine starts only xen.efi");
                return Err(Error::setting("--xen-file", what));
            }
            self.multiboot_entries(xen, &mut text)?;
        }
        Ok(text)
    }

    fn efi_entries(&self, xen: &str, text: &mut String) -> Result<(), Error> {
        let path = path("--xen-file", xen)?;
        let title = title(self.files);
        // The section is the word after the program's own name.
        for (ending, section) in [("", NORMAL), (", safe", SAFE)] {
            // A String takes whatever is written to it.
            let _ = write!(
                text,
                "/{title}{ending}\n    if_fw_type: UEFI\n    protocol: efi\n    path: {path}\n    \
                 cmdline: {} {section}\n",
                name_of(xen)
            );
        }
        Ok(())
    }

    fn multiboot_entries(&self, xen: &str, text: &mut String) -> Result<(), Error> {
        let unpack = if self.packed { "$" } else { "" };
        let xen = path("--xen-file", xen)?;
        let kernel = path("--kernel", &self.files.kernel)?;
        let ramdisk = self.files.ramdisk.as_deref();
        let ramdisk = ramdisk.map(|file| path("--ramdisk", file)).transpose()?;
        let linux = &self.files.linux_cmdline;
        if let Some(what) = unfit(linux) {
            return Err(Error::setting(
                "--linux-cmdline",
                format!("{linux:?}: {what}"),
            ));
        }
        // Xen drops the placeholder.
        self.files.fits(0)?;
        let title = title(self.files);
        let firmware = if self.efi.is_some() { ", BIOS" } else { "" };
        for (ending, line) in [
            ("", self.line.clone()),
            (", safe", safe_line(self.line, self.arch)),
        ] {
            for word in line.words() {
                if let Some(what) = unfit(word.text) {
                    let word = word.text.to_owned();
                    return Err(Error::Uncarried { word, what });
                }
            }
            let _ = write!(
                text,
                "/{title}{firmware}{ending}\n    if_fw_type: BIOS\n    protocol: multiboot1\n    \
                 path: {unpack}{xen}\n    cmdline: placeholder {line}\n    \
                 module_path: {kernel}\n    module_string: placeholder {linux}\n"
            );
            if let Some(ramdisk) = &ramdisk {
                let _ = writeln!(text, "    module_path: {ramdisk}");
            }
        }
        Ok(())
    }
}

/// A path on the file system of `limine.conf`.
fn path(flag: &str, file: &str) -> Result<String, Error> {
    let what = match unfit(file) {
        Some(what) => what,
        None if file.contains('#') => "in limine.conf # in a path begins a checksum".to_owned(),
        None => {
            let slash = if file.starts_with('/') { "" } else { "/" };
            return Ok(format!("boot():{slash}{file}"));
        }
    };
    Err(Error::setting(flag, format!("{file:?}: {what}")))
}

/// Why a text would not come out as it is.
fn unfit(text: &str) -> Option<String> {
    if text.contains("${") {
        return Some("limine.conf has a meaning of its own for ${".to_owned());
    }
    let control = text.chars().find(|letter| letter.is_control());
    control.map(|letter| format!("limine.conf cannot carry {letter:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BootFiles {
        BootFiles {
            kernel: "/dom0/vmlinuz-6.1".to_owned(),
            ramdisk: Some("/dom0/initrd.img-6.1".to_owned()),
            linux_cmdline: "root=/dev/sda1 ro".to_owned(),
        }
    }

    fn entries<'a>(line: &'a Line, files: &'a BootFiles) -> LimineEntries<'a> {
        LimineEntries {
            efi: None,
            multiboot: Some("/dom0/xen"),
            packed: false,
            files,
            line,
            arch: Arch::X86_64,
        }
    }

    #[test]
    fn each_firmware_gets_a_normal_and_a_safe_entry() {
        let (line, files) = (Line::parse("dom0_mem=1G,max:1G"), files());
        let mut entries = entries(&line, &files);
        entries.efi = Some("/dom0/xen.efi");
        // As CONFIG.md has it: a title after a slash, options with a colon, the
        // string of the module that was named last; unknown options are passed over.
        assert_eq!(
            entries.text().unwrap(),
            "/Xen with Linux 6.1\n    if_fw_type: UEFI\n    protocol: efi\n    \
             path: boot():/dom0/xen.efi\n    cmdline: xen.efi normal\n\
             /Xen with Linux 6.1, safe\n    if_fw_type: UEFI\n    protocol: efi\n    \
             path: boot():/dom0/xen.efi\n    cmdline: xen.efi safe\n\
             /Xen with Linux 6.1, BIOS\n    if_fw_type: BIOS\n    protocol: multiboot1\n    \
             path: boot():/dom0/xen\n    cmdline: placeholder dom0_mem=1G,max:1G\n    \
             module_path: boot():/dom0/vmlinuz-6.1\n    \
             module_string: placeholder root=/dev/sda1 ro\n    \
             module_path: boot():/dom0/initrd.img-6.1\n\
             /Xen with Linux 6.1, BIOS, safe\n    if_fw_type: BIOS\n    protocol: multiboot1\n    \
             path: boot():/dom0/xen\n    \
             cmdline: placeholder loglvl=all guest_loglvl=all noreboot\n    \
             module_path: boot():/dom0/vmlinuz-6.1\n    \
             module_string: placeholder root=/dev/sda1 ro\n    \
             module_path: boot():/dom0/initrd.img-6.1\n"
        );
    }

    #[test]
    fn what_is_packed_is_marked_by_a_dollar() {
        let (line, files) = (Line::parse("smt=0"), files());
        let mut entries = entries(&line, &files);
        entries.packed = true;
        let text = entries.text().unwrap();
        assert!(text.contains("    path: $boot():/dom0/xen\n"), "{text}");
        assert!(!text.contains(", BIOS"), "{text}");
    }

    #[test]
    fn what_limine_has_a_meaning_for_is_refused_and_blamed() {
        let told = |line: &str, files: &BootFiles, arch| {
            let line = Line::parse(line);
            let mut entries = entries(&line, files);
            entries.arch = arch;
            entries.text().unwrap_err().to_string()
        };
        let x86 = Arch::X86_64;
        assert!(told("tee=${x}", &files(), x86).starts_with("tee=${x}: limine.conf has"));
        let mut macros = files();
        macros.linux_cmdline = "a=${b}".to_owned();
        assert!(told("", &macros, x86).starts_with("--linux-cmdline: "));
        let mut checksum = files();
        checksum.kernel = "/dom0/vmlinuz#6".to_owned();
        assert!(told("", &checksum, x86).starts_with("--kernel: "));
        assert!(told("", &files(), Arch::Aarch64).starts_with("--xen-file: "));
    }
}
