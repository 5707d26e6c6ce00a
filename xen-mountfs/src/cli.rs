//! The command line.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::BoolishValueParser;

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

    /// Replace device nodes that have the wrong numbers, mend their modes
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
  5  not under Xen, a guest, not mounted (--check), no xenfs in this kernel,
     or /proc or (--devices) /sys is not mounted
  6  something else is mounted on the target or it is no folder, a device node
     is another's or open to all, or a setting in the environment is wrong";
