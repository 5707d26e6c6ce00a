//! The line as a boot loader, a script or a person wants it.

mod boot_files;
mod efi;
mod entries;
mod grub;
mod json;

pub use boot_files::{BootFiles, read_boot_files};
pub(crate) use boot_files::{compare, names_after};
pub use efi::{safe_line, xen_cfg};
pub use entries::BootEntries;
pub use grub::grub_defaults;
pub use json::Document;
pub(crate) use json::to_json;

use clap::ValueEnum;

use crate::compose::Composed;
use crate::install::find_hypervisor;
use crate::settings::{BootArgs, LineArgs};
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
/// formats that have a place for them, so only for these they are looked for.
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
) -> Result<String, Error> {
    let line = composed.line.to_string();
    let root = &line_args.target.root;
    let xen_file = line_args.target.xen_file.as_deref();
    match format {
        Format::Plain if line_args.safe => {
            let safe = safe_line(&composed.line, target.arch);
            Ok(format!("{line}\n{safe}\n"))
        }
        Format::Plain => Ok(format!("{line}\n")),
        Format::Grub => grub_defaults(&composed.line),
        Format::GrubEntry | Format::Limine => {
            let hypervisor = match xen_file {
                Some(file) => file.to_path_buf(),
                None => find_hypervisor(root)?,
            };
            let files = read_boot_files(boot, root)?;
            let entries = BootEntries {
                hypervisor: &hypervisor.to_string_lossy(),
                files: &files,
                line: &composed.line,
                arch: target.arch,
            };
            if format == Format::Limine {
                entries.limine(root)
            } else {
                entries.grub(root)
            }
        }
        Format::Efi => xen_cfg(&composed.line, target.arch, &read_boot_files(boot, root)?),
        Format::Json => Document::new(composed, target).print(),
    }
}
