//! Writes the manual page of `xen-mountfs` into the folder given.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

use clap::CommandFactory as _;

fn main() -> io::Result<()> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .map_or_else(|| ".".into(), PathBuf::from);
    let command = xen_mountfs::Args::command();
    let mut environment = String::new();
    for arg in command.get_arguments() {
        let (Some(variable), Some(long)) = (arg.get_env(), arg.get_long()) else {
            continue;
        };
        let long = long.replace('-', "\\-");
        let what = if arg.is_hide_set() {
            arg.get_help().map(ToString::to_string).unwrap_or_default()
        } else {
            format!("For \\fB\\-\\-{long}\\fR, which beats it")
        };
        let _ = writeln!(
            environment,
            ".TP\n.B {}\n{what}.",
            variable.to_string_lossy()
        );
    }
    clap_mangen::generate_to(command, &folder)?;
    let path = folder.join("xen-mountfs.1");
    // What follows the options in --help is the list of statuses.
    let mut page = fs::read_to_string(&path)?
        .replace(".SH EXTRA\nExit status:\n", ".SH \"EXIT STATUS\"\n.nf\n")
        .replace("\n.SH VERSION", "\n.fi\n.SH VERSION");
    page.push_str(".SH ENVIRONMENT\nAn empty variable is one that is not set. Switches are 1, yes, true, on or\n0, no, false, off.\n");
    page.push_str(&environment);
    page.push_str(include_str!("more.roff"));
    fs::write(path, page)
}
