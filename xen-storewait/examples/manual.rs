//! Writes the manual pages of `xen-storewait` into the folder given.

use clap::CommandFactory as _;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    clap_mangen::generate_to(xen_storewait::Args::command(), folder)
}
