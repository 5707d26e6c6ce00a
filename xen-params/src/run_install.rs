//! `install` as a program.

use std::io::Write;
use std::path::Path;

use crate::cli::{BootEntry, InstallArgs};
use crate::compose::compose;
use crate::entry_files::WantedEntry;
use crate::format::safe_line;
use crate::install::{
    Facts, Lock, Step, Wanted, apply, find_efi, find_hypervisor, marker, plan, plan_entry,
    stays_below,
};
use crate::target::{absolute, below};
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
    install_all(args, out, err).map_err(|error| match error {
        // Nothing was looked for: it was named.
        Error::NoHypervisor { looked_at } if args.line.target.xen_file.is_some() => Error::NoFile {
            flag: "--xen-file".to_owned(),
            variable: None,
            path: looked_at,
        },
        other => other,
    })
}

fn install_all(args: &InstallArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let mut target_args = args.line.target.clone();
    let root = target_args.root.clone();
    // Held until all of it is written.
    let _lock = if args.dry_run {
        None
    } else {
        Lock::take(&root)?
    };
    if let Some(dir) = &args.dir {
        stays_below(&root, dir, "--dir")?;
    }
    let hypervisor = match target_args.xen_file.take() {
        Some(file) => file,
        None if args.boot_entry == Some(BootEntry::Efi) => find_efi(&root)?,
        None if args.boot_entry == Some(BootEntry::Limine) => {
            find_efi(&root).or_else(|_| find_hypervisor(&root))?
        }
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
    let (mut steps, mut told) = (vec![], vec![]);
    if let Some(entry) = args.boot_entry {
        let wanted = WantedEntry {
            args,
            composed: &composed,
            target: &target,
            hypervisor: &hypervisor,
        };
        let files = wanted.files(entry, &mut told).map_err(|error| {
            match composed.blamed(args.boot.blamed(error)) {
                Error::Uncarried { word, what } => Error::Configured(format!("{word}: {what}")),
                Error::Setting { flag, what, .. } if flag == "--linux-cmdline" => {
                    Error::wrong_line(flag, what)
                }
                other => other,
            }
        })?;
        steps = plan_entry(
            &files,
            &below(&root, Path::new("/boot")),
            marker(&root),
            force,
        )?;
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
    warn(&composed, &told, force, err);
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
