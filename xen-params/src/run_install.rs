//! `install` as a program.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::{BootEntry, InstallArgs};
use crate::compose::{Composed, compose};
use crate::format::{BootEntries, grub_defaults, read_boot_files, safe_line, xen_cfg};
use crate::install::{
    Content, EntryFile, Facts, Step, Wanted, apply, find_efi, find_hypervisor, grub_custom,
    grub_settings, marker, plan, plan_entry, stays_below,
};
use crate::target::below;
use crate::{Error, Target, print, warn};

/// Installs what the arguments ask for.
///
/// # Errors
/// Nothing is changed then, but for a system call that fails late.
pub(crate) fn install(
    args: &InstallArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    let mut target_args = args.line.target.clone();
    let root = target_args.root.clone();
    if let Some(dir) = &args.dir {
        stays_below(&root, dir, "--dir")?;
    }
    let hypervisor = match target_args.xen_file.take() {
        Some(file) => file,
        None if args.boot_entry == Some(BootEntry::Efi) => find_efi(&root)?,
        None => find_hypervisor(&root)?,
    };
    stays_below(&root, &hypervisor, "--xen-file")?;
    target_args.xen_file = Some(hypervisor.clone());
    let target = Target::read(&target_args)?;
    if let Some(remark) = target.remark() {
        let _ = writeln!(err, "xen-params: warning: {remark}");
    }
    let composed = compose(&args.line, &target)?;
    let force = args.line.force;
    if let Some(refusal) = composed.refusal(force) {
        return Err(match refusal {
            // Not the command line is wrong but what is wanted.
            Error::Parameter(what) => Error::Configured(what),
            other => other,
        });
    }
    let mut steps = vec![];
    if let Some(entry) = args.boot_entry {
        let files = entry_files(args, entry, &composed, &target, &hypervisor)?;
        steps = plan_entry(&files, marker(&root), force)?;
    }
    let has_folder_of_its_own = matches!(args.boot_entry, Some(BootEntry::Efi | BootEntry::Limine));
    if let (Some(dir), false) = (&args.dir, has_folder_of_its_own) {
        let facts = Facts::read(&root, dir, &hypervisor)?;
        let wanted = Wanted {
            target: absolute(&root, &hypervisor)?,
            line: composed.line.to_string(),
            safe: args
                .line
                .safe
                .then(|| safe_line(&composed.line, target.arch).to_string()),
        };
        steps.extend(plan(&facts, &wanted, force)?);
    }
    warn(&composed, force, err);
    finish(args, &steps, out, err)
}

fn finish(
    args: &InstallArgs,
    steps: &[Step],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    if args.dry_run {
        let commands = steps.iter().map(|step| step.command() + "\n");
        return print(&commands.collect::<String>(), out);
    }
    let remark = apply(steps, |step| {
        if args.verbose {
            // The work is done; a lost remark does not undo it.
            let _ = writeln!(err, "xen-params: {}", step.done());
        }
    })?;
    if let Some(error) = remark {
        let _ = writeln!(err, "xen-params: warning: {error}");
    }
    Ok(())
}

/// The files of a boot entry, and what they are to be.
fn entry_files(
    args: &InstallArgs,
    entry: BootEntry,
    composed: &Composed,
    target: &Target,
    hypervisor: &Path,
) -> Result<Vec<EntryFile>, Error> {
    let root = &args.line.target.root;
    // It must be one, or the machine would stop at boot.
    crate::install::read_hypervisor(&below(root, hypervisor))?;
    if entry == BootEntry::Grub {
        let (path, content) = grub_settings(root, grub_defaults(&composed.line)?)?;
        return Ok(vec![EntryFile::read(path, content)?]);
    }
    let files = read_boot_files(&args.boot, root)?;
    let hypervisor_path = absolute(root, hypervisor)?;
    let entries = BootEntries {
        hypervisor: &hypervisor_path.to_string_lossy(),
        files: &files,
        line: &composed.line,
        arch: target.arch,
    };
    if entry == BootEntry::GrubEntry {
        let block = Content::Block(entries.grub(root)?);
        return Ok(vec![EntryFile::read(grub_custom(root)?, block)?]);
    }
    let Some(dir) = &args.dir else {
        let why = "--boot-entry efi and limine need --dir: the folder of the boot loader";
        return Err(Error::Usage(why.to_owned()));
    };
    if entry == BootEntry::Limine {
        let path = below(root, &dir.join("limine.conf"));
        return Ok(vec![EntryFile::read(
            path,
            Content::Block(entries.limine(root)?),
        )?]);
    }
    let facts = Facts::read(root, dir, hypervisor)?;
    if facts.seen_by_grub {
        return Err(Error::BootFolder { dir: facts.dir });
    }
    let mut all = vec![EntryFile::read(
        facts.dir.join("xen.efi"),
        Content::Copy(facts.source),
    )?];
    for file in [Some(&files.kernel), files.ramdisk.as_ref()]
        .into_iter()
        .flatten()
    {
        let source = below(root, Path::new(file));
        let name = source.file_name().unwrap_or_default();
        all.push(EntryFile::read(
            facts.dir.join(name),
            Content::Copy(source.clone()),
        )?);
    }
    let text = xen_cfg(&composed.line, target.arch, &files)?;
    let cfg = EntryFile::read(facts.dir.join("xen.cfg"), Content::Signed(text))?;
    all.push(cfg);
    Ok(all)
}

/// Where a link in some folder points must not depend on that folder.
fn absolute(root: &Path, file: &Path) -> Result<PathBuf, Error> {
    if root != Path::new("/") {
        return Ok(Path::new("/").join(file));
    }
    if file.is_absolute() {
        return Ok(file.to_path_buf());
    }
    std::env::current_dir()
        .map(|here| here.join(file))
        .map_err(|error| Error::system("ask for the current folder", error))
}
