//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::Format;
use crate::settings::{BootArgs, LineArgs, ReportArgs};

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
    /// known by what it holds: the output of xl info, whose release counts
    /// unless --xen names one, a grub.cfg, an /etc/default/grub, a xen.cfg, a
    /// limine.conf, an extlinux.conf, or a command line in each line
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
    /// what install wrote; - for standard input, such as the output of xl info.
    /// Of several lines it is the first, of GRUB's settings both variables as
    /// one line, of xen.cfg the line of its default section
    #[arg(value_name = "A")]
    pub a: String,

    /// Another
    #[arg(value_name = "B")]
    pub b: String,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

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
    /// The settings of grub-mkconfig; run update-grub after it. With --safe also
    /// the entries of grub-entry; without it those that are there stay.
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
  6  lint found errors, diff found differences, what line a file has cannot be
     known, a variable is wrong, or install would not install: a wrong line,
     GRUB's folder, another's file
  7  another install was at work for 30 seconds";
