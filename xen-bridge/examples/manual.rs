//! Writes the manual pages of `xen-bridge` into the folder given.

use std::fmt::Write as _;
use std::{fs, io, path::PathBuf};

use clap::{Command, CommandFactory as _};

fn main() -> io::Result<()> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .map_or_else(|| ".".into(), PathBuf::from);
    clap_mangen::generate_to(xen_bridge::Args::command(), &folder)?;
    let mut whole = xen_bridge::Args::command().disable_help_subcommand(true);
    whole.build();
    complete(&folder, &whole, "xen-bridge")?;
    for action in whole.get_subcommands().filter(|it| !it.is_hide_set()) {
        complete(
            &folder,
            action,
            &format!("xen-bridge-{}", action.get_name()),
        )?;
    }
    Ok(())
}

/// Adds what the command line itself does not say.
fn complete(folder: &std::path::Path, command: &Command, name: &str) -> io::Result<()> {
    let path = folder.join(format!("{name}.1"));
    let page = fs::read_to_string(&path)?;
    // What follows the options in --help is the list of statuses.
    let mut page = page
        .replace(".SH EXTRA\nExit status:\n", ".SH \"EXIT STATUS\"\n.nf\n")
        .replace("and was put back\n", "and was put back\n.fi\n");
    let variables = command.get_arguments().filter_map(|arg| {
        let variable = arg.get_env()?.to_str()?;
        let option = arg
            .get_long()
            .map(|long| format!("\\-\\-{}", long.replace('-', "\\-")));
        Some((variable, option.unwrap_or_else(|| "NAME".to_owned())))
    });
    let mut environment = String::new();
    for (variable, option) in variables {
        let _ = writeln!(
            environment,
            ".TP\n.B {variable}\nFor \\fB{option}\\fR, which beats it."
        );
    }
    if !environment.is_empty() {
        page.push_str(
            ".SH ENVIRONMENT\nEmpty is \"not set\". Lists are words, split as a shell does.\n",
        );
        page.push_str(&environment);
    }
    page.push_str(include_str!("files.roff"));
    if name == "xen-bridge-show" {
        page.push_str(include_str!("json.roff"));
    }
    fs::write(path, page)
}
