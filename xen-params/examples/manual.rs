//! Writes the manual pages of `xen-params` into the folder given.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Command, CommandFactory as _};

fn main() -> io::Result<()> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .map_or_else(|| ".".into(), PathBuf::from);
    clap_mangen::generate_to(xen_params::Args::command(), &folder)?;
    let mut whole = xen_params::Args::command().disable_help_subcommand(true);
    whole.build();
    let statuses = whole.get_after_help().map(ToString::to_string);
    complete(&folder, "xen-params", statuses.as_deref())?;
    for action in whole.get_subcommands().map(Command::get_name) {
        complete(
            &folder,
            &format!("xen-params-{action}"),
            statuses.as_deref(),
        )?;
    }
    Ok(())
}

/// Adds what the command line itself does not say. The statuses are one list
/// for all pages, which clap has only on the first, without its form.
fn complete(folder: &Path, name: &str, statuses: Option<&str>) -> io::Result<()> {
    let path = folder.join(format!("{name}.1"));
    let mut page = fs::read_to_string(&path)?;
    if let Some(begin) = page.find(".SH EXTRA\n") {
        let end = page[begin + 1..]
            .find("\n.SH ")
            .map_or(page.len(), |end| begin + end + 2);
        page.replace_range(begin..end, "");
    }
    if let Some(begin) = page.find(".SH VERSION\n") {
        page.truncate(begin);
    }
    page += ".SH \"EXIT STATUS\"\n";
    for line in statuses.unwrap_or_default().lines().skip(1) {
        match line.trim().split_once("  ") {
            Some((status, meaning)) => {
                page += &format!(".TP\n.B {status}\n{}\n", meaning.trim());
            }
            None => page += &format!("{}\n", line.trim()),
        }
    }
    page += match name {
        "xen-params" => include_str!("json-line.roff"),
        "xen-params-lint" => include_str!("json-lint.roff"),
        "xen-params-diff" => include_str!("json-diff.roff"),
        "xen-params-explain" | "xen-params-list" => include_str!("json-table.roff"),
        _ => "",
    };
    page += include_str!("files.roff");
    fs::write(path, page)
}
