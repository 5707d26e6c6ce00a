//! The line as a boot loader, a script or a person wants it.

mod boot_files;
mod efi;
mod entries;
mod grub;
mod json;
mod limine;
mod mounts;
mod releases;

pub use boot_files::{BootFiles, read_boot_files};
pub(crate) use boot_files::{names_after, release_of};
pub use efi::{safe_line, xen_cfg};
pub use entries::BootEntries;
pub(crate) use entries::on_its_device;
pub use grub::grub_defaults;
pub use json::Document;
pub(crate) use json::to_json;
pub use limine::LimineEntries;
pub(crate) use releases::compare;

use std::path::Path;

use clap::ValueEnum;

use crate::compose::Composed;
use crate::install::find_hypervisor;
use crate::settings::{BootArgs, LineArgs};
use crate::target::absolute;
use crate::{Error, Target};

/// The forms in which the line is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The line alone.
    Plain,
    /// A file for /etc/default/grub.d, which update-grub reads.
    Grub,
    /// Entries for GRUB's custom.cfg, a normal and a safe one.
    GrubEntry,
    /// A xen.cfg for xen.efi, with a normal and a safe section.
    Efi,
    /// Entries for limine.conf, a normal and a safe one.
    Limine,
    /// One JSON document.
    Json,
}

/// The text of a format, with its last newline. Files are named only by those
/// formats that have a place for them, so only for these they are looked for;
/// what is odd about them is added to `told`.
///
/// # Errors
/// A character that the format cannot carry; for xen.cfg also a kernel that
/// is not there.
pub fn render(
    format: Format,
    composed: &Composed,
    target: &Target,
    boot: &BootArgs,
    line_args: &LineArgs,
    told: &mut Vec<String>,
) -> Result<String, Error> {
    print(format, composed, target, boot, line_args, told)
        .map_err(|error| composed.blamed(boot.blamed(error)))
}

fn print(
    format: Format,
    composed: &Composed,
    target: &Target,
    boot: &BootArgs,
    line_args: &LineArgs,
    told: &mut Vec<String>,
) -> Result<String, Error> {
    let line = &composed.line;
    let root = &line_args.target.root;
    let hypervisor = || match &line_args.target.xen_file {
        Some(file) => absolute(root, file),
        None => find_hypervisor(root),
    };
    let mut boot_files = || -> Result<BootFiles, Error> {
        let files = read_boot_files(boot, root, told)?;
        files.no_option_of_xen(target, line_args.force, told)?;
        Ok(files)
    };
    match format {
        Format::Plain if line_args.safe => {
            let safe = safe_line(line, target.arch);
            Ok(format!("{line}\n{safe}\n"))
        }
        Format::Plain => Ok(format!("{line}\n")),
        Format::Grub => {
            let text = grub_defaults(line)?;
            if line_args.safe {
                let what = "grub-mkconfig has no place for a second line (grub-entry has one)";
                told.push(format!("--safe: {what}"));
            }
            Ok(text)
        }
        Format::GrubEntry => BootEntries {
            hypervisor: &hypervisor()?.to_string_lossy(),
            files: &boot_files()?.absolute(root)?,
            line,
            arch: target.arch,
        }
        .grub(root),
        Format::Limine => {
            let hypervisor = hypervisor()?;
            let xen = on_its_device(&hypervisor.to_string_lossy(), root);
            let is_efi = is_efi(&hypervisor);
            LimineEntries {
                efi: is_efi.then_some(xen.as_str()),
                multiboot: (!is_efi).then_some(xen.as_str()),
                packed: hypervisor.extension().is_some_and(|ending| ending == "gz"),
                files: &boot_files()?.absolute(root)?.on_their_device(root),
                line,
                arch: target.arch,
            }
            .text()
        }
        Format::Efi => xen_cfg(line, target.arch, &boot_files()?),
        Format::Json => Document::new(composed, target).print(),
    }
}

/// Told by the name, for a file to be printed need not be there.
pub(crate) fn is_efi(hypervisor: &Path) -> bool {
    hypervisor
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("efi"))
}
