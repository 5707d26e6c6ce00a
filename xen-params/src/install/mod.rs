//! `DIR/xen.gz`, a link to the hypervisor, and `DIR/xen-params`, its command
//! line and a newline: all that a system's builder or boot loader must read.
//! Where it is asked for, `DIR/xen-params.safe` is a line to fall back on.
//!
//! What was written is recorded in `DIR/.xen-params` ([`Record`]). A file that
//! is neither as wanted nor as recorded is somebody else's, or was changed by
//! somebody, and is left alone unless that is forced.

mod apply;
mod backup;
mod copies;
mod entry;
mod facts;
mod hypervisor;
mod lock;
mod plan;
mod record;

pub use apply::apply;
pub use backup::Backup;
pub(crate) use entry::begin_of_block;
pub use entry::{Content, EntryFile, grub_custom, grub_settings, plan_entry};
pub use facts::{Facts, Found, find_efi, find_hypervisor, marker, stays_below};
pub(crate) use facts::{read_hypervisor, seen_by_grub};
pub(crate) use hypervisor::{is_packed, unpack};
pub(crate) use lock::Lock;
pub use plan::{Step, Wanted, plan};
pub use record::{Fingerprint, ForeignRecord, Record};

/// The name of the link.
pub const LINK: &str = "xen.gz";

/// The name of the file with the line.
pub const PARAMS: &str = "xen-params";

/// The name of the file with the line to fall back on.
pub const SAFE: &str = "xen-params.safe";

/// The name of the file that tells what was written here.
pub const RECORD: &str = ".xen-params";
