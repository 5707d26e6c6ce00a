//! `graph`: the order of the links, to be looked at.

use std::io::Write;

use crate::Error;
use crate::cli::{Format, Graph};
use crate::exec;
use crate::model::{Peer, Service};
use crate::select::{Chain, Choices};
use crate::show::print;

/// Prints what `graph` was asked for.
///
/// # Errors
/// Every [`Error`].
pub fn graph(args: &Graph, out: &mut dyn Write) -> Result<(), Error> {
    let machine = args.place.machine()?;
    let chain = Chain::of(
        &machine,
        Choices::chosen(args.domains, false, &machine.root)?,
    )?;
    let text = match args.format {
        Format::Dot => dot(&chain.services),
        Format::Mermaid => mermaid(&chain.services),
        Format::Svg => return exec::shell(DRAW, &[&dot(&chain.services)]),
    };
    print(vec![text.trim_end().to_owned()], out)
}

/// Each pair of which the second comes after the first, and whether it cannot
/// do without it.
fn edges(services: &[Service]) -> Vec<(String, String, bool)> {
    let mut edges = vec![];
    for service in services {
        let name = service.name.as_str();
        for peer in &service.after {
            let is_needed = service.requires.contains(peer);
            edges.push((label(*peer).to_owned(), name.to_owned(), is_needed));
        }
        for peer in &service.before {
            edges.push((name.to_owned(), label(*peer).to_owned(), false));
        }
    }
    edges
}

fn label(peer: Peer) -> &'static str {
    match peer {
        Peer::Link(name) => name.as_str(),
        Peer::SystemReady => "system",
        Peer::KernelReady => "kernel",
        Peer::NetworkClients => "network clients",
        Peer::NetworkOnline => "network",
        Peer::DhcpServers => "DHCP servers",
        Peer::RemoteDisks => "remote disks",
        Peer::GuestStorage => "storage of guests",
        Peer::Libvirt => "libvirt",
        Peer::StoreSocket => "sockets of the store",
    }
}

/// In Graphviz's language. Dashed is what one comes after, if it comes at all.
fn dot(services: &[Service]) -> String {
    let mut text = "digraph xen_dom0 {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (from, to, is_needed) in edges(services) {
        let style = if is_needed { "" } else { " [style=dashed]" };
        text += &["  \"", &from, "\" -> \"", &to, "\"", style, ";\n"].concat();
    }
    text + "}\n"
}

/// In mermaid's language.
fn mermaid(services: &[Service]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let node = |name: &str| [&name.replace([' ', '-'], "_"), "[\"", name, "\"]"].concat();
    for (from, to, is_needed) in edges(services) {
        let arrow = if is_needed { " --> " } else { " -.-> " };
        text += &["  ", &node(&from), arrow, &node(&to), "\n"].concat();
    }
    text
}

/// Graphviz draws it to the standard output that was ours.
const DRAW: &str = "command -v dot >/dev/null || \
    { echo 'xen-units: graph --format svg: Graphviz (dot) is not installed' >&2; exit 5; }
printf %s \"$1\" | dot -Tsvg";
