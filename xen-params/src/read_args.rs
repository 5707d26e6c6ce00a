//! The arguments of this process, and its variables, as clap reads them; what is
//! wrong with them in one line, blamed on what it comes from.

use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use crate::{Args, Error};

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn read() -> Result<Self, Error> {
        let mut program = Self::program(std::env::args_os().nth(1).as_deref());
        let matches = program
            .try_get_matches_from_mut(std::env::args_os())
            .map_err(|error| usage(error, &program))?;
        let mut args = Self::from_arg_matches(&matches).map_err(|error| usage(error, &program))?;
        args.variables = variables(&program, &matches);
        if let Some((name, matches)) = matches.subcommand() {
            let program = program.find_subcommand(name).unwrap_or(&program);
            args.variables.extend(variables(program, matches));
        }
        Ok(args)
    }

    /// The command, where an empty environment variable counts as not set. A
    /// subcommand stands first or nowhere; with one, the variables of the form
    /// without are not even read, so that none of them can be wrong.
    fn program(first: Option<&OsStr>) -> Command {
        let program = Self::command();
        let has_subcommand = first
            .and_then(OsStr::to_str)
            .is_some_and(|first| program.find_subcommand(first).is_some());
        program
            .mut_args(|arg| {
                if has_subcommand {
                    arg.env(None::<&str>)
                } else {
                    without_empty_variable(arg)
                }
            })
            .mut_subcommands(|subcommand| subcommand.mut_args(without_empty_variable))
    }

    /// The word is the name of a subcommand.
    pub(crate) fn is_subcommand(word: &str) -> bool {
        Self::command().find_subcommand(word).is_some()
    }
}

/// The flags that variables gave, with these.
fn variables(program: &Command, matches: &ArgMatches) -> Vec<(String, String)> {
    let args = program.get_arguments().filter(|arg| {
        let source = matches.try_contains_id(arg.get_id().as_str());
        source.is_ok()
            && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::EnvVariable)
    });
    args.filter_map(flag_and_variable).collect()
}

fn flag_and_variable(arg: &Arg) -> Option<(String, String)> {
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    Some((format!("--{}", arg.get_long()?), variable))
}

/// The variable that clap complains of, though it names only its flag.
fn variable_at_fault(error: &clap::Error, program: &Command) -> Option<String> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = named.split(' ').next()?;
    let is_given = std::env::args_os().skip(1).any(|word| {
        word.to_str().is_some_and(|word| {
            word.strip_prefix(flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    });
    if is_given {
        return None;
    }
    let all = program.get_subcommands().chain([program]);
    let mut args = all.flat_map(Command::get_arguments);
    args.find_map(|arg| flag_and_variable(arg).filter(|(name, _)| name == flag))
        .map(|(_, variable)| variable)
}

fn without_empty_variable(arg: Arg) -> Arg {
    let value = arg.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) {
        arg.env(None::<&str>)
    } else {
        arg
    }
}

/// clap's complaint as one line, without its usage and hints. Help and version
/// come this way too: they are printed, and the program is done.
fn usage(error: clap::Error, program: &Command) -> Error {
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
    match variable_at_fault(&error, program) {
        Some(variable) => Error::Configured(format!("{variable}: {complaint}")),
        None => Error::Usage(complaint),
    }
}
