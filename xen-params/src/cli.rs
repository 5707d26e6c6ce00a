//! The command line.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{
    Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
};

use crate::settings::{BootArgs, LineArgs, ReportArgs};
use crate::{Error, Format};

/// Prints the command line of the Xen hypervisor.
///
/// Every parameter is checked against the options that Xen knows. A value is
/// checked where it is a number, a size, yes or no, or of dom0_mem and
/// dom0_max_vcpus; any other is taken as it is, which lint hints at. A
/// parameter that has the name of a subcommand is written after `--`.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "xen-params",
    version,
    after_help = EXIT_STATUS,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// What to do instead of printing a line.
    #[command(subcommand)]
    pub action: Option<Action>,

    /// The line to print.
    #[command(flatten)]
    pub compose: ComposeArgs,
}

/// The subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Say what is wrong with a command line, and what was not checked
    Lint(LintArgs),
    /// Say what options are for, and what their values mean
    Explain(ExplainArgs),
    /// List the options that Xen knows
    List(ListArgs),
    /// Compare two command lines
    Diff(DiffArgs),
    /// Put the link xen.gz and the file xen-params into a folder
    Install(InstallArgs),
}

/// Arguments of the form without a subcommand.
#[derive(Debug, Clone, clap::Args)]
pub struct ComposeArgs {
    /// The line.
    #[command(flatten)]
    pub line: LineArgs,

    /// Print the line as it is, or as a file for a boot loader
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "XEN_PARAMS_FORMAT",
        hide_env_values = true,
        default_value = "plain"
    )]
    pub format: Format,

    /// What else a boot file names.
    #[command(flatten)]
    pub boot: BootArgs,
}

/// Arguments of `lint`.
#[derive(Debug, Clone, clap::Args)]
pub struct LintArgs {
    /// The command line; - or nothing: what standard input holds, lines or the
    /// output of xl info
    #[arg(value_name = "LINE")]
    pub line: Vec<String>,

    /// Warnings count as errors
    #[arg(long)]
    pub strict: bool,

    /// How it is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `explain`.
#[derive(Debug, Clone, clap::Args)]
pub struct ExplainArgs {
    /// Options, with or without a value
    #[arg(value_name = "OPTION", required = true)]
    pub options: Vec<String>,

    /// How it is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `list`.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// Only options whose name or description holds this
    #[arg(value_name = "PATTERN")]
    pub pattern: Option<String>,

    /// How it is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `diff`.
#[derive(Debug, Clone, clap::Args)]
pub struct DiffArgs {
    /// A command line; - for standard input, a line or the output of xl info
    #[arg(value_name = "A")]
    pub a: String,

    /// Another
    #[arg(value_name = "B")]
    pub b: String,
}

/// Arguments of `install`.
#[derive(Debug, Clone, clap::Args)]
pub struct InstallArgs {
    /// The folder; made where it is missing, never one that GRUB looks at
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_PARAMS_DIR",
        hide_env_values = true
    )]
    pub dir: PathBuf,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// The line.
    #[command(flatten)]
    pub line: LineArgs,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  done, or already so
  1  the system refused
  2  used wrongly, or a parameter that Xen would not take
  4  not permitted
  5  no such machine, hypervisor, kernel or option
  6  lint found errors, diff found differences, XEN_BOOT_PARAMS is wrong, or
     install would not install: a wrong line, GRUB's folder, another's file";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let matches = Self::program(std::env::args_os().nth(1).as_deref())
            .try_get_matches()
            .map_err(usage)?;
        let mut args = Self::from_arg_matches(&matches).map_err(usage)?;
        args.compose.line.boot_params_by_flag = has_boot_params(&matches);
        if let (Some(Action::Install(install)), Some((_, matches))) =
            (&mut args.action, matches.subcommand())
        {
            install.line.boot_params_by_flag = has_boot_params(matches);
        }
        Ok(args)
    }

    /// The command, where an empty environment variable counts as not set. A
    /// subcommand stands first or nowhere; with one, the variables of the form
    /// without are not even read, so that none of them can be wrong.
    fn program(first: Option<&OsStr>) -> Command {
        let program = Self::command();
        let has_subcommand = first
            .and_then(OsStr::to_str)
            .is_some_and(|first| program.find_subcommand(first).is_some());
        program
            .mut_args(|arg| {
                if has_subcommand {
                    arg.env(None::<&str>)
                } else {
                    without_empty_variable(arg)
                }
            })
            .mut_subcommands(|subcommand| subcommand.mut_args(without_empty_variable))
    }

    /// The word is the name of a subcommand.
    pub(crate) fn is_subcommand(word: &str) -> bool {
        Self::command().find_subcommand(word).is_some()
    }
}

/// Whose fault they are, if they are wrong.
fn has_boot_params(matches: &ArgMatches) -> bool {
    matches.value_source("boot_params") == Some(ValueSource::CommandLine)
}

fn without_empty_variable(arg: Arg) -> Arg {
    let value = arg.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) {
        arg.env(None::<&str>)
    } else {
        arg
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
