//! What is wrong with the arguments, in one line.

use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue};

use crate::Error;
use crate::settings::bad_value;

/// clap's complaint as one line, without its usage and hints. Help and version
/// come this way too: they are printed, and the program is done.
pub fn usage(error: &clap::Error, program: &clap::Command) -> Error {
    if !error.use_stderr() {
        match error.print() {
            #[expect(clippy::exit, reason = "the answer was given")]
            Ok(()) => std::process::exit(0),
            Err(source) => return Error::system("write to standard output", source),
        }
    }
    let text = error.to_string();
    let mut complaint = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more") {
            break;
        }
        if !complaint.is_empty() && !line.is_empty() {
            complaint.push_str(if complaint.ends_with(':') { " " } else { "; " });
        }
        complaint.push_str(line.strip_prefix("error: ").unwrap_or(line));
    }
    let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else {
        return Error::Usage(complaint);
    };
    let flag = arg.split(' ').next().unwrap_or(arg);
    let mut args = program
        .get_subcommands()
        .flat_map(clap::Command::get_arguments);
    let is_it = |one: &&clap::Arg| one.get_long() == flag.strip_prefix("--");
    let variable = args.find(is_it).and_then(clap::Arg::get_env);
    let complaint = complaint.replace(&[" for '", arg, "'"].concat(), "");
    wrong(flag, variable.and_then(OsStr::to_str), complaint)
}

/// A wrong value: of the variable, where the flag was not given and it is set.
pub fn wrong(flag: &str, variable: Option<&str>, what: String) -> Error {
    let is_given = std::env::args_os().any(|word| {
        let word = word.to_string_lossy();
        word.strip_prefix(flag)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    match variable.filter(|name| !is_given && std::env::var_os(name).is_some()) {
        Some(name) => bad_value(name, &what),
        None => Error::Usage([flag, ": ", &what].concat()),
    }
}
