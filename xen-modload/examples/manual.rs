//! Writes the manual page of `xen-modload` into the folder given.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

use clap::{Arg, CommandFactory as _};

fn main() -> io::Result<()> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .map_or_else(|| ".".into(), PathBuf::from);
    let command = xen_modload::Args::command();
    clap_mangen::generate_to(command.clone(), &folder)?;
    let path = folder.join("xen-modload.1");
    // What follows the options in --help is the list of statuses.
    let mut page = fs::read_to_string(&path)?
        .replace(".SH EXTRA\nExit status:\n", ".SH \"EXIT STATUS\"\n.nf\n")
        .replace(".SH VERSION\n", ".fi\n.SH VERSION\n");
    page.push_str(include_str!("json.roff"));
    page.push_str(include_str!("files.roff"));
    page.push_str(".SH ENVIRONMENT\nA flag beats its variable; an empty one is not set.\n");
    for (variable, flag) in command.get_arguments().filter_map(set_by) {
        let _ = writeln!(page, ".TP\n.B {variable}\nFor \\fB{flag}\\fR.");
    }
    fs::write(path, page)
}

/// The variable of an option, and the option.
fn set_by(arg: &Arg) -> Option<(&str, String)> {
    let flag = arg
        .get_long()
        .map(|long| format!("\\-\\-{}", long.replace('-', "\\-")));
    Some((
        arg.get_env()?.to_str()?,
        flag.unwrap_or_else(|| "MODULE".to_owned()),
    ))
}
