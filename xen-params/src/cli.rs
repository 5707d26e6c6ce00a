//! The command line.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{
    Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
};

use crate::settings::{BootArgs, LineArgs, ReportArgs};
use crate::{Error, Format};

/// Prints the command line of the Xen hypervisor.
///
/// Every parameter and its value is checked against what Xen knows, by release
/// and machine. A parameter that has the name of a subcommand is written after
/// `--`.
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

    /// The flags that were given by variables, and the names of these.
    #[arg(skip)]
    pub variables: Vec<(String, String)>,
}

/// The subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Say what is wrong with command lines, or with the files that hold them
    Lint(LintArgs),
    /// Say what options are for, and what their values mean
    Explain(ExplainArgs),
    /// List the options that Xen knows
    List(ListArgs),
    /// Compare two command lines
    Diff(DiffArgs),
    /// Install the link xen.gz and the file xen-params, or a boot entry
    Install(Box<InstallArgs>),
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
    /// The command line; or files; - or nothing: standard input. A file is
    /// known by what it holds: the output of xl info, a grub.cfg, an
    /// /etc/default/grub, a xen.cfg, a limine.conf, or a command line in each
    /// line
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

    /// Tell what a value gives where so much memory is free once Xen runs: a
    /// number of MiB, or a size [default: this machine's, off Xen]
    #[arg(long, value_name = "SIZE")]
    pub host_mem: Option<String>,

    /// Tell it for so many processors [default: this machine's, off Xen]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub cpus: Option<u64>,

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
    /// A command line; or a file that has one, such as grub.cfg, xen.cfg or
    /// what install wrote; - for standard input, such as the output of xl info
    #[arg(value_name = "A")]
    pub a: String,

    /// Another
    #[arg(value_name = "B")]
    pub b: String,

    /// Read files below DIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

/// Arguments of `install`.
#[derive(Debug, Clone, clap::Args)]
pub struct InstallArgs {
    /// The folder; made where it is missing, never one that GRUB looks at
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_PARAMS_DIR",
        hide_env_values = true,
        required_unless_present = "boot_entry"
    )]
    pub dir: Option<PathBuf>,

    /// Install a boot entry: for grub and grub-entry where GRUB looks for it,
    /// for efi xen.cfg, xen.efi, kernel and ramdisk in DIR, for limine entries
    /// in DIR/limine.conf and what they name in DIR/dom0
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "XEN_PARAMS_BOOT_ENTRY",
        hide_env_values = true
    )]
    pub boot_entry: Option<BootEntry>,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// The line.
    #[command(flatten)]
    pub line: LineArgs,

    /// What else a boot entry names.
    #[command(flatten)]
    pub boot: BootArgs,
}

/// The boot entries that can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BootEntry {
    /// The settings of grub-mkconfig; run update-grub after it.
    Grub,
    /// Entries in GRUB's custom.cfg, a normal and a safe one.
    GrubEntry,
    /// A folder for xen.efi.
    Efi,
    /// Entries in limine.conf, a normal and a safe one for UEFI and for a BIOS.
    Limine,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  done, or already so
  1  the system refused
  2  used wrongly, or a parameter that Xen would not take
  4  not permitted
  5  no such machine, hypervisor, kernel or option, or no line in a file
  6  lint found errors, diff found differences, a variable is wrong, or
     install would not install: a wrong line, GRUB's folder, another's file";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let mut program = Self::program(std::env::args_os().nth(1).as_deref());
        let matches = program
            .try_get_matches_from_mut(std::env::args_os())
            .map_err(|error| usage(error, &program))?;
        let mut args = Self::from_arg_matches(&matches).map_err(|error| usage(error, &program))?;
        args.variables = variables(&program, &matches);
        if let Some((name, matches)) = matches.subcommand() {
            let program = program.find_subcommand(name).unwrap_or(&program);
            args.variables.extend(variables(program, matches));
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

/// The flags that variables gave, with these.
fn variables(program: &Command, matches: &ArgMatches) -> Vec<(String, String)> {
    let args = program.get_arguments().filter(|arg| {
        let source = matches.try_contains_id(arg.get_id().as_str());
        source.is_ok()
            && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::EnvVariable)
    });
    args.filter_map(flag_and_variable).collect()
}

fn flag_and_variable(arg: &Arg) -> Option<(String, String)> {
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    Some((format!("--{}", arg.get_long()?), variable))
}

/// The variable that clap complains of, though it names only its flag.
fn variable_at_fault(error: &clap::Error, program: &Command) -> Option<String> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = named.split(' ').next()?;
    let is_given = std::env::args_os().skip(1).any(|word| {
        word.to_str().is_some_and(|word| {
            word.strip_prefix(flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    });
    if is_given {
        return None;
    }
    let all = program.get_subcommands().chain([program]);
    let mut args = all.flat_map(Command::get_arguments);
    args.find_map(|arg| flag_and_variable(arg).filter(|(name, _)| name == flag))
        .map(|(_, variable)| variable)
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
fn usage(error: clap::Error, program: &Command) -> Error {
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
    match variable_at_fault(&error, program) {
        Some(variable) => Error::Configured(format!("{variable}: {complaint}")),
        None => Error::Usage(complaint),
    }
}
