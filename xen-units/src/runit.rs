//! The chain as service folders of runit. runit starts all at once and again
//! and again: each waits for what it needs, and what has ended stays down.

use std::path::Path;

use crate::model::{Lasts, Name, Process, Restart, Seconds, Service, StopSignal};
use crate::output::File;
use crate::shell::{self, Keeper, Leave};
use crate::template::Holes;

/// Where the service folders go, below the output folder.
pub const FOLDER: &str = "sv";

/// Where the way down has begun, that file may be executed (runit(8)); Debian
/// has it in /run, where nothing can be, whatever its mode says.
const SPARE: &str =
    "[ -z \"$(find -L /etc/runit/stopit /run/runit.stopit -perm -100 2>/dev/null)\" ] || exit 0";

/// What waits for the guests on the way down, in the folder of the domains.
pub const LAST: &str = "last";

/// The files of each link.
#[must_use]
pub fn files(services: &[Service], folders: &[String]) -> Vec<File> {
    let mut files = vec![];
    for service in services {
        let folder = Path::new(FOLDER).join(service.name.as_str());
        let mut add = |name: &str, text: &str| {
            files.push(File::new(folder.join(name), text).executable());
        };
        add("run", &run(service, folders));
        add("finish", &finish(service));
        if service.process == Process::Once {
            add("check", include_str!("runit/check"));
        }
        if service.stop_signal == StopSignal::Usr1Only {
            add("control/t", include_str!("runit/control-t"));
        }
        if matches!(service.name, Name::Store | Name::Console | Name::Qemu) {
            let is_never = service.lasts == Lasts::Always;
            let holes = Holes::default().with("BY_HAND", if is_never { "0" } else { "1" });
            add("control/t", &holes.fill(include_str!("runit/control-last")));
        }
        if service.name == Name::Domains {
            add(LAST, include_str!("runit/last"));
        }
        let never_kill = service.stop_signal == StopSignal::Usr1Only
            || service.limits.stop_s == Some(Seconds::Unlimited)
            || service.lasts != Lasts::UntilStopped;
        if never_kill {
            add("control/k", include_str!("runit/control-k"));
        }
    }
    files
}

fn run(service: &Service, folders: &[String]) -> String {
    let stay = match service.process {
        Process::Once => Some("exec sleep 2147483647"),
        _ => None,
    };
    let needs = shell::links(&service.requires);
    let mut wants = shell::links(&service.wants);
    wants.retain(|name| !needs.contains(name));
    shell::holes(service, folders, Keeper::Supervisor, Leave::Program)
        .with("NEEDS", &needs[..])
        .with("WANTS", &wants[..])
        .with("STAY", stay)
        .fill(include_str!("runit/run"))
}

/// It starts nothing again, unless that is asked for: a new store would know
/// nothing of the guests.
fn finish(service: &Service) -> String {
    let down = match service.restart {
        Restart::Never => "sv down .",
        Restart::OnFailure { .. } => "[ \"${1:-}\" != 0 ] || sv down .",
    };
    let is_stopped = !service.stop.is_empty();
    let mut stop = if is_stopped {
        shell::stop(service, Leave::Program)
    } else {
        vec![]
    };
    if service.name == Name::Domains {
        // For those who wait for it on the way down.
        stop.insert(0, "echo $$ >/run/xen-domains.stopping".to_owned());
    }
    let spare = is_stopped && service.lasts != Lasts::UntilStopped;
    Holes::default()
        .with("DOWN", down)
        .with("SPARE", spare.then_some(SPARE))
        // What was up ends by a signal, and is stopped; what failed was not.
        .with(
            "ONLY_AFTER_A_SIGNAL",
            is_stopped.then_some("[ \"${1:-}\" = -1 ] || exit 0"),
        )
        .with("STOP", stop)
        .fill(include_str!("runit/finish"))
}
