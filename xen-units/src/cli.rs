//! The command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::usage::usage;
use crate::{Error, XenVersion};

/// Writes the chain that starts a Xen Dom0 for an init system.
///
/// As a systemd generator it is called with three folders: it writes units to
/// the first in a Dom0, and nothing anywhere else. A service whose setting cannot
/// be followed is left out with those that need it, and beside another chain all
/// but xen-bridge; the kernel's log says so.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "xen-units",
    version,
    after_help = EXIT_STATUS,
    override_usage = "xen-units <COMMAND>\n       xen-units NORMAL EARLY LATE",
    arg_required_else_help = false,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Option<Action>,

    /// As a systemd generator: where to write, by priority
    #[arg(num_args = 0..=3, value_names = ["NORMAL", "EARLY", "LATE"])]
    pub folders: Vec<PathBuf>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Write all units and the configuration that goes with them
    ///
    /// What is there already and the same is left alone. A file that was changed
    /// since xen-units wrote it is kept, and so is its mode: it is named, the
    /// others are updated, and the status is 0. A file of somebody else's in the
    /// place of one of them ends it before anything is written, with status 6.
    /// --force overwrites both. The first line has a fingerprint of the others.
    ///
    /// XEN_BRIDGE is taken from the settings' files alone, as the units do when
    /// they start; one in the environment does not count here.
    Generate(Generate),

    /// Print the command lines of one service, for a script without init system
    ///
    /// One line a command, quoted for a shell. Beside the services, NAME may be
    /// `folders` (makes the folders and links) or `environment` (exports what
    /// the daemons are to have in theirs, and every setting that is made).
    Command(CommandOf),

    /// Print the name of each service and what it is
    List(List),

    /// Print the order of the services as a graph
    Graph(Graph),

    /// Check units and init scripts, anybody's, against known traps
    ///
    /// One line a finding: the file, the trap's name, what comes of it, and what
    /// mends it. Status 6 where anything was found. Of a system nothing is said of
    /// a unit that is masked, or that one in /etc or /run replaces.
    Verify(Verify),

    /// Take over settings made for other scripts into /etc/default/xen-dom0
    ///
    /// From /etc/conf.d/xen*, /etc/sysconfig/xencommons, /etc/default/xencommons
    /// and /etc/default/xen. One line for each setting, and for each that its own
    /// scripts have ignored all along.
    Import(Import),
}

/// The arguments of `generate`.
#[derive(Debug, Clone, clap::Args)]
pub struct Generate {
    /// The init system to write for
    #[arg(long, env = "XEN_UNITS_INIT", hide_env_values = true)]
    pub init: Init,

    /// Where to write: /etc, or /usr/lib in a package; units go to
    /// DIR/systemd/system, the rest to DIR/modprobe.d, DIR/tmpfiles.d and so on.
    /// DIR is below --root
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_UNITS_OUTPUT",
        hide_env_values = true
    )]
    pub output: PathBuf,

    /// Start the domains at boot even where libvirt does [also by
    /// XEN_UNITS_DOMAINS=yes in /etc/default/xen-dom0]
    #[arg(
        long,
        env = "XEN_UNITS_DOMAINS",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub domains: bool,

    /// Start the watchdog with the rest [also by XEN_UNITS_WATCHDOG=yes in
    /// /etc/default/xen-dom0]
    #[arg(
        long,
        env = "XEN_UNITS_WATCHDOG",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub watchdog: bool,

    /// Make the store's sockets for it; only for systemd, and Xen before 4.8
    #[arg(
        long,
        env = "XEN_UNITS_STORE_SOCKET",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub store_socket: bool,

    /// Start it at boot; refused while another chain is, and where the init system
    /// does not read DIR. What an earlier run has enabled and this one would not
    /// is enabled no more
    #[arg(long, conflicts_with = "disable")]
    pub enable: bool,

    /// Start it at boot no longer, whoever has enabled it, and put the other chain
    /// back that --replace has put out of the way; what was written stays as it is.
    /// A link of a package's that enables it stays too, and is named
    #[arg(long)]
    pub disable: bool,

    /// With --enable: put another chain out of the way, such as the distribution's;
    /// a file of its xen-watchdog in the place of ours is kept as FILE.bak
    #[arg(long, requires = "enable")]
    pub replace: bool,

    /// Overwrite files of others and changed ones too, and keep each as FILE.bak
    #[arg(long)]
    pub force: bool,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was written, and which services are left out
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print the comment")]
    pub place: Place,
}

/// The arguments of `command`.
#[derive(Debug, Clone, clap::Args)]
pub struct CommandOf {
    /// The service, as in `list`
    pub name: String,

    /// What stops it instead, where a signal is not the way
    #[arg(long)]
    pub stop: bool,

