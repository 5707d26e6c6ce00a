//! Writes the manual pages of `xen-units` into the folder given.

use std::path::PathBuf;
use std::{env, fs, io};

use clap::CommandFactory as _;

/// What the first page has after its options, but for the exit statuses.
const SECTIONS: &str = r#".SH FILES
.TP
.I /etc/default/xen-dom0
Settings, one KEY=value a line: a file for sh and for systemd. XEN_UNITS_WATCHDOG and XEN_UNITS_DOMAINS in it count for generate and for the generator.
.TP
.IR /etc/default/xen ", " /etc/default/xencommons ", " /etc/sysconfig/xencommons
Settings where the first says nothing. The order is the other way round: what is named first here wins.
.TP
.I DIR/xen-dom0.manifest
What generate has written, linked and put out of the way; a later run takes it away by this list.
.TP
.I FILE.bak
What \-\-force has replaced.
.SH ENVIRONMENT
.TP
.BR XEN_UNITS_INIT ", " XEN_UNITS_OUTPUT ", " XEN_UNITS_DOMAINS ", " XEN_UNITS_WATCHDOG ", " XEN_UNITS_STORE_SOCKET ", " XEN_UNITS_XEN ", " XEN_UNITS_BIN_DIR
The flags of these names. A flag wins; an empty one counts as not set; a wrong one is status 6.
.TP
.BR XENSTORED ", " XENSTORED_ARGS ", " XENSTORED_TRACE ", " XENSTORETYPE ", " XENSTORE_DOMAIN_INIT ", " XENSTORE_DOMAIN_KERNEL ", " XENSTORE_DOMAIN_SIZE ", " XENSTORE_DOMAIN_ARGS ", " XENSTORE_MAX_DOMAIN_SIZE
The store: which daemon, its arguments, whether it keeps a trace, and whether it runs in a domain of its own.
.TP
.BR XENCONSOLED ", " XENCONSOLED_ARGS ", " XENCONSOLED_TRACE ", " XENCONSOLED_LOG_DIR
The console daemon; XENCONSOLED_TRACE is none, guest, hv or all. Where XENCONSOLED_LOG_DIR is a plain absolute path, that folder is made and its logs are rotated too.
.TP
.BR XENWATCHDOGD ", " XENWATCHDOGD_ARGS ", " QEMU_XEN ", " XEN_INIT_DOM0 ", " XEN_DOM0_UUID ", " XEN_BRIDGE
The watchdog and its two times, the disk backend, the program that names domain 0, its UUID, and the guests' bridge.
.TP
.B XEN_BRIDGE_NETFILTER
Where it is off, frames that only cross a bridge pass no firewall of the host.
.SH JSON
.B list \-\-json
is a list of objects with the texts "name" and "description".
.PP
.B verify \-\-json
is a list of objects with the texts "file", "name" (of the trap), "what" (the word that it is about, or empty), "reason" and "fix".
"#;

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    clap_mangen::generate_to(xen_units::Args::command(), &folder)?;
    let path = folder.join("xen-units.1");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(".SH EXTRA\n").unwrap_or((&page, ""));
    let (settings, statuses) = rest.split_once("Exit status:\n").unwrap_or((rest, ""));
    let page = format!("{before}.SH SETTINGS\n{settings}{SECTIONS}.SH \"EXIT STATUS\"\n{statuses}");
    fs::write(path, page)
}
