//! The chain that starts a Dom0, written for an init system from one model.
//!
//! [`machine`] reads what is installed and set; [`chain`] makes each link of
//! the chain from that, as [`model`] data in no init system's words;
//! [`systemd`] puts a link into a unit, [`shell`] into statements that
//! [`openrc`], [`sysvinit`], [`runit`], [`s6`] and [`dinit`] put into their
//! files; [`extras`] adds what the kernel, udev
//! and the network managers have to be told, and [`output`] writes files
//! without ever taking somebody else's: each has a fingerprint in its first
//! line, so that one changed by hand is seen, and a [`manifest`] lists them.
//! [`generator`] writes the units at each boot instead.
//! [`rivals`] are other chains, [`enable`] puts them out of the way; [`enabled`]
//! tells by what this one is started. A script
//! that runs the chain without an init system gets the same command lines from
//! [`show`]; [`graph`] draws their order. [`verify`] holds files of anybody
//! against [`traps`] by their [`rules`] and the [`modules`] they load, and
//! [`import`] takes settings over; [`readers`] tells whose those are.
//!
//! What the model holds was learnt where other start scripts failed: a store
//! is started only where none lives and never stopped; a dead one is a failed
//! unit; the watchdog is sent USR1 and nothing else; domains have all the time
//! they need, and nothing that is restarted takes them along; off Xen and in a
//! guest every link is skipped without a word.

pub mod chain;
mod cli;
pub mod dinit;
pub mod enable;
pub mod enabled;
mod error;
mod exec;
pub mod extras;
pub mod folders;
mod generate;
pub mod generator;
pub mod graph;
pub mod import;
pub mod machine;
pub mod manifest;
pub mod model;
pub mod modules;
pub mod openrc;
pub mod output;
pub mod readers;
pub mod rivals;
pub mod root;
pub mod rules;
pub mod runit;
pub mod s6;
pub mod select;
pub mod settings;
pub mod shell;
pub mod show;
pub mod stamp;
pub mod store;
pub mod systemd;
pub mod sysvinit;
pub mod template;
pub mod tools;
pub mod traps;
mod usage;
mod used;
mod value;
pub mod verify;
mod version;
pub mod words;

pub use cli::{
    Action, Args, CommandOf, Format, Generate, Graph, Import, Init, List, Place, Verify,
};
pub use error::Error;
pub use select::{Chain, Choices};
pub use version::XenVersion;

use std::io::Write;
use std::path::{Path, PathBuf};

use machine::Machine;
use root::Root;

/// Does what the arguments say. `out` gets the answer, `err` remarks and, if
/// that was asked for, what was written.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    match &args.action {
        Some(Action::Generate(args)) => generate::generate(args, out, err),
        Some(Action::Command(args)) => show::command(args, out),
        Some(Action::List(args)) => show::list(args, out),
        Some(Action::Graph(args)) => graph::graph(args, out),
        Some(Action::Verify(args)) => verify::verify(args, out, err),
        Some(Action::Import(args)) => import::import(args, out),
        None => {
            let first = args.folders.first();
            generator::run(first.map_or(Path::new("."), PathBuf::as_path), err)
        }
    }
}

impl Place {
    /// The machine that is meant.
    ///
    /// # Errors
    /// As [`Machine::read`].
    pub fn machine(&self) -> Result<Machine, Error> {
        self.machine_with(environment())
    }

    fn machine_with(
        &self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Machine, Error> {
        let programs = match &self.bin_dir {
            Some(folder) if folder.is_relative() => {
                let what = format!("{} is not an absolute path", folder.display());
                return Err(usage::wrong("--bin-dir", Some("XEN_UNITS_BIN_DIR"), what));
            }
            Some(folder) if !is_one_line(folder) => {
                let what = format!("{folder:?} cannot be written into a file");
                return Err(usage::wrong("--bin-dir", Some("XEN_UNITS_BIN_DIR"), what));
            }
            Some(folder) => folder.clone(),
            None => own_folder()?,
        };
        Machine::read(Root::new(&self.root), self.xen, programs, environment)
    }
}

/// The environment for what is written: without the bridge's name, which the
/// unit reads from the files when it starts. The other files would have another.
fn lasting() -> impl Iterator<Item = (String, String)> {
    environment().filter(|(name, _)| name != "XEN_BRIDGE")
}

/// Where this program runs from, links followed: its siblings are beside it,
/// unless it is a copy among systemd's generators.
fn own_folder() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()
        .map_err(|source| Error::system("find the folder of this program", source))?;
    let folder = program.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("systemd/system-generators") {
        return generator::programs(folder);
    }
    if !is_one_line(folder) {
        let what = format!("{folder:?} cannot be written into a file: name another --bin-dir");
        return Err(Error::Usage(what));
    }
    Ok(folder.to_path_buf())
}

/// Whether a path is text, and of one line, as in all that is written.
fn is_one_line(path: &Path) -> bool {
    path.to_str()
        .is_some_and(|text| !text.contains(char::is_control))
}

/// The environment, as far as it is text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