    /// The path of its pidfile instead, where scripts of others look for one
    #[arg(long, conflicts_with = "stop")]
    pub pid_file: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print the comment")]
    pub place: Place,
}

/// The arguments of `list`.
#[derive(Debug, Clone, clap::Args)]
pub struct List {
    /// As JSON: a list of objects with "name" and "description"
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `graph`.
#[derive(Debug, Clone, clap::Args)]
pub struct Graph {
    /// In what language
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    pub format: Format,

    /// With the domains even where libvirt starts them [also by
    /// XEN_UNITS_DOMAINS=yes in /etc/default/xen-dom0]
    #[arg(
        long,
        env = "XEN_UNITS_DOMAINS",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub domains: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print the comment")]
    pub place: Place,
}

/// A language for graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Graphviz
    Dot,
    /// mermaid
    Mermaid,
    /// A picture, drawn by Graphviz
    Svg,
}

/// The arguments of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// Everything below this folder, and what links in it lead to; by default
    /// where a system has its units, init scripts and settings
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// As JSON: a list of objects with "file", "name", "what", "reason" and "fix"
    #[arg(long)]
    pub json: bool,

    /// Read below DIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

/// The arguments of `import`.
#[derive(Debug, Clone, clap::Args)]
pub struct Import {
    /// Overwrite a file that was changed or is not ours, and keep it as FILE.bak;
    /// its settings are kept and win
    #[arg(long)]
    pub force: bool,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Read, and write, below DIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

/// Which machine is meant.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// The version of Xen; by default the running one, else the newest installed
    #[arg(
        long,
        value_name = "VERSION",
        env = "XEN_UNITS_XEN",
        hide_env_values = true
    )]
    pub xen: Option<XenVersion>,

    /// Where this project's programs are, an absolute path; by default where this
    /// one is
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_UNITS_BIN_DIR",
        hide_env_values = true
    )]
    pub bin_dir: Option<PathBuf>,

    /// Read, and write, below DIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

/// An init system that there is a writer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Init {
    /// systemd, 245 or later
    Systemd,
    /// OpenRC
    Openrc,
    /// SysV, with LSB headers
    Sysvinit,
    /// runit
    Runit,
    /// Source definitions for s6-rc, 0.5.3 or later
    S6,
    /// dinit
    Dinit,
}

const EXIT_STATUS: &str = "\
Settings are read from /etc/default/xen-dom0, and from /etc/default/xen,
/etc/default/xencommons and /etc/sysconfig/xencommons where it says nothing.
Units read most of them again at each start; after a change of XENSTORED,
XENSTORED_TRACE, XENSTORETYPE, XENSTORE_DOMAIN_INIT, XENSTORE_DOMAIN_KERNEL,
XENSTORE_DOMAIN_SIZE, XENSTORE_MAX_DOMAIN_SIZE, XENCONSOLED,
XENCONSOLED_LOG_DIR, XENWATCHDOGD, QEMU_XEN, XEN_INIT_DOM0, XEN_BRIDGE or
XEN_BRIDGE_NETFILTER run generate again. XEN_UNITS_WATCHDOG and
XEN_UNITS_DOMAINS in the first are the choices of generate and of the generator.

Exit status:
  0  written, or already so
  1  the system refused
  2  used wrongly, or no such service
  4  not permitted
  5  a daemon of Xen is not installed or takes no socket, or it cannot be
     enabled or drawn here
  6  a setting or variable that cannot be followed, a file that somebody else
     wrote, another chain that is enabled, or this one still, or verify found
     something";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let mut program = Self::program();
        let args = program
            .try_get_matches_from_mut(std::env::args_os())
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| usage(&error, &program))?;
        if args.action.is_none() && args.folders.is_empty() {
            let what = "nothing to do: generate, command, list, graph, verify or import";
            return Err(Error::Usage(what.to_owned()));
        }
        args.check_folders()?;
        Ok(args)
    }

    /// A generator is called with three absolute paths. Anything else was meant
    /// as a command.
    fn check_folders(&self) -> Result<(), Error> {
        let is_relative = |path: &&PathBuf| path.is_relative();
        let what = match (self.folders.iter().find(is_relative), self.folders.len()) {
            (Some(word), _) => format!("no such command: {}", word.display()),
            (None, 0 | 3) => return Ok(()),
            (None, _) => "as a generator it takes three folders".to_owned(),
        };
        Err(Error::Usage(what))
    }

    /// The command, where an empty environment variable counts as not set.
    fn program() -> clap::Command {
        Self::command().mut_subcommands(|command| {
            command.mut_args(|arg| {
                let value = arg.get_env().and_then(std::env::var_os);
                if value.is_some_and(|value| value.is_empty()) {
                    arg.env(None::<&str>)
                } else {
                    arg
                }
            })
        })
    }
}
