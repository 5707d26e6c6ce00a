//! The store's links: a daemon or a domain of its own, its readiness, and who
//! watches over it.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::chain::{check, pid_file};
use crate::folders::{LOG_FOLDER, STORE_FOLDER};
use crate::machine::Machine;
use crate::model::{Lasts, Limits, Name, Peer, Process, Seconds, Service};
use crate::settings::bad_value;
use crate::tools::StoreKind;
use crate::words::{Command, Word};

/// How long what itself waits for ever may take: xen-init-dom0 for a store that
/// is silent, init-xenstore-domain for one that does not come up.
const PATIENCE: Limits = Limits {
    start_s: Some(Seconds::Count(90)),
    stop_s: None,
    oom_score_adj: None,
    spares_children: false,
};

/// Whether the store lives in a domain of its own, and not in a daemon.
#[must_use]
pub fn is_domain(machine: &Machine) -> bool {
    machine.settings.get("XENSTORETYPE") == Some("domain")
}

/// What asks the store. One in a domain has no socket: only the kernel's device
/// leads to it.
#[must_use]
pub fn wait(machine: &Machine, arguments: &[&str]) -> Command {
    let program = machine.program("xen-storewait");
    let device = is_domain(machine).then_some("--device");
    let words = [program.as_str()].into_iter().chain(device);
    Command::new(words.chain(arguments.iter().copied()))
}

/// The daemon's line without the program that starts it only where no store
/// lives (hazard: a second daemon takes the first one's socket away).
///
/// # Errors
/// As [`crate::chain::service`].
pub fn store_daemon(machine: &Machine) -> Result<Command, Error> {
    match machine.settings.get("XENSTORETYPE").unwrap_or("daemon") {
        "daemon" => {}
        "domain" => return domain_builder(machine),
        other => {
            let what = format!("{other} is neither daemon nor domain");
            return Err(bad_value("XENSTORETYPE", &what));
        }
    }
    let (daemon, kind) = machine.search().store()?;
    let pid_file = pid_file(Name::Store, machine);
    let mut line = Command::new([
        &daemon.display().to_string(),
        "--no-fork",
        "--pid-file",
        pid_file,
    ]);
    // oxenstored keeps its access log without being asked, and takes -T only
    // to ignore it (tools/ocaml/xenstored/parse_arg.ml).
    if kind == StoreKind::C && machine.settings.is_on("XENSTORED_TRACE")? {
        line = line
            .with(Word::Text("-T".to_owned()))
            .with(Word::Text(format!("{LOG_FOLDER}/xenstored-trace.log")));
    }
    Ok(line.list("XENSTORED_ARGS", ""))
}

/// A store in a domain of its own. The command ends when that domain runs.
fn domain_builder(machine: &Machine) -> Result<Command, Error> {
    let search = machine.search();
    let init = search.daemon("init-xenstore-domain", "XENSTORE_DOMAIN_INIT")?;
    let kernel = init
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("/usr/lib/xen"))
        .join("boot/xenstore-stubdom.gz");
    let settings = &machine.settings;
    let kernel = settings
        .get("XENSTORE_DOMAIN_KERNEL")
        .map_or(kernel, PathBuf::from);
    let size = settings.get("XENSTORE_DOMAIN_SIZE").unwrap_or("8");
    let mut line = Command::new([
        &init.display().to_string(),
        "--kernel",
        &kernel.display().to_string(),
        "--memory",
        size,
    ]);
    if let Some(most) = settings.get("XENSTORE_MAX_DOMAIN_SIZE") {
        line = line
            .with(Word::Text("--maxmem".to_owned()))
            .with(Word::Text(most.to_owned()));
    }
    Ok(line.list("XENSTORE_DOMAIN_ARGS", ""))
}

/// The link that starts it. A domain is true once its builder has ended: no
/// process is left to be looked at, only the store itself.
///
/// # Errors
/// As [`crate::chain::service`].
pub fn store(machine: &Machine) -> Result<Service, Error> {
    let mut start = Command::new([&machine.program("xen-storewait"), "--launch", "--"]);
    start.words.extend(store_daemon(machine)?.words);
    let service = if is_domain(machine) {
        Service {
            test: Some(wait(machine, &["--timeout", "2"])),
            limits: PATIENCE,
            ..Service::once(Name::Store, vec![start])
        }
    } else {
        Service {
            // An empty one would have it write to the root folder.
            defaults: vec![("XENSTORED_ROOTDIR", STORE_FOLDER)],
            pid_file: Some(pid_file(Name::Store, machine)),
            program: "*xenstored",
            ..Service::daemon(Name::Store, start)
        }
    };
    Ok(Service {
        after: vec![Peer::SystemReady, Peer::Link(Name::Mountfs)],
        wants: vec![Peer::SystemReady],
        requires: vec![Peer::Link(Name::Mountfs)],
        before_start: vec![check(machine)],
        lasts: Lasts::Always,
        ..service
    })
}

/// `xen-init-dom0` goes before the seed: it does nothing once both keys are
/// there, and it alone sets the UUID, the stub configuration and pool names.
///
/// # Errors
/// As [`crate::chain::service`].
pub fn ready(machine: &Machine) -> Result<Service, Error> {
    let mut start = vec![wait(machine, &[])];
    match machine.search().daemon("xen-init-dom0", "XEN_INIT_DOM0") {
        Ok(init) => {
            let line = Command::new([init.display().to_string()]);
            start.push(line.list("XEN_DOM0_UUID", ""));
        }
        Err(error) if machine.settings.get("XEN_INIT_DOM0").is_some() => return Err(error),
        Err(_) => {}
    }
    start.push(wait(machine, &["--seed-dom0"]));
    Ok(Service {
        after: vec![
            Peer::SystemReady,
            Peer::Link(Name::Mountfs),
            Peer::Link(Name::Store),
        ],
        before: vec![Peer::Libvirt],
        wants: vec![Peer::SystemReady],
        requires: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::Store)],
        test: Some(wait(machine, &["--timeout", "2"])),
        lasts: Lasts::Always,
        limits: PATIENCE,
        ..Service::once(Name::StoreReady, start)
    })
}

/// The link that notices a store that has died or fallen silent.
#[must_use]
pub fn watch(machine: &Machine) -> Service {
    let start = wait(machine, &["--hold", "--timeout", "30"]);
    Service {
        after: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::StoreReady)],
        requires: vec![Peer::Link(Name::Mountfs)],
        pid_file: Some("/run/xen/xen-store-watch.pid"),
        program: "xen-storewait",
        process: Process::Notifies { watchdog_s: 90 },
        ..Service::daemon(Name::StoreWatch, start)
    }
}
