//! The chain as OpenRC's scripts, one for each link. None is under
//! supervise-daemon: a store that died must stay dead.

use std::path::Path;

use crate::model::{Lasts, Name, Peer, Service};
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

/// The runlevel it belongs to. The network is often in boot, and the bridge
/// comes before it.
#[must_use]
pub fn runlevel(name: Name) -> &'static str {
    match name {
        Name::Bridge => "boot",
        _ => "default",
    }
}

fn script(service: &Service, folders: &[String]) -> String {
    let reload = match shell::reload(service, Leave::Function) {
        lines if lines.is_empty() => vec![],
        lines => {
            let mut body = vec!["(".to_owned()];
            body.extend(lines);
            body.push(")".to_owned());
            shell::function("reload", body)
        }
    };
    let (extra, description) = if reload.is_empty() {
        (None, None)
    } else {
        (Some("reload"), Some("Start what was added since"))
    };
    // Not "need": whoever restarts one would stop the guests along with it. What
    // it cannot do without, each looks for itself.
    let mut wants = service.requires.clone();
    wants.extend(
        service
            .wants
            .iter()
            .filter(|peer| !service.requires.contains(peer)),
    );
    Holes::default()
        .with("DESCRIPTION", service.name.description())
        .with("EXTRA", extra)
        .with("EXTRA_DESCRIPTION", description)
        .with("WANT", names(&wants))
        .with("AFTER", names(&service.after))
        .with("BEFORE", names(&service.before))
        .with("FUNCTIONS", shell::functions(service, folders))
        .with("SPARE", spare(service.lasts))
        .with("RELOAD", reload)
        .fill(include_str!("openrc/script"))
}

/// The way down leaves it alone: what is still in use would hang without it.
fn spare(lasts: Lasts) -> Option<&'static str> {
    match lasts {
        Lasts::UntilStopped => None,
        Lasts::PastShutdown | Lasts::Always => Some("[ \"$RC_GOINGDOWN\" != YES ] || return 0"),
    }
}

fn names(peers: &[Peer]) -> Option<String> {
    let mut names: Vec<&str> = vec![];
    for peer in peers {
        names.extend(names_of(*peer));
    }
    Some(names.join(" ")).filter(|text| !text.is_empty())
}

/// The names of Gentoo's and Alpine's scripts, and of Debian's.
fn names_of(peer: Peer) -> Vec<&'static str> {
    match peer {
        Peer::Link(name) => vec![name.as_str()],
        Peer::SystemReady => vec!["localmount"],
        Peer::KernelReady => vec!["localmount", "modules", "sysctl", "udev"],
        Peer::NetworkClients => vec!["net", "networking", "NetworkManager", "connman", "dhcpcd"],
        Peer::NetworkOnline => vec!["net"],
        Peer::DhcpServers => vec!["dhcpd", "isc-dhcp-server", "kea-dhcp4", "dnsmasq"],
        Peer::RemoteDisks => vec!["netmount"],
        Peer::GuestStorage => vec![
            "drbd",
            "iscsid",
            "open-iscsi",
            "ovs-vswitchd",
            "openvswitch-switch",
        ],
        Peer::Libvirt => vec!["libvirtd", "libvirt-guests"],
        Peer::StoreSocket => vec![],
    }
}
