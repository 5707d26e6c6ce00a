//! The command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser};

use crate::Error;

/// Mounts xenfs on /proc/xen and makes sure that this is a Xen Dom0.
///
/// Does nothing where that is so already. Silent when all is well.
#[derive(Debug, Clone, Parser)]
#[command(name = "xen-mountfs", version, after_help = EXIT_STATUS)]
pub struct Args {
    /// Only look: is xenfs mounted and is this a Dom0?
    #[arg(long, conflicts_with_all = ["unmount", "force"])]
    pub check: bool,

    /// Also make sure of the device nodes in /dev/xen
    #[arg(
        long,
        env = "XEN_MOUNTFS_DEVICES",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub devices: bool,

    /// Unmount xenfs instead
    #[arg(long)]
    pub unmount: bool,

    /// Replace device nodes that have the wrong numbers
    #[arg(long, requires = "devices")]
    pub force: bool,

    /// Where xenfs is mounted
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_MOUNTFS_TARGET",
        hide_env_values = true,
        default_value = "/proc/xen"
    )]
    pub target: PathBuf,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long, conflicts_with = "check")]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// Read files below DIR; only with --check or --dry-run
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  xenfs is mounted and this is a Dom0 (with --unmount: it is not mounted)
  1  the system refused
  2  used wrongly
  4  not permitted
  5  not under Xen, a guest, not mounted (--check), or no xenfs in this kernel
  6  something else is mounted on the target, or a device node is another's";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let args = Self::program()
            .try_get_matches()
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(usage)?;
        if args.root.as_os_str() != "/" && !args.check && !args.dry_run {
            let why = "--root goes with --check or --dry-run: a mount is made where the kernel is";
            return Err(Error::Usage(why.to_owned()));
        }
        Ok(args)
    }

    /// The command, where an empty environment variable counts as not set.
    fn program() -> Command {
        Self::command().mut_args(|arg| {
            let value = arg.get_env().and_then(std::env::var_os);
            if value.is_some_and(|value| value.is_empty()) {
                arg.env(None::<&str>)
            } else {
                arg
            }
        })
    }
}

/// clap's complaint as one line, without its usage and hints. Help and version
/// come this way too: they are printed, and the program is done.
fn usage(error: clap::Error) -> Error {
    if !error.use_stderr() {
        match error.print() {
            #[expect(clippy::exit, reason = "the answer was given")]
            Ok(()) => std::process::exit(0),
            Err(source) => return Error::system("write to standard output", source),
        }
    }
    let text = error.to_string();
    let mut complaint = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more") {
            break;
        }
        if !complaint.is_empty() && !line.is_empty() {
            complaint.push_str(if complaint.ends_with(':') { " " } else { "; " });
        }
        complaint.push_str(line.strip_prefix("error: ").unwrap_or(line));
    }
    Error::Usage(complaint)
}
