//! The model, shown to scripts and people.

use std::io::Write;

use serde_json::{Value, json};

use crate::Error;
use crate::chain;
use crate::cli::{CommandOf, List};
use crate::folders::{self, STORE_FOLDER};
use crate::machine::Machine;
use crate::model::Name;
use crate::store;
use crate::words::Command;

/// Prints what `command` was asked for.
///
/// # Errors
/// Every [`Error`].
pub fn command(args: &CommandOf, out: &mut dyn Write) -> Result<(), Error> {
    let lines = match args.name.as_str() {
        "folders" | "environment" if args.stop || args.pid_file => {
            return Err(Error::Usage(format!(
                "{} goes with neither --stop nor --pid-file",
                args.name
            )));
        }
        "folders" => folders::commands(&folders::entries(&args.place.machine()?)),
        "environment" => environment(&args.place.machine()?),
        name => {
            let name = Name::parse(name)?;
            let machine = args.place.machine()?;
            if args.pid_file {
                vec![pid_file(name, &machine)?]
            } else {
                commands(name, args.stop, &machine)?
            }
        }
    };
    print(lines, out)
}

/// The command lines of a service, without what only a service manager needs:
/// the check before each daemon, and the starter of the store.
fn commands(name: Name, stop: bool, machine: &Machine) -> Result<Vec<String>, Error> {
    let service = chain::service(name, machine)?;
    if stop && service.stop.is_empty() {
        return Err(Error::NoSuchCommand {
            service: name.as_str(),
            what: "has no command that stops it",
        });
    }
    let lines = match name {
        _ if stop => service.stop,
        Name::Store => vec![store::store_daemon(machine)?],
        // Where nobody waits for it, it goes to the background in any version.
        Name::Watchdog => vec![without(&service.start[0], "-F")],
        _ => service.start,
    };
    let own: Vec<String> = service
        .environment
        .iter()
        .filter(|_| name == Name::Domains)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mut text = vec![];
    for line in lines {
        let mut words = line.resolve(&machine.settings)?;
        if !own.is_empty() {
            words.splice(0..0, ["env".to_owned()].into_iter().chain(own.clone()));
        }
        text.push(shell_words::join(words));
    }
    Ok(text)
}

fn without(command: &Command, word: &str) -> Command {
    let mut command = command.clone();
    let is_it = |other: &crate::words::Word| *other == crate::words::Word::Text(word.to_owned());
    command.words.retain(|other| !is_it(other));
    command
}

fn pid_file(name: Name, machine: &Machine) -> Result<String, Error> {
    match name {
        Name::Store | Name::Console | Name::Qemu => {
            Ok(shell_words::quote(chain::pid_file(name, machine)).into_owned())
        }
        _ => Err(Error::NoSuchCommand {
            service: name.as_str(),
            what: "has no pidfile",
        }),
    }
}

/// What a service manager would read from the settings' files.
fn environment(machine: &Machine) -> Vec<String> {
    let root = ("XENSTORED_ROOTDIR", STORE_FOLDER);
    // A store in a domain has no socket, by which others would look for it.
    let device = store::is_domain(machine).then_some(("XEN_STOREWAIT_DEVICE", "yes"));
    let mut lines = vec![];
    let own = [root].into_iter().chain(device);
    for (name, value) in own.chain(machine.settings.iter()) {
        lines.push(format!("export {name}={}", shell_words::quote(value)));
    }
    lines
}

/// Prints what `list` was asked for.
///
/// # Errors
/// Standard output cannot be written to.
pub fn list(args: &List, out: &mut dyn Write) -> Result<(), Error> {
    let lines = if args.json {
        let object = |name: &Name| {
            json!({
                "name": name.as_str(),
                "description": name.description(),
            })
        };
        vec![format!(
            "{:#}",
            Name::ALL.iter().map(object).collect::<Value>()
        )]
    } else {
        let line = |name: Name| format!("{:<16} {}", name.as_str(), name.description());
        Name::ALL.map(line).to_vec()
    };
    print(lines, out)
}

pub(crate) fn print(lines: Vec<String>, out: &mut dyn Write) -> Result<(), Error> {
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
