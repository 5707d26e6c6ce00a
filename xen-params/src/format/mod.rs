//! The line as a boot loader, a script or a person wants it.

mod boot_files;
mod efi;
mod grub;
mod json;

pub use boot_files::{BootFiles, read_boot_files};
pub(crate) use boot_files::{compare, names_after};
pub use efi::{safe_line, xen_cfg};
pub use grub::grub_defaults;
pub use json::Document;
pub(crate) use json::to_json;

use clap::ValueEnum;

use crate::compose::Composed;
use crate::settings::BootArgs;
use crate::{Error, Target};

/// The forms in which the line is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The line alone.
    Plain,
    /// A file for /etc/default/grub.d, which update-grub reads.
    Grub,
    /// A xen.cfg for xen.efi, with a normal and a safe section.
    Efi,
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
    root: &std::path::Path,
    safe: bool,
) -> Result<String, Error> {
    let line = composed.line.to_string();
    match format {
        Format::Plain if safe => {
            let safe = safe_line(&composed.line, target.arch);
            Ok(format!("{line}\n{safe}\n"))
        }
        Format::Plain => Ok(format!("{line}\n")),
        Format::Grub => grub_defaults(&composed.line),
        Format::Efi => xen_cfg(&composed.line, target.arch, &read_boot_files(boot, root)?),
        Format::Json => Document::new(composed, target).print(),
    }
}
