//! Boot entries for GRUB that name everything themselves.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::grub::{PLACEHOLDER, UNDER_UEFI, fits, for_grub, unfit_for_grub};
use super::mounts::Mount;
use crate::format::{BootFiles, release_of, safe_line};
use crate::line::Line;
use crate::target::below;
use crate::{Arch, Error};

/// Where udev has a link to each disk, by the number of its file system.
const BY_UUID: &str = "/dev/disk/by-uuid";

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
    /// Stanzas for a `grub.cfg`, or for the `custom.cfg` that it reads.
    ///
    /// # Errors
    /// What GRUB would not hand on as it is, or what is too long with its words.
    pub fn grub(&self, root: &Path) -> Result<String, Error> {
        let (start, module) = match self.arch {
            Arch::X86_64 => ("multiboot2", "module2"),
            Arch::Aarch64 => ("xen_hypervisor", "xen_module"),
        };
        let path = |flag: &str, file: &str| match unfit_for_grub(file) {
            Some(what) => Err(Error::setting(flag, format!("{file}: {what}"))),
            None => Ok(for_grub(&on_its_device(file, root))),
        };
        let xen = path("--xen-file", self.hypervisor)?;
        let kernel = path("--kernel", &self.files.kernel)?;
        let ramdisk = self.files.ramdisk.as_deref();
        let ramdisk = ramdisk.map(|file| path("--ramdisk", file)).transpose()?;
        let linux = words(&self.files.linux_cmdline)
            .map_err(|(word, what)| Error::setting("--linux-cmdline", format!("{word}: {what}")))?;
        self.files.fits(PLACEHOLDER.len() + 1)?;
        let file = Path::new(self.hypervisor);
        let uuid = Mount::of(file, root).and_then(|mount| mount.uuid(Path::new(BY_UUID)));
        let search = search(&xen, from_top(file, root).is_some(), uuid.as_deref());
        let title = title(self.files);
        let mut text = String::new();
        for (title, id, line) in [
            (title.clone(), "xen-dom0", self.line.clone()),
            (
                format!("{title}, safe"),
                "xen-dom0-safe",
                safe_line(self.line, self.arch),
            ),
        ] {
            fits(&line)?;
            let line =
                words(&line.to_string()).map_err(|(word, what)| Error::Uncarried { word, what })?;
            // A String takes whatever is written to it.
            let _ = write!(
                text,
                "menuentry {} --class xen --class gnu-linux --id {id} {{\n\
                 {search}\
                 \tset xen_firmware=''\n\
                 \tif [ \"$grub_platform\" = efi ]; then set xen_firmware='{UNDER_UEFI}'; fi\n\
                 \t{start} {xen} {PLACEHOLDER} {line} $xen_firmware\n\
                 \t{module} {kernel} {PLACEHOLDER} {linux}\n",
                for_grub(&title),
            );
            if let Some(ramdisk) = &ramdisk {
                let _ = writeln!(text, "\t{module} --nounzip {ramdisk}");
            }
            text.push_str("}\n");
        }
        Ok(text)
    }
}

/// The commands by which GRUB finds the disk that the hypervisor is on.
fn search(xen: &str, is_from_top: bool, uuid: Option<&str>) -> String {
    let mut commands = String::new();
    if is_from_top {
        // SUSE's GRUB begins at the default subvolume unless told not to.
        commands += "\tset btrfs_relative_path=n\n";
    }
    // A String takes whatever is written to it.
    let _ = writeln!(commands, "\tsearch --no-floppy --set=root --file {xen}");
    if let Some(uuid) = uuid {
        // Another disk may have a file of that name too. Where this one is not
        // found, on a copy of it, what was found before stays.
        let _ = writeln!(commands, "\tsearch --no-floppy --set=root --fs-uuid {uuid}");
    }
    commands
}

/// Each word as GRUB's script must have it; or the one that it would change,
/// and why.
fn words(line: &str) -> Result<String, (String, String)> {
    let quoted: Result<Vec<String>, _> = line
        .split_whitespace()
        .map(|word| match unfit_for_grub(word) {
            Some(what) => Err((word.to_owned(), what)),
            None => Ok(for_grub(word)),
        })
        .collect();
    Ok(quoted?.join(" "))
}

/// What the menu says.
pub(super) fn title(files: &BootFiles) -> String {
    let release = release_of(&files.kernel).unwrap_or_else(|| name_of(&files.kernel));
    format!("Xen with Linux {release}")
}

pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A file's path from the root of the file system that it is on, as a boot
/// loader sees it. What is not there yet is where the folder above it is.
pub(crate) fn on_its_device(file: &str, root: &Path) -> String {
    let path = Path::new("/").join(file);
    if let Some(path) = from_top(&path, root) {
        return path;
    }
    let mut device = None;
    let mut inside = path.as_path();
    for folder in path.ancestors().skip(1) {
        if let Ok(found) = fs::metadata(below(root, folder)) {
            if *device.get_or_insert(found.dev()) != found.dev() {
                // The folder before this one is where that file system begins.
                let rest = path.strip_prefix(inside).unwrap_or(&path);
                return format!("/{}", rest.display());
            }
        }
        inside = folder;
    }
    file.to_owned()
}

/// The path of a file in a subvolume of btrfs, which has a device of its own
/// but no place where another file system begins.
fn from_top(file: &Path, root: &Path) -> Option<String> {
    Mount::of(file, root)?.path_from_top(file, root)
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
    fn the_disk_is_looked_for_by_its_file_and_then_by_its_number() {
        assert_eq!(
            search("/@/boot/xen.gz", true, Some("01-AB")),
            "\tset btrfs_relative_path=n\n\
             \tsearch --no-floppy --set=root --file /@/boot/xen.gz\n\
             \tsearch --no-floppy --set=root --fs-uuid 01-AB\n"
        );
    }

    #[test]
    fn paths_begin_where_their_file_system_does() {
        // On one file system with the root nothing is cut off.
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("boot/efi")).unwrap();
        let path = |file: &str| on_its_device(file, root.path());
        assert_eq!(path("/boot/efi/xen"), "/boot/efi/xen");
        assert_eq!(path("/boot/none/yet/xen"), "/boot/none/yet/xen");
        // /proc is one of its own wherever these tests run.
        assert_eq!(
            on_its_device("/proc/self/none", Path::new("/")),
            "/self/none"
        );
        assert_eq!(on_its_device("/proc/version", Path::new("/")), "/version");
    }
}
