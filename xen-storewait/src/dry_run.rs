//! The same as shell commands, of Xen's own tools: what a dry run prints.
//!
//! They are bytes, as paths and values are.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::escape::as_of_xenstore;
use crate::{Action, Args, Expected, seconds, seed};

/// What waits for the store, then what does the actions.
pub(crate) fn commands(args: &Args) -> Vec<Vec<u8>> {
    let shell = Shell {
        place: place(args),
        timeout: (!args.timeout.is_zero()).then(|| seconds::print(args.timeout)),
        raw: args.raw,
    };
    let exists = tool("xenstore-exists", &[b"/"]);
    let mut commands = vec![match &shell.timeout {
        Some(timeout) => shell.repeat(timeout, b"until", &exists),
        // No loop: a single try, of a second at most.
        None => [&shell.place, &b"timeout 1 "[..], &exists].concat(),
    }];
    commands.extend(
        args.actions
            .iter()
            .flat_map(|action| shell.commands(action)),
    );
    commands
}

/// What stands around the commands.
struct Shell {
    /// Said before each that asks the store, where it is not in its usual place.
    place: Vec<u8>,
    /// `None` for a single look.
    timeout: Option<String>,
    raw: bool,
}

impl Shell {
    fn commands(&self, action: &Action) -> Vec<Vec<u8>> {
        let place = &self.place[..];
        let command = match action {
            Action::SeedDom0 => {
                let unless_there = |(path, value): (&str, &str)| {
                    let exists = tool("xenstore-exists", &[path.as_bytes()]);
                    let write = tool("xenstore-write", &[path.as_bytes(), value.as_bytes()]);
                    [place, &exists, b" || ", place, &write].concat()
                };
                return seed::KEYS.into_iter().map(unless_there).collect();
            }
            Action::Write { path, value } => {
                let value = as_of_xenstore(value);
                tool("xenstore-write", &[path, value.as_bytes()])
            }
            Action::Read { path } if self.raw => tool("xenstore-read -R", &[path]),
            Action::Read { path } => tool("xenstore-read", &[path]),
            Action::Wait { path, expected } => return vec![self.wait(path, expected)],
        };
        vec![[place, &command].concat()]
    }

    fn wait(&self, path: &[u8], expected: &Expected) -> Vec<u8> {
        // In a loop its shell has it from the outer one.
        let place = match self.timeout {
            Some(_) => &b""[..],
            None => &self.place,
        };
        let exists = [place, &tool("xenstore-exists", &[path])].concat();
        let condition = match expected {
            Expected::There | Expected::Gone => exists,
            Expected::Value(value) => {
                let read = tool("xenstore-read", &[path]);
                let value = quote(as_of_xenstore(value).as_bytes());
                let test = [b"test \"$(", place, &read, b")\" = ", &value].concat();
                // What is not there reads as nothing, too.
                let is_empty = value == b"''";
                if is_empty {
                    [&exists, &b" && "[..], &test].concat()
                } else {
                    test
                }
            }
        };
        let is_gone = *expected == Expected::Gone;
        match &self.timeout {
            Some(timeout) if is_gone => self.repeat(timeout, b"while", &condition),
            Some(timeout) => self.repeat(timeout, b"until", &condition),
            None if is_gone => [&b"! "[..], &condition].concat(),
            None => condition,
        }
    }

    fn repeat(&self, timeout: &str, word: &[u8], condition: &[u8]) -> Vec<u8> {
        let script = [word, b" ", condition, b"; do sleep 1; done"].concat();
        let command = [b"timeout ", timeout.as_bytes(), b" sh -c ", &quote(&script)].concat();
        [&self.place[..], &command].concat()
    }
}

/// What the shell must say before a command where the store is not in its
/// usual place; empty where it is. The library of Xen's tools takes a device
/// by the same name (`xs_open`, `tools/libs/store/xs.c`).
fn place(args: &Args) -> Vec<u8> {
    let places = args.places();
    let named = if args.device {
        let mut devices = places.devices.iter();
        devices
            .find(|device| device.exists())
            .or(places.devices.first())
    } else if args.socket.is_some() || args.rundir.is_some() {
        places.sockets.first()
    } else {
        None
    };
    let say = |path: &Path| {
        [
            b"XENSTORED_PATH=",
            &quote(path.as_os_str().as_bytes())[..],
            b" ",
        ]
        .concat()
    };
    named.map(|path| say(path)).unwrap_or_default()
}

/// One of Xen's tools with its arguments, of which none is taken for an option.
fn tool(name: &str, arguments: &[&[u8]]) -> Vec<u8> {
    let mut command = name.as_bytes().to_vec();
    if arguments.iter().any(|argument| argument.starts_with(b"-")) {
        command.extend(b" --");
    }
    for argument in arguments {
        command.push(b' ');
        command.extend(quote(argument));
    }
    command
}

/// Words as one command, each quoted.
pub(crate) fn join<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let quoted: Vec<Vec<u8>> = words.into_iter().map(quote).collect();
    quoted.join(&b' ')
}

/// A word as the shell reads it, every byte kept.
fn quote(word: &[u8]) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(word) {
        return shell_words::quote(text).into_owned().into_bytes();
    }
    let mut quoted = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}
