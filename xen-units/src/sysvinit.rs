//! The chain as init scripts with LSB headers, one for each link. insserv and
//! its like put them in order by what the headers say.

use std::path::Path;

use crate::model::{Lasts, Name, Peer, Process, Service};
use crate::output::File;
use crate::shell::{self, Leave};
use crate::template::Holes;

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
        .partition(|peer| !matches!(peer, Peer::Link(_) | Peer::KernelReady));
    let required: Vec<Peer> = service.requires.iter().copied().chain(required).collect();
    let reload = match shell::reload(service, Leave::Program) {
        lines if lines.is_empty() => vec![
            format!(
                "echo \"{}: has nothing to reload\" >&2",
                service.name.as_str()
            ),
            "exit 3".to_owned(),
        ],
        lines => lines,
    };
    Holes::default()
        .with("NAME", service.name.as_str())
        .with("DESCRIPTION", service.name.description())
        .with("REQUIRED", Some(facilities(&required)))
        .with("SHOULD", Some(facilities(&should)))
        .with("BEFORE", Some(facilities(&service.before)))
        .with("START_LEVELS", start_levels(service.name))
        .with("STOP_LEVELS", stop_levels(service))
        .with("FUNCTIONS", shell::functions(service, folders))
        .with("OMIT", omit(service))
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
        _ => "",
    }
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
        Peer::Libvirt => &["libvirtd", "libvirt-guests"],
    }
}
