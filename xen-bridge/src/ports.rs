//! Which interface can be a port, and what makes it one.

use crate::Error;
use crate::facts::{Bridge, Interface, Port};
use crate::record::AddedPort;
use crate::step::{Change, Step};
use crate::up::Wanted;

/// Adds what makes the interface a port that is up, and tells what to keep.
pub(crate) fn port_changes(
    port: &Port,
    existing: Option<&Bridge>,
    wanted: &Wanted,
    changes: &mut Vec<Change>,
) -> Result<Option<AddedPort>, Error> {
    let interface = Interface::from(&port.link);
    let is_port = existing.is_some_and(|bridge| port.link.master == Some(bridge.link.index));
    if !is_port {
        check_port(port, wanted)?;
        changes.push(Change::new(
            Step::AddPort(interface.clone()),
            Step::ReleasePort(interface.clone()),
        ));
    }
    if !port.link.up {
        changes.push(Change::new(
            Step::SetPortUp(interface.clone(), true),
            Step::SetPortUp(interface.clone(), false),
        ));
    }
    Ok((!is_port).then_some(AddedPort {
        name: interface.name,
        ifindex: interface.index,
        brought_up: !port.link.up,
    }))
}

fn check_port(port: &Port, wanted: &Wanted) -> Result<(), Error> {
    let unfit = |why: String| {
        Err(Error::UnfitPort {
            port: port.link.name.clone(),
            why,
        })
    };
    if port.link.loopback {
        return unfit("the loopback interface cannot be a port".to_owned());
    }
    if port.link.is_bridge() {
        return unfit("it is a bridge, and a bridge cannot be a port of another".to_owned());
    }
    if let Some(master) = &port.master {
        let kind = port.link.master_kind.as_deref().unwrap_or("interface");
        return unfit(format!("it belongs to {kind} {master} already"));
    }
    if port.wireless && !wanted.force {
        return unfit(
            "it is wireless, and a station sends only with its own address \
             (an access point may be a port: --force)"
                .to_owned(),
        );
    }
    let users = users_of(port);
    if !users.is_empty() && !wanted.force && !wanted.moves {
        return unfit(format!(
            "it has {}, which a port loses (--move-address moves them to the bridge)",
            users.join(", ")
        ));
    }
    Ok(())
}

/// The addresses, and the routes that do not just follow from them.
fn users_of(port: &Port) -> Vec<String> {
    let addresses = port.addresses.iter().map(|address| {
        let lifetime = address
            .valid_seconds
            .map(|seconds| format!(" (for {seconds} s)"));
        format!("{}{}", address.cidr, lifetime.unwrap_or_default())
    });
    let routes = port
        .routes
        .iter()
        .filter(|route| !route.by_kernel || port.addresses.is_empty())
        .map(|route| route.words());
    addresses.chain(routes).collect()
}
