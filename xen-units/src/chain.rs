//! What each link of the chain is, on one machine.

use std::path::Path;

use crate::folders::CONSOLE_LOGS;
use crate::machine::Machine;
use crate::model::{Lasts, Limits, Name, Peer, Process, Restart, Seconds, Service, StopSignal};
use crate::settings::bad_value;
use crate::store;
use crate::words::{Command, Word};
use crate::{Error, XenVersion};

/// What xen-domains' script and its hot-plug scripts find their tools in.
const SCRIPT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The link as it is on this machine.
///
/// # Errors
/// [`Error::NotInstalled`] where the Xen package's part is missing, and a
/// setting that cannot be followed.
pub fn service(name: Name, machine: &Machine) -> Result<Service, Error> {
    match name {
        Name::Modload => Ok(modload(machine)),
        Name::Mountfs => Ok(mountfs(machine)),
        Name::Store => store::store(machine),
        Name::StoreReady => store::ready(machine),
        Name::StoreWatch => Ok(store::watch(machine)),
        Name::Console => console(machine),
        Name::Qemu => qemu(machine),
        Name::Watchdog => watchdog(machine),
        Name::Bridge => bridge(machine),
        Name::Domains => domains(machine),
    }
}

fn modload(machine: &Machine) -> Service {
    let start = Command::new([machine.program("xen-modload")]);
    Service::once(Name::Modload, vec![start])
}

/// It is never stopped: whatever requires it would be stopped with it, the
/// store too.
fn mountfs(machine: &Machine) -> Service {
    let start = Command::new([machine.program("xen-mountfs")]);
    Service {
        after: vec![Peer::SystemReady, Peer::Link(Name::Modload)],
        wants: vec![Peer::SystemReady, Peer::Link(Name::Modload)],
        test: Some(check(machine)),
        lasts: Lasts::Always,
        ..Service::once(Name::Mountfs, vec![start])
    }
}

fn console(machine: &Machine) -> Result<Service, Error> {
    let daemon = machine.search().daemon("xenconsoled", "XENCONSOLED")?;
    let trace = machine.settings.get("XENCONSOLED_TRACE").unwrap_or("none");
    if !["none", "guest", "hv", "all"].contains(&trace) {
        let what = format!("{trace} is none of none, guest, hv, all");
        return Err(bad_value("XENCONSOLED_TRACE", &what));
    }
    let pid_file = pid_file(Name::Console, machine);
    let start = Command::new([&daemon.display().to_string(), "-i", "--pid-file", pid_file])
        .with(Word::Value {
            before: "--log=",
            name: "XENCONSOLED_TRACE",
            default: "none",
        })
        .with(Word::Value {
            before: "--log-dir=",
            name: "XENCONSOLED_LOG_DIR",
            default: CONSOLE_LOGS,
        })
        .list("XENCONSOLED_ARGS", "");
    Ok(Service {
        after: vec![
            Peer::SystemReady,
            Peer::Link(Name::Mountfs),
            Peer::Link(Name::StoreReady),
        ],
        wants: vec![Peer::SystemReady],
        requires: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::StoreReady)],
        before_start: vec![check(machine)],
        pid_file: Some(pid_file),
        program: "xenconsoled",
        lasts: Lasts::PastShutdown,
        ..Service::daemon(Name::Console, start)
    })
}

fn qemu(machine: &Machine) -> Result<Service, Error> {
    let qemu = machine.search().qemu()?.display().to_string();
    let pid_file = pid_file(Name::Qemu, machine);
    let start = Command::new([
        &qemu,
        "-xen-domid",
        "0",
        "-xen-attach",
        "-name",
        "dom0",
        "-nographic",
        "-M",
        "xenpv",
        "-nodefaults",
        "-no-user-config",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-parallel",
        "none",
        "-pidfile",
        pid_file,
    ]);
    Ok(Service {
        after: vec![
            Peer::Link(Name::Mountfs),
            Peer::Link(Name::StoreReady),
            Peer::Link(Name::Console),
        ],
        before: vec![Peer::Libvirt],
        requires: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::StoreReady)],
        before_start: vec![check(machine)],
        pid_file: Some(pid_file),
        program: "*qemu*",
        ..Service::daemon(Name::Qemu, start)
    })
}

