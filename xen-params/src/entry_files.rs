//! The files of a boot entry, and what they are to be.

use std::path::{Path, PathBuf};

use crate::cli::{BootEntry, InstallArgs};
use crate::compose::Composed;
use crate::format::{
    BootEntries, BootFiles, LimineEntries, grub_defaults, is_efi, on_its_device, read_boot_files,
    xen_cfg,
};
use crate::install::{
    Content, EntryFile, begin_of_block, find_hypervisor, grub_custom, grub_settings, is_packed,
    read_hypervisor, seen_by_grub,
};
use crate::target::{absolute, below, read_if_there};
use crate::{Arch, Error, Target};

/// The folder beside `limine.conf` for what its entries name. GRUB would not
/// take it for a hypervisor, whatever folder it lies in.
const BESIDE_LIMINE: &str = "dom0";

/// What an entry is made of.
pub(crate) struct WantedEntry<'a> {
    pub args: &'a InstallArgs,
    pub composed: &'a Composed,
    pub target: &'a Target,
    /// Its file, as the system has it.
    pub hypervisor: &'a Path,
}

impl WantedEntry<'_> {
    /// The files of an entry of that kind; what is odd about them is `told`.
    ///
    /// # Errors
    /// Something that it names is not there or not what it must be, or the
    /// boot loader could not carry the line.
    pub(crate) fn files(
        &self,
        entry: BootEntry,
        told: &mut Vec<String>,
    ) -> Result<Vec<EntryFile>, Error> {
        let root = self.root();
        // It must be one, or the machine would stop at boot.
        read_hypervisor(&below(root, self.hypervisor))?;
        if entry == BootEntry::Grub {
            let (path, content) = grub_settings(root, grub_defaults(&self.composed.line)?)?;
            let mut all = vec![EntryFile::read(path, content)?];
            if self.args.line.safe {
                // grub-mkconfig has one line for all that it makes.
                all.push(self.custom(&self.boot_files(told)?)?);
            } else {
                told.extend(self.left_entries());
            }
            return Ok(all);
        }
        let files = self.boot_files(told)?;
        if entry == BootEntry::GrubEntry {
            return Ok(vec![self.custom(&files)?]);
        }
        let Some(dir) = &self.args.dir else {
            let why = "--boot-entry efi and limine need --dir: the folder of the boot loader";
            return Err(Error::Usage(why.to_owned()));
        };
        if entry == BootEntry::Limine {
            return self.limine(dir, &files);
        }
        let dir = below(root, dir);
        if seen_by_grub(root, &dir)? {
            return Err(Error::BootFolder { dir });
        }
        self.efi(&dir, &files)
    }

    fn root(&self) -> &Path {
        &self.args.line.target.root
    }

    fn boot_files(&self, told: &mut Vec<String>) -> Result<BootFiles, Error> {
        let root = self.root();
        let files = read_boot_files(&self.args.boot, root, told)?.absolute(root)?;
        files.no_option_of_xen(self.target, self.args.line.force, told)?;
        files.must_be_there(root)?;
        Ok(files)
    }

    /// A normal and a safe entry beside GRUB's own.
    fn custom(&self, files: &BootFiles) -> Result<EntryFile, Error> {
        let root = self.root();
        let hypervisor = absolute(root, self.hypervisor)?;
        let entries = BootEntries {
            hypervisor: &hypervisor.to_string_lossy(),
            files,
            line: &self.composed.line,
            arch: self.target.arch,
        };
        let block = Content::Block(entries.grub(root)?);
        EntryFile::read(grub_custom(root)?, block)
    }

    /// What to say of entries that are in `custom.cfg` already. They stay: they
    /// may be those of `grub-entry`, and what the machine boots by.
    fn left_entries(&self) -> Option<String> {
        let path = grub_custom(self.root()).ok()?;
        // It is not written, so nothing fails where it cannot be read.
        begin_of_block(&read_if_there(&path).ok()??)?;
        Some(format!(
            "{}: without --safe its entries stay as they are, also where their kernel goes: \
             take out the block of xen-params, or renew it with --safe or --boot-entry grub-entry",
            path.display()
        ))
    }

    /// `xen.efi`, and all that it reads, beside it.
    fn efi(&self, dir: &Path, files: &BootFiles) -> Result<Vec<EntryFile>, Error> {
        let xen = Content::Copy(below(self.root(), self.hypervisor));
        let mut all = vec![EntryFile::read(dir.join("xen.efi"), xen)?];
        all.extend(self.started(dir, files)?);
        all.push(self.cfg(dir, files)?);
        Ok(all)
    }

    fn cfg(&self, dir: &Path, files: &BootFiles) -> Result<EntryFile, Error> {
        let text = xen_cfg(&self.composed.line, self.target.arch, files)?;
        EntryFile::read(dir.join("xen.cfg"), Content::Signed(text))
    }

    /// Copies of the kernel and its ramdisk.
    fn started(&self, dir: &Path, files: &BootFiles) -> Result<Vec<EntryFile>, Error> {
        let files = [Some(&files.kernel), files.ramdisk.as_ref()];
        let copy = |file: &String| {
            let source = below(self.root(), Path::new(file));
            let name = source.file_name().unwrap_or_default().to_owned();
            EntryFile::read(dir.join(name), Content::Copy(source))
        };
        files.into_iter().flatten().map(copy).collect()
    }

    /// Entries in `limine.conf`, and beside it the hypervisor in the forms that
    /// there are, with what it starts: Limine reads only the simplest of file
    /// systems, on which `/boot` may not be.
    fn limine(&self, dir: &Path, files: &BootFiles) -> Result<Vec<EntryFile>, Error> {
        let root = self.root();
        let beside = dir.join(BESIDE_LIMINE);
        let folder = below(root, &beside);
        let (efi, multiboot) = self.forms();
        let mut all = vec![];
        if let Some(xen) = &efi {
            let xen = Content::Copy(below(root, xen));
            all.push(EntryFile::read(folder.join("xen.efi"), xen)?);
        }
        if let Some(xen) = &multiboot {
            let source = below(root, xen);
            read_hypervisor(&source)?;
            let content = std::fs::read(&source)
                .map_err(|error| Error::system(format!("read {}", source.display()), error))?;
            let xen = if is_packed(&content) {
                Content::Unpacked(source)
            } else {
                Content::Copy(source)
            };
            all.push(EntryFile::read(folder.join("xen"), xen)?);
        }
        all.extend(self.started(&folder, files)?);
        if efi.is_some() {
            all.push(self.cfg(&folder, files)?);
        }
        let beside = absolute(root, &beside)?;
        let seen = |file: &str| {
            let name = Path::new(file).file_name().unwrap_or_default();
            on_its_device(&beside.join(name).to_string_lossy(), root)
        };
        let (efi, multiboot) = (efi.map(|_| seen("xen.efi")), multiboot.map(|_| seen("xen")));
        let entries = LimineEntries {
            efi: efi.as_deref(),
            multiboot: multiboot.as_deref(),
            packed: false,
            files: &BootFiles {
                kernel: seen(&files.kernel),
                ramdisk: files.ramdisk.as_deref().map(seen),
                linux_cmdline: files.linux_cmdline.clone(),
            },
            line: &self.composed.line,
            arch: self.target.arch,
        };
        let block = Content::Block(entries.text()?);
        let conf = below(root, &dir.join("limine.conf"));
        all.push(EntryFile::read(conf, block)?);
        Ok(all)
    }

    /// The hypervisor for UEFI and the one for a BIOS: the one that was named,
    /// else what there is.
    fn forms(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        let named = self.hypervisor.to_path_buf();
        match (is_efi(&named), &self.args.line.target.xen_file) {
            (false, _) => (None, Some(named)),
            // Arm has no BIOS.
            (true, None) if self.target.arch == Arch::X86_64 => {
                (Some(named), find_hypervisor(self.root()).ok())
            }
            (true, _) => (Some(named), None),
        }
    }
}
