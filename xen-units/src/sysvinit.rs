//! The chain as init scripts with LSB headers, one for each link. insserv and
//! its like put them in order by what the headers say.

use std::path::Path;

use crate::model::{Lasts, Name, Peer, Process, Service};
use crate::output::File;
use crate::shell::{self, Leave};
use crate::template::{Holes, lines};

/// Where the scripts go, below the output folder.
pub const FOLDER: &str = "init.d";

/// The script of each link.
#[must_use]
pub fn files(services: &[Service], folders: &[String]) -> Vec<File> {
    let file = |service: &Service| {
        let path = Path::new(FOLDER).join(service.name.as_str());
        File::new(path, script(service, folders)).executable()
    };
    services.iter().map(file).collect()
}

fn script(service: &Service, folders: &[String]) -> String {
    let mut should: Vec<Peer> = service.after.clone();
    should.extend(&service.wants);
    should.retain(|peer| !service.requires.contains(peer));
    let (required, should): (Vec<Peer>, Vec<Peer>) = should
        .into_iter()
        .partition(|peer| !matches!(peer, Peer::Link(_) | Peer::KernelReady | Peer::GuestStorage));
    let required: Vec<Peer> = service.requires.iter().copied().chain(required).collect();
    let reload = match shell::reload(service, Leave::Program) {
        reload if reload.is_empty() => vec![
            format!(
                "echo \"{}: has nothing to reload\" >&2",
                service.name.as_str()
            ),
            "exit 3".to_owned(),
        ],
        reload => reload,
    };
    // LSB: force-reload is a reload where there is one, else a restart.
    let (restart, again) = match service.reload[..] {
        [] => ("restart | force-reload", "reload"),
        _ => ("restart", "reload | force-reload"),
    };
    Holes::default()
        .with("NAME", service.name.as_str())
        .with("DESCRIPTION", service.name.description())
        .with("REQUIRED", Some(facilities(&required)))
        .with("SHOULD", Some(facilities(&should)))
        .with("SHOULD_STOP", Some(should_stop(service, &should)))
        .with("BEFORE", Some(facilities(&service.before)))
        .with("STOP_AFTER", Some(stop_after(service)))
        .with("START_LEVELS", start_levels(service.name))
        .with("STOP_LEVELS", stop_levels(service))
        .with("FUNCTIONS", shell::functions(service, folders))
        .with("OMIT", omit(service))
        .with(
            "LAST",
            if goes_last(service) && service.lasts == Lasts::Always {
                lines(include_str!("sysvinit/last"))
            } else {
                vec![]
            },
        )
        .with("RESTART", restart)
        .with("AGAIN", again)
        .with("RELOAD", reload)
        .fill(include_str!("sysvinit/script"))
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The bridge comes before the network, which is up before the runlevel is.
fn start_levels(name: Name) -> &'static str {
    match name {
        Name::Bridge => "S",
        _ => "2 3 4 5",
    }
}

fn stop_levels(service: &Service) -> &'static str {
    match service.lasts {
        Lasts::UntilStopped if service.name != Name::Modload => "0 1 6",
        _ if goes_last(service) => "0 6",
        _ => "",
    }
}

/// A daemon that the way down leaves alone until nothing uses it any more. To
/// the very end it cannot stay: with its logs open the root file system would
/// not be left clean.
fn goes_last(service: &Service) -> bool {
    service.lasts != Lasts::UntilStopped && service.process != Process::Once
}

/// The distribution's own script, where it was replaced, is not started but
/// stopped all the same: by then ours has stopped the domains, not beside it.
fn should_stop(service: &Service, should: &[Peer]) -> String {
    let mut names = facilities(should);
    if service.name == Name::Domains {
        names += " xendomains";
    }
    names.trim().to_owned()
}

/// After the processes of guests and network are gone, and, as `$local_fs`
/// says, before the file systems are.
fn stop_after(service: &Service) -> String {
    let mut names = facilities(&service.before);
    if goes_last(service) {
        names += " sendsigs networking";
    }
    names.trim().to_owned()
}

/// On the way down everything that is left gets TERM and then KILL, but what
/// Debian's sendsigs is told of.
fn omit(service: &Service) -> Option<String> {
    let name = service.name.as_str();
    match (service.lasts, service.process, service.pid_file) {
        (Lasts::UntilStopped, _, _) | (_, Process::Once, _) | (_, _, None) => None,
        (_, _, Some(file)) => Some(format!(
            "[ ! -d /run/sendsigs.omit.d ] || ln -sf {file} /run/sendsigs.omit.d/{name}"
        )),
    }
}

fn facilities(peers: &[Peer]) -> String {
    let mut names: Vec<&str> = vec![];
    for peer in peers {
        for name in facilities_of(*peer) {
            if !names.contains(name) {
                names.push(name);
            }
        }
    }
    names.join(" ")
}

/// The facilities of LSB, and the names of Debian's scripts.
fn facilities_of(peer: Peer) -> &'static [&'static str] {
    match peer {
        Peer::Link(Name::Modload) => &["xen-modload"],
        Peer::Link(Name::Mountfs) => &["xen-mountfs"],
        Peer::Link(Name::Store) => &["xen-store"],
        Peer::Link(Name::StoreReady) => &["xen-store-ready"],
        Peer::Link(Name::StoreWatch) => &["xen-store-watch"],
        Peer::Link(Name::Console) => &["xen-console"],
        Peer::Link(Name::Qemu) => &["xen-qemu"],
        Peer::Link(Name::Watchdog) => &["xen-watchdog"],
        Peer::Link(Name::Bridge) => &["xen-bridge"],
        Peer::Link(Name::Domains) => &["xen-domains"],
        Peer::SystemReady => &["$local_fs"],
        Peer::KernelReady => &["mountdevsubfs", "kmod", "procps", "udev"],
        Peer::NetworkClients => &["networking", "network-manager", "connman", "dhcpcd"],
        Peer::NetworkOnline => &["$network"],
        Peer::DhcpServers => &["isc-dhcp-server", "kea-dhcp4-server", "dnsmasq"],
        Peer::RemoteDisks => &["$remote_fs"],
        Peer::GuestStorage => &["drbd", "iscsi", "open-iscsi", "openvswitch-switch"],
        Peer::Libvirt => &["libvirtd", "libvirt-guests"],
        Peer::StoreSocket => &[],
    }
}
