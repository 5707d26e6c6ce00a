//! The command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::Error;
use crate::cidr::Cidr;
use crate::names::InterfaceName;
use crate::values::{
    Centiseconds, Mac, Words, flatten, parse_ageing, parse_forward_delay, parse_mtu,
};

/// Makes, shows and removes the bridge that Xen guests are plugged into.
///
/// Does nothing where that is so already. Silent when all is well.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "xen-bridge",
    version,
    after_help = EXIT_STATUS,
    arg_required_else_help = false,
    disable_help_subcommand = true
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the bridge.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Make sure that the bridge is there, set as named, and up
    #[command(after_help = EXIT_STATUS)]
    Up(Up),
    /// Take away what `up` made or added, and nothing else
    #[command(after_help = EXIT_STATUS)]
    Down(Down),
    /// Say how the bridge is, and who else has a hand in it
    #[command(after_help = EXIT_STATUS)]
    Show(Show),
}

/// `up`: a bridge that is made has STP off and no forward delay. On one that
/// is there, only what is named is changed.
#[derive(Debug, Clone, clap::Args)]
pub struct Up {
    /// Which bridge.
    #[command(flatten)]
    pub bridge: Target,

    /// An interface to be a port of it, up; may be given several times
    #[arg(
        long = "port",
        value_name = "IF",
        env = "XEN_BRIDGE_PORTS",
        hide_env_values = true
    )]
    pub port_words: Vec<Words<InterfaceName>>,

    /// An address for it, such as 172.16.0.1/16 or fd00::1/64; may be given several times
    #[arg(
        long = "address",
        value_name = "CIDR",
        env = "XEN_BRIDGE_ADDRESSES",
        hide_env_values = true
    )]
    pub address_words: Vec<Words<Cidr>>,

    /// The longest packet in bytes
    #[arg(
        long,
        value_name = "BYTES",
        env = "XEN_BRIDGE_MTU",
        hide_env_values = true,
        value_parser = parse_mtu
    )]
    pub mtu: Option<u32>,

    /// Its hardware address
    #[arg(long, env = "XEN_BRIDGE_MAC", hide_env_values = true)]
    pub mac: Option<Mac>,

    /// The spanning tree protocol; with it the forward delay is 15 s unless named
    #[arg(
        long,
        value_name = "on|off",
        env = "XEN_BRIDGE_STP",
        hide_env_values = true,
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub stp: Option<bool>,

    /// How long a new port waits before it forwards: 0 to 30, with STP from 2
    #[arg(
        long,
        value_name = "SECONDS",
        env = "XEN_BRIDGE_FORWARD_DELAY",
        hide_env_values = true,
        value_parser = parse_forward_delay
    )]
    pub forward_delay: Option<Centiseconds>,

    /// How long a silent station is remembered
    #[arg(
        long,
        value_name = "SECONDS",
        env = "XEN_BRIDGE_AGEING",
        hide_env_values = true,
        value_parser = parse_ageing
    )]
    pub ageing: Option<Centiseconds>,

    /// Heed VLAN tags
    #[arg(
        long,
        value_name = "on|off",
        env = "XEN_BRIDGE_VLAN_FILTERING",
        hide_env_values = true,
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub vlan_filtering: Option<bool>,

    /// Take a port even if it has addresses or routes, which then no longer work
    #[arg(long)]
    pub force: bool,

    /// How to go about it.
    #[command(flatten)]
    pub manner: Manner,
}

impl Up {
    /// The ports named, each once.
    #[must_use]
    pub fn ports(&self) -> Vec<InterfaceName> {
        flatten(&self.port_words)
    }

    /// The addresses named, each once.
    #[must_use]
    pub fn addresses(&self) -> Vec<Cidr> {
        flatten(&self.address_words)
    }
}

/// `down`.
#[derive(Debug, Clone, clap::Args)]
pub struct Down {
    /// Which bridge.
    #[command(flatten)]
    pub bridge: Target,

    /// Even if guests, other ports or addresses are on it; a record that cannot
    /// be read counts as none
    #[arg(long)]
    pub force: bool,

    /// How to go about it.
    #[command(flatten)]
    pub manner: Manner,
}

/// The bridge that is meant.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The bridge
    #[arg(env = "XEN_BRIDGE", hide_env_values = true, default_value = "xenbr0")]
    pub name: InterfaceName,
}

/// How `up` and `down` go about it.
#[derive(Debug, Clone, clap::Args)]
pub struct Manner {
    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// Read files below DIR (the kernel is asked all the same); only with --dry-run
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true,
        requires = "dry_run"
    )]
    pub root: PathBuf,
}

/// `show`.
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// Which bridge.
    #[command(flatten)]
    pub bridge: Target,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

    /// Read files below DIR; the kernel is asked all the same
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
  0  done, or already so (down: also where there is no such bridge)
  1  the system refused
  2  used wrongly
  4  not permitted
  5  no such bridge (show), no such port, or no bridges in this kernel
  6  the name is something else's, a port is unfit or carries addresses or
     routes, the bridge is in use, or its record cannot be read";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let matches = Self::program().try_get_matches().map_err(usage)?;
        if let Some(("up", matches)) = matches.subcommand() {
            one_each::<InterfaceName>(matches, "port_words", "--port", "interface")?;
            one_each::<Cidr>(matches, "address_words", "--address", "address")?;
        }
        Self::from_arg_matches(&matches).map_err(usage)
    }

    /// The command, where an empty environment variable counts as not set.
    fn program() -> Command {
        let mut program = Self::command();
        for action in program.get_subcommands_mut() {
            *action = std::mem::take(action).mut_args(|arg| {
                let value = arg.get_env().and_then(std::env::var_os);
                if value.is_some_and(|value| value.is_empty()) {
                    arg.env(None::<&str>)
                } else {
                    arg
                }
            });
        }
        program
    }
}

/// Only a variable holds several words, or none: an option is given again.
fn one_each<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    id: &str,
    option: &str,
    what: &str,
) -> Result<(), Error> {
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return Ok(());
    }
    let mut lists = matches.get_many::<Words<T>>(id).into_iter().flatten();
    if lists.any(|list| list.0.len() != 1) {
        return Err(Error::Usage(format!("{option}: one {what} expected")));
    }
    Ok(())
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
