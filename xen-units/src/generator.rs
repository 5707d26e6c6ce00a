//! As one of systemd's generators (systemd.generator(7)): at each boot of a
//! Dom0 the units are written for the Xen that runs, and enabled.
//!
//! A host may be reached by the bridge alone, so one that is wrongly set gets
//! the bridge, and everything else that does not depend on what is wrong. A
//! generator's words are lost but on `/dev/kmsg`, which the journal reads.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::Init;
use crate::generate::{UNITS, units};
use crate::machine::{self, Machine};
use crate::model::Name;
use crate::rivals;
use crate::root::Root;
use crate::select::{Chain, Choices};
use crate::words::Command;
use crate::{Error, XenVersion, folders, systemd};

/// Where programs are, but for beside a copy of this one.
const PROGRAMS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];

/// By what their folder is known.
const SIBLING: &str = "xen-mountfs";

/// Writes and enables the units in a Dom0, and nothing anywhere else.
///
/// # Errors
/// The last of what was wrong; the rest was said before, and everything that
/// could be written was.
pub fn run(folder: &Path, err: &mut dyn Write) -> Result<(), Error> {
    let root = Root::new(Path::new("/"));
    if !machine::is_dom0(&root) {
        return Ok(());
    }
    let mut kmsg = File::options().write(true).open("/dev/kmsg").ok();
    let mut log = |text: &str| {
        if let Some(kmsg) = &mut kmsg {
            // One write is one record; without it there is nowhere to say so.
            let _ = kmsg.write_all(format!("<4>xen-units: {text}\n").as_bytes());
        }
    };
    let (remarks, mut problems) = match crate::own_folder() {
        Ok(programs) => write(&root, programs, crate::lasting(), folder),
        Err(error) => (vec![], vec![error]),
    };
    let last = problems.pop();
    let said = problems.iter().map(Error::to_string);
    for text in remarks.into_iter().chain(said) {
        log(&text);
        let _ = writeln!(err, "xen-units: {text}");
    }
    match last {
        Some(error) => {
            log(&error.to_string());
            Err(error)
        }
        None => Ok(()),
    }
}

/// The folder of this project's programs for a generator in this folder.
///
/// # Errors
/// [`Error::NotInstalled`].
pub(crate) fn programs(beside: &Path) -> Result<PathBuf, Error> {
    let folders = [beside].into_iter().chain(PROGRAMS.iter().map(Path::new));
    let mut tools = folders.map(|folder| folder.join(SIBLING));
    let found = tools.clone().find(|tool| tool.is_file());
    found
        .and_then(|tool| tool.parent().map(Path::to_path_buf))
        .ok_or_else(|| Error::NotInstalled {
            tool: SIBLING.to_owned(),
            looked: tools
                .by_ref()
                .map(|tool| tool.display().to_string())
                .collect(),
        })
}

/// Writes and enables the units in this folder. Returns what there is to say
/// about them, and what was wrong.
pub fn write(
    root: &Root,
    programs: PathBuf,
    environment: impl Iterator<Item = (String, String)>,
    folder: &Path,
) -> (Vec<String>, Vec<Error>) {
    let mut problems = vec![];
    let mut names = Name::ALL.to_vec();
    let machine =
        Machine::read(root.clone(), None, programs.clone(), environment).unwrap_or_else(|error| {
            problems.push(error);
            // These have no setting in their units.
            names = vec![Name::Modload, Name::Mountfs, Name::Bridge];
            Machine {
                root: root.clone(),
                version: XenVersion::running(root),
                settings: std::iter::empty().collect(),
                programs,
            }
        });
    let choices = Choices::of_file(root).unwrap_or_else(|error| {
        problems.push(error);
        Choices::default()
    });
    // A second store would take the first one's socket away.
    match rivals::enabled(root, Init::Systemd) {
        Ok(rivals) if rivals.is_empty() => {}
        found => {
            let mend = "until it is masked, xen-bridge is all of this one";
            problems.push(match found {
                Ok(rivals) => Error::Rivals(rivals::named(&rivals), mend),
                Err(error) => error,
            });
            names = vec![Name::Bridge];
        }
    }
    let mut chain = Chain::as_far_as_it_goes(&names, &machine, choices, &mut problems);
    if let Err(error) = write_units(&mut chain, &machine, folder) {
        problems.push(error);
    }
    (chain.remarks, problems)
}

fn write_units(chain: &mut Chain, machine: &Machine, folder: &Path) -> Result<(), Error> {
    // It writes units and nothing else, so the link before the daemons makes
    // the folders, not tmpfiles.d.
    let folders = folders::commands(&folders::entries(machine)).join("; ");
    let script = ["set -e; ", &folders].concat();
    let mut services = chain.services.iter_mut();
    if let Some(mountfs) = services.find(|service| service.name == Name::Mountfs) {
        let make = Command::new(["/bin/sh", "-c", &script]);
        mountfs.before_start.push(make);
    }
    for file in units(chain, machine, false)? {
        let path = folder.join(file.path.strip_prefix(UNITS).unwrap_or(&file.path));
        let failed = |error| Error::system(format!("write {}", path.display()), error);
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        // The folder was made for this boot, and is read when all have ended:
        // no file has to be there in one go, or to outlive anything.
        fs::write(&path, &file.text).map_err(failed)?;
    }
    enable_in(folder)
}

fn enable_in(folder: &Path) -> Result<(), Error> {
    let wants = folder.join("multi-user.target.wants");
    let link = wants.join(systemd::TARGET);
    let failed = |error| Error::system(format!("link {}", link.display()), error);
    fs::create_dir_all(&wants).map_err(failed)?;
    let target = Path::new("..").join(systemd::TARGET);
    match std::os::unix::fs::symlink(&target, &link) {
        Err(_) if fs::read_link(&link).is_ok_and(|found| found == target) => Ok(()),
        result => result.map_err(failed),
    }
}
