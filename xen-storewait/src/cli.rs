//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use clap::builder::BoolishValueParser;

use crate::facts::below;
use crate::{Action, Places, seconds};

/// Waits until xenstored answers, then reads, writes and waits for nodes.
///
/// What is asked for is done in the order given, all before one deadline.
#[derive(Debug, Clone, Parser)]
#[command(name = "xen-storewait", version, after_help = EXIT_STATUS)]
pub struct Args {
    /// How long all may take, such as 2 or 0.5; 0 is a single try
    #[arg(
        long,
        value_name = "SECONDS",
        env = "XEN_STOREWAIT_TIMEOUT",
        hide_env_values = true,
        default_value = "30",
        allow_negative_numbers = true,
        value_parser = seconds::parse
    )]
    pub timeout: Duration,

    /// The store's socket [default: /run/xenstored/socket, then /var/run/xenstored/socket]
    #[arg(
        long,
        value_name = "PATH",
        env = "XENSTORED_PATH",
        hide_env_values = true
    )]
    pub socket: Option<PathBuf>,

    /// Ask through the kernel's device instead: the store may be another domain;
    /// --wait takes a second process there
    #[arg(
        long,
        env = "XEN_STOREWAIT_DEVICE",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub device: bool,

    /// Write the name and the number of domain 0 unless they are there
    #[arg(long)]
    pub seed_dom0: bool,

    /// Set the value of a node
    #[arg(long, value_name = "PATH=VALUE")]
    pub write: Vec<OsString>,

    /// Print the value of a node
    #[arg(long, value_name = "PATH")]
    pub read: Vec<OsString>,

    /// Wait for a node, for a value of it, or (with !) for its absence
    #[arg(long, value_name = "PATH[=VALUE]|!PATH")]
    pub wait: Vec<OsString>,

    /// Print values as they are, with no newline
    #[arg(
        long,
        env = "XEN_STOREWAIT_RAW",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub raw: bool,

    /// Stay connected; end when the store dies or is silent for SECONDS
    #[arg(long)]
    pub hold: bool,

    /// Become the store DAEMON, unless a store lives
    #[arg(
        long,
        requires = "command",
        conflicts_with_all = ["seed_dom0", "write", "read", "wait", "hold"]
    )]
    pub launch: bool,

    /// With --launch: start one although a store has died since the boot
    ///
    /// It is empty, and the kernel's drivers go on waiting for the one that
    /// died: xl works again, but no guest can be started before a reboot.
    #[arg(long, requires = "launch")]
    pub force: bool,

    /// With --launch: how many files the daemon may open, at most fs.nr_open
    #[arg(
        long,
        value_name = "N|unlimited",
        env = "XENSTORED_MAX_OPEN_FDS",
        hide_env_values = true,
        default_value = "unlimited"
    )]
    pub max_open_fds: String,

    /// With --launch: how much memory it may take before the kernel counts it
    #[arg(
        long,
        value_name = "PERCENT",
        env = "XENSTORED_OOM_MEM_THRESHOLD",
        hide_env_values = true,
        default_value = "50"
    )]
    pub oom_mem_threshold: String,

    /// Print the equivalent shell commands, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// Read files below DIR, and look there for socket and device
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,

    /// The folder of the default socket
    #[arg(
        long,
        hide = true,
        value_name = "DIR",
        env = "XENSTORED_RUNDIR",
        hide_env_values = true
    )]
    pub rundir: Option<PathBuf>,

    /// With --device and --wait: print each value that is seen, set the watch
    /// in this process
    #[arg(long, hide = true, requires = "device")]
    pub tell: bool,

    /// The caller holds the lock already
    #[arg(
        long,
        hide = true,
        env = "XEN_DOM0_LOCKED",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub locked: bool,

    /// With --launch: the daemon, and its arguments
    #[arg(last = true, value_name = "DAEMON", requires = "launch")]
    pub command: Vec<OsString>,

    /// What --seed-dom0, --write, --read and --wait ask for, in their order
    #[arg(skip)]
    pub actions: Vec<Action>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  the store answers, and all was done (--launch: a store lives)
  1  the store died, refused (no such node, ...) or answered wrongly
  2  used wrongly
  4  not permitted
  5  the daemon to launch is not there
  6  a setting in the environment, or for the daemon, cannot be used
  7  not in time, or (--hold) silent for too long; through the kernel's
     device a store that died is silent";

impl Args {
    /// Where these arguments say that the store may be.
    #[must_use]
    pub fn places(&self) -> Places {
        let below = |path: &str| below(&self.root, Path::new(path));
        let sockets = match (&self.socket, &self.rundir) {
            (Some(socket), _) => vec![socket.clone()],
            (None, Some(rundir)) => vec![rundir.join("socket")],
            (None, None) => vec![
                below("/run/xenstored/socket"),
                below("/var/run/xenstored/socket"),
            ],
        };
        Places {
            sockets,
            devices: vec![below("/dev/xen/xenbus"), below("/proc/xen/xenbus")],
            through_device: self.device,
            root: self.root.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn keeps_the_order_across_different_flags() {
        let line = "x --wait /w --read /b --write /c=1 --seed-dom0 --read /a";
        let matches = Args::command().get_matches_from(line.split(' '));
        let actions = Action::in_order(&matches).unwrap();
        let letters: Vec<char> = actions.iter().map(letter).collect();
        assert_eq!(letters, ['w', 'b', 'c', 'S', 'a']);
    }

    fn letter(action: &Action) -> char {
        let path = match action {
            Action::SeedDom0 => return 'S',
            Action::Write { path, .. } | Action::Read { path } | Action::Wait { path, .. } => path,
        };
        char::from(path[1])
    }

    #[test]
    fn looks_at_one_socket_if_it_is_named_and_at_two_if_not() {
        let places = |line: &str| Args::parse_from(line.split(' ')).places().sockets;
        assert_eq!(places("x --socket /s"), [PathBuf::from("/s")]);
        assert_eq!(places("x --rundir /r"), [PathBuf::from("/r/socket")]);
        assert_eq!(
            places("x --root /t"),
            [
                PathBuf::from("/t/run/xenstored/socket"),
                PathBuf::from("/t/var/run/xenstored/socket")
            ]
        );
    }
}
