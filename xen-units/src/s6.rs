//! The chain as source definitions for s6-rc-compile
//! (<https://skarnet.org/software/s6-rc/s6-rc-compile.html>).

use std::path::Path;

use crate::model::{Lasts, Name, Process, Restart, Seconds, Service, StopSignal};
use crate::output::File;
use crate::shell::{self, Keeper, Leave};
use crate::template::Holes;

/// Where the definitions go, below the output folder.
pub const FOLDER: &str = "s6-rc/sv";

/// The bundle of all that are started together.
pub const BUNDLE: &str = "xen-dom0";

/// The files of each link, and of the bundle.
#[must_use]
pub fn files(services: &[Service], wanted: &[Name], folders: &[String]) -> Vec<File> {
    let folder = Path::new(FOLDER).join(BUNDLE);
    let mut files = vec![File::new(folder.join("type"), "bundle\n")];
    for name in wanted {
        let path = folder.join("contents.d").join(name.as_str());
        files.push(File::new(path, ""));
    }
    for service in services {
        let links = shell::links(&service.wants);
        let is_wanted = |other: &&Service| links.contains(&other.name.as_str());
        let wanted: Vec<&Service> = services.iter().filter(is_wanted).collect();
        files.extend(definition(service, &wanted, folders));
    }
    files
}

/// What is only wanted cannot be said: a dependency that is stopped or fails
/// takes its user with it. So it is no dependency, and a oneshot waits for what
/// can be seen; but xen-modload leaves nothing to see, and is never stopped.
fn definition(service: &Service, wanted: &[&Service], folders: &[String]) -> Vec<File> {
    let folder = Path::new(FOLDER).join(service.name.as_str());
    let file = |name: &str, text: &str| File::new(folder.join(name), text);
    let mut files = vec![];
    let mut needs = shell::links(&service.requires);
    if wanted.iter().any(|other| other.name == Name::Modload) {
        needs.push(Name::Modload.as_str());
    }
    if service.lasts == Lasts::Always || service.name == Name::Modload {
        // What stops all others leaves it up (s6-rc 0.5.3).
        files.push(file("flag-essential", ""));
    }
    for need in needs {
        files.push(file(&format!("dependencies.d/{need}"), ""));
    }
    if service.process == Process::Once {
        files.push(file("type", "oneshot\n"));
        let waits = wanted.iter().flat_map(|other| shell::wait_for(other));
        files.push(file("up", &up(service, folders, waits.collect())));
        if !service.stop.is_empty() {
            let stop = shell::stop(service, Leave::Program);
            files.push(file("down", &oneshot(service, stop)));
        }
        if let Some(Seconds::Count(count)) = service.limits.start_s {
            files.push(file("timeout-up", &format!("{}\n", count * 1000)));
        }
        return files;
    }
    files.push(file("type", "longrun\n"));
    files.push(file("run", &run(service)).executable());
    let finish = match service.restart {
        Restart::Never => include_str!("s6/finish"),
        Restart::OnFailure { .. } => include_str!("s6/finish-restarted"),
    };
    files.push(file("finish", finish).executable());
    if service.stop_signal == StopSignal::Usr1Only {
        files.push(file("down-signal", "SIGUSR1\n"));
        files.push(file("timeout-kill", "0\n"));
    }
    files
}

fn run(service: &Service) -> String {
    shell::holes(service, &[], Keeper::Supervisor, Leave::Program).fill(include_str!("s6/run"))
}

fn up(service: &Service, folders: &[String], waits: Vec<String>) -> String {
    let commands = [
        shell::guard(Leave::Program),
        shell::settings(service),
        shell::folders_of(service, folders).to_vec(),
        waits,
        shell::start(service, Keeper::Supervisor, Leave::Program),
    ];
    oneshot(service, commands.concat())
}

/// One command line of execline, whose one argument is the script.
fn oneshot(service: &Service, mut commands: Vec<String>) -> String {
    for line in &mut commands {
        *line = line.replace('\\', "\\\\").replace('"', "\\\"");
    }
    Holes::default()
        .with("DESCRIPTION", service.name.description())
        .with("COMMANDS", commands)
        .fill(include_str!("s6/oneshot"))
}
