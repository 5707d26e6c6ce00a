//! The chain as service descriptions of dinit (dinit-service(5)), and the
//! scripts that they run: a description itself knows no settings.

use std::path::Path;

use crate::folders::LOG_FOLDER;
use crate::model::{Name, Process, Restart, Seconds, Service, StopSignal};
use crate::output::File;
use crate::shell::{self, Keeper, Leave};
use crate::template::Holes;

/// Where the descriptions go, below the output folder.
pub const FOLDER: &str = "dinit.d";

/// The service that starts all, and, with `.d`, the folder of the scripts.
pub const ALL: &str = "xen-dom0";

/// The files of each link, and of the service for all. `output` is where they
/// will be when they are run.
#[must_use]
pub fn files(
    services: &[Service],
    wanted: &[Name],
    folders: &[String],
    output: &Path,
) -> Vec<File> {
    let folder = Path::new(FOLDER);
    let links: Vec<&str> = wanted.iter().map(|name| name.as_str()).collect();
    let all = Holes::default().with("LINK", &links[..]);
    let mut files = vec![File::new(
        folder.join(ALL),
        all.fill(include_str!("dinit/all")),
    )];
    for service in services {
        let name = service.name.as_str();
        let script = folder.join(format!("{ALL}.d")).join(name);
        let text = description(service, &output.join(&script));
        files.push(File::new(folder.join(name), text));
        files.push(File::new(script, script_of(service, folders)).executable());
    }
    files
}

fn description(service: &Service, script: &Path) -> String {
    let is_once = service.process == Process::Once;
    let script = quoted(&script.display().to_string());
    let seconds = |limit: Option<Seconds>| match limit {
        Some(Seconds::Count(count)) => Some(count.to_string()),
        Some(Seconds::Unlimited) => Some("0".to_owned()),
        None => None,
    };
    let (restart, delay) = match service.restart {
        Restart::Never => ("false", None),
        Restart::OnFailure { after_s } => ("true", Some(after_s.to_string())),
    };
    let is_usr1 = service.stop_signal == StopSignal::Usr1Only;
    let stop_s = if is_usr1 {
        Some(Seconds::Unlimited)
    } else {
        service.limits.stop_s
    };
    let needs = shell::links(&service.requires);
    let mut wants = shell::links(&service.wants);
    wants.retain(|name| !needs.contains(name));
    // On the way down a milestone is stopped beside those that came up by it.
    let to_the_end = (service.name == Name::Domains).then_some(Name::Store.as_str());
    let log = format!("{LOG_FOLDER}/{}.log", service.name.as_str());
    Holes::default()
        .with("DESCRIPTION", service.name.description())
        .with("TYPE", if is_once { "scripted" } else { "process" })
        .with("SCRIPT", script.as_str())
        .with(
            "SCRIPT_STOP",
            Some(script.as_str()).filter(|_| is_once && !service.stop.is_empty()),
        )
        .with("NEED", &needs[..])
        .with("TO_THE_END", to_the_end)
        .with("WANT", &wants[..])
        .with("RESTART", restart)
        .with("DELAY", delay)
        .with("SIGNAL", is_usr1.then_some("USR1"))
        .with("START_TIMEOUT", seconds(service.limits.start_s))
        .with("STOP_TIMEOUT", seconds(stop_s))
        .with("LOG", (!is_once).then_some(log))
        .fill(include_str!("dinit/service"))
}

/// As dinit reads words: a blank ends one outside of double quotes.
fn quoted(path: &str) -> String {
    if path.contains([' ', '"', '\\', '#']) {
        let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{escaped}\"");
    }
    path.to_owned()
}

fn script_of(service: &Service, folders: &[String]) -> String {
    shell::holes(service, folders, Keeper::Supervisor, Leave::Function)
        .with("STOP", shell::stop(service, Leave::Function))
        .fill(include_str!("dinit/script"))
}