/// Only USR1 disarms the timer. A killed daemon's stays armed, and the host
/// reboots when it runs out, restarted daemon or not.
fn watchdog(machine: &Machine) -> Result<Service, Error> {
    let daemon = machine.search().daemon("xenwatchdogd", "XENWATCHDOGD")?;
    let has_foreground = machine
        .version
        .is_some_and(|version| version >= XenVersion::WATCHDOG_FOREGROUND);
    let mut start = Command::new([daemon.display().to_string()]);
    if has_foreground {
        start = start.with(Word::Text("-F".to_owned()));
    }
    Ok(Service {
        after: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::StoreReady)],
        requires: vec![Peer::Link(Name::Mountfs)],
        before_start: vec![check(machine)],
        program: "xenwatchdogd",
        process: if has_foreground {
            Process::Foreground
        } else {
            Process::Forks
        },
        stop_signal: StopSignal::Usr1Only,
        restart: Restart::OnFailure { after_s: 1 },
        limits: Limits {
            oom_score_adj: Some(-1000),
            ..Limits::default()
        },
        ..Service::daemon(Name::Watchdog, start.list("XENWATCHDOGD_ARGS", "30 15"))
    })
}

/// It waits for nothing of Xen: the address of the host may be on it, and a
/// broken Dom0 is to be reached all the same.
fn bridge(machine: &Machine) -> Result<Service, Error> {
    let program = machine.program("xen-bridge");
    // Without a name the program takes the same default.
    let line = |verb: &str| Command::new([program.as_str(), verb]).list("XEN_BRIDGE", "");
    machine.bridge()?;
    Ok(Service {
        after: vec![Peer::KernelReady],
        before: vec![Peer::NetworkClients, Peer::DhcpServers],
        test: Some(line("show")),
        stop: vec![line("down")],
        lasts: Lasts::PastShutdown,
        ..Service::once(Name::Bridge, vec![line("up")])
    })
}

/// Its script takes 300 s a guest to stop them, and what it leaves behind are
/// the device models of guests that live on.
fn domains(machine: &Machine) -> Result<Service, Error> {
    let script = machine.search().xendomains()?;
    let wanted = [Name::Console, Name::Qemu, Name::Bridge].map(Peer::Link);
    Ok(Service {
        after: [
            Peer::Link(Name::Mountfs),
            Peer::Link(Name::StoreReady),
            Peer::Link(Name::Watchdog),
            Peer::NetworkOnline,
            Peer::RemoteDisks,
            Peer::GuestStorage,
        ]
        .into_iter()
        .chain(wanted)
        .collect(),
        before: vec![Peer::DhcpServers],
        wants: [Peer::NetworkOnline].into_iter().chain(wanted).collect(),
        requires: vec![Peer::Link(Name::Mountfs), Peer::Link(Name::StoreReady)],
        environment: vec![
            ("PATH", SCRIPT_PATH.to_owned()),
            // Debian's init functions hand a script over to systemctl, which
            // knows it as another unit, unless PID 1 itself has started it.
            ("SYSTEMCTL_SKIP_REDIRECT", "1".to_owned()),
        ],
        // Its tools would wait for a dead store for ever, or end it in silence.
        before_start: vec![store::wait(machine, &[])],
        // A start of what is up does nothing, and a restart stops every guest:
        // this starts those that were added since.
        reload: vec![script_line(machine, &script, "start")],
        // With no store to ask, the script's tools wait on the kernel's device
        // for ever, and the way down with them. What fails here ends the stop.
        stop: vec![
            store::wait(machine, &["--timeout", "10"]),
            script_line(machine, &script, "stop"),
        ],
        limits: Limits {
            start_s: Some(Seconds::Unlimited),
            stop_s: Some(Seconds::Unlimited),
            spares_children: true,
            ..Limits::default()
        },
        ..Service::once(Name::Domains, vec![script_line(machine, &script, "start")])
    })
}

/// Debian's init functions take `$0` for the name of a unit, and leave without
/// a word where that one is masked, as the distribution's own has to be; with
/// runit they hand it over to the service of that name. Read by its shell under
/// a name that nothing has, the script is none that they know.
fn script_line(machine: &Machine, script: &Path, verb: &str) -> Command {
    let path = script.display().to_string();
    match machine.search().init_shell(script) {
        Some(shell) => {
            let source = format!(". {}", shell_words::quote(&path));
            Command::new([shell, "-c", &source, "xen-domains-script", verb])
        }
        None => Command::new([&path, verb]),
    }
}

/// What stands before each daemon: xenfs is mounted, and says `control_d`.
pub(crate) fn check(machine: &Machine) -> Command {
    Command::new([&machine.program("xen-mountfs"), "--check"])
}

/// The pidfile that the installed scripts look at, so that they see a daemon
/// they have not started.
#[must_use]
pub fn pid_file(name: Name, machine: &Machine) -> &'static str {
    match (name, machine.has_debian_scripts()) {
        (Name::Console, true) => "/run/xenconsoled.pid",
        (Name::Console, false) => "/run/xen/xenconsoled.pid",
        (Name::Qemu, true) => "/run/qemu-dom0.pid",
        (Name::Qemu, false) => "/run/xen/qemu-dom0.pid",
        (_, true) => "/run/xenstore.pid",
        (_, false) => "/run/xen/xenstored.pid",
    }
}
