//! The bridge that Xen guests are plugged into exists, is a bridge, is set as
//! asked, and is up.
//!
//! Everything goes through one rtnetlink connection (`rtnetlink(7)`): one link
//! is asked for by its name, and each change is one acknowledged request. What
//! is there is read into [`Facts`], [`plan_up`] and [`plan_down`] decide
//! without touching anything, and [`Hands`] does one [`Step`] at a time.
//!
//! It must not cut a host off. Defaults (STP off, no forward delay) are for a
//! bridge that is made; on any other only what was named is changed. A port
//! with addresses or routes is refused, unless they are to move to the bridge.
//! If a step fails, those before it are taken back. What `up` makes or adds is
//! kept in `/run/xen-bridge/NAME`, with the bridge's number, and `down` takes
//! away that and nothing else. That a bridge is to be made is kept there
//! before it is.
//!
//! A change that moves what carries the host, or that is to be confirmed, is
//! watched over ([`Guard`]): how it is put right is on disk ([`Journal`]) and
//! a process of its own is ready to do it before the first step is taken.

mod address;
mod apply;
mod back;
mod bring_up;
mod bring_up_watched;
mod cidr;
mod cli;
mod confirm;
mod down;
mod error;
mod events;
mod exact;
mod facts;
mod files;
mod gateways;
mod guard;
mod held;
mod hops;
mod intent;
mod journal;
mod link;
mod lookups;
mod managers;
mod moving;
mod names;
mod neighbors;
mod netfilter;
mod netlink;
mod order;
mod ports;
mod read;
mod record;
mod remarks;
mod replace;
mod reply;
mod request;
mod route;
mod route_words;
mod routers;
mod set;
mod settings;
mod show;
mod signals;
mod step;
mod take_down;
mod up;
mod values;
mod watch;

pub use address::Address;
pub use apply::{Ending, Hands};
pub use back::Gone;
pub use cidr::Cidr;
pub use cli::{Action, Args, Down, Manner, Show, Target, Up};
pub use confirm::{confirm, restore};
pub use down::plan_down;
pub use error::Error;
pub use events::{Events, messages};
pub use facts::{Bridge, Depth, Facts, Interface, Lost, Port, Subject};
pub use files::Lock;
pub use gateways::Gateways;
pub use guard::Guard;
pub use held::Held;
pub use intent::Intent;
pub use journal::{Journal, Pending, pending};
pub use link::{BridgeState, Link};
pub use lookups::read_link;
pub use managers::{Manager, read_managers, remedy};
pub use names::{InterfaceName, LONGEST, is_guests};
pub use neighbors::Neighbor;
pub use netfilter::{Netfilter, read_netfilter};
pub use netlink::{Connection, Failure, Outcome, Payload, Reply};
pub use order::Order;
pub use record::{AddedPort, Found, Record, parse as parse_record};
pub use request::Request;
pub use route::Route;
pub use routers::Heeding;
pub use settings::{KINDS, Kind, Settings};
pub use show::Report;
pub use signals::Signals;
pub use step::{Change, Step};
pub use up::{Wanted, plan_up};
pub use values::{Centiseconds, Mac, Words};

use std::io::Write;
use std::path::Path;

/// Does what the arguments say. `out` gets the answer (the commands of a dry
/// run, or the report), `err` what was changed, if that was asked for.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let root = Path::new("/");
    match &args.action {
        Action::Up(args) => bring_up::up(args, out, err),
        Action::Down(args) => take_down::down(args, out, err),
        Action::Show(args) => show::show(args, out),
        Action::Confirm(target) => {
            let name = lookups::kernels_name(&mut Connection::open()?, target.name.as_str())?;
            confirm(root, &name)
        }
        Action::Restore(target) => {
            let mut connection = Connection::open()?;
            let name = lookups::kernels_name(&mut connection, target.name.as_str())?;
            restore(root, &name, &mut connection).map(drop)
        }
        Action::Watch(target) => watch::watch(root, target.name.as_str()),
    }
}
