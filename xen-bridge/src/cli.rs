//! The command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Parser, Subcommand};

use crate::cidr::Cidr;
use crate::names::InterfaceName;
use crate::values::{
    Centiseconds, Mac, Words, flatten, parse_ageing, parse_confirm, parse_forward_delay, parse_mtu,
    parse_seconds,
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
// Only the options of the one that is named are made up: with those of all,
// most of the time that is the program's own goes there.
#[derive(Debug, Clone, Subcommand)]
#[command(defer = true)]
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
    /// Keep a change that `up --confirm` made
    #[command(after_help = EXIT_STATUS)]
    Confirm(Target),
    /// Put back a change that waits to be confirmed, or was left half-way
    #[command(after_help = EXIT_STATUS)]
    Restore(Target),
    /// Watch over a change; started by `up`
    #[command(hide = true)]
    Watch(Target),
}

/// Make sure that the bridge is there, set as named, and up
///
/// A bridge that is made has STP off and no forward delay. On one that is
/// there, only what is named is changed.
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
        allow_negative_numbers = true,
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
        allow_negative_numbers = true,
        env = "XEN_BRIDGE_FORWARD_DELAY",
        hide_env_values = true,
        value_parser = parse_forward_delay
    )]
    pub forward_delay: Option<Centiseconds>,

    /// How long a silent station is remembered
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
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

    /// Send multicast only where it is asked for
    #[arg(
        long,
        value_name = "on|off",
        env = "XEN_BRIDGE_MCAST_SNOOPING",
        hide_env_values = true,
        hide_possible_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub mcast_snooping: Option<bool>,

    /// Wait for ports that are not there yet
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        allow_negative_numbers = true,
        env = "XEN_BRIDGE_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_seconds
    )]
    pub timeout: u32,

    /// Take away ports and addresses that are not named, but for guests' and what was moved here;
    /// what the host may be reached by (an address, a port of a bridge with one or with routes)
    /// only with --confirm or --force
    #[arg(
        long,
        env = "XEN_BRIDGE_EXACT",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub exact: bool,

    /// Move the addresses and routes of the ports to the bridge, which takes the port's MAC
    #[arg(
        long,
        env = "XEN_BRIDGE_MOVE_ADDRESS",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub move_address: bool,

    /// Put everything back if no `xen-bridge confirm` comes within that time
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        env = "XEN_BRIDGE_CONFIRM",
        hide_env_values = true,
        value_parser = parse_confirm
    )]
    pub confirm: Option<u32>,

    /// Confirm when the gateway answers through the bridge; put everything back if not (15 s);
    /// a change that cannot lose it needs no confirming
    #[arg(
        long,
        env = "XEN_BRIDGE_CHECK_GATEWAY",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub check_gateway: bool,

    /// Go on where that may cut somebody off: a port's addresses, leases, another's address
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

/// Take away what `up` made or added, and nothing else
#[derive(Debug, Clone, clap::Args)]
pub struct Down {
    /// Which bridge.
    #[command(flatten)]
    pub bridge: Target,

    /// Even if guests, other ports or addresses are on it, or the card that
    /// something goes back to is gone; a record that cannot be read counts as none
    #[arg(long)]
    pub force: bool,

    /// How to go about it.
    #[command(flatten)]
    pub manner: Manner,
}

// The bridge that is meant.
#[derive(Debug, Clone, clap::Args)]
#[expect(missing_docs, reason = "clap would say it is what `confirm` does")]
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

/// Say how the bridge is, and who else has a hand in it
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
  5  no such bridge (show), no such port, nothing to confirm, or no bridges in
     this kernel
  6  the name is something else's, a port is unfit or carries addresses or
     routes, the bridge is in use, its record cannot be read, a variable is set
     wrongly, or another change waits to be confirmed
  7  a port did not come in time, or a change was not confirmed and was put back";
