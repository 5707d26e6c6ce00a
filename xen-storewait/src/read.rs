//! The arguments of this process, and what is wrong with them in one line.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use nix::sys::socket::UnixAddr;

use crate::{Action, Args, Error};

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`]; [`Error::Variable`] where a variable is to blame.
    pub fn read() -> Result<Self, Error> {
        let matches = program(&[]).try_get_matches().map_err(usage)?;
        let mut args = Self::from_arg_matches(&matches).map_err(usage)?;
        args.actions = Action::in_order(&matches)?;
        args.check_socket(&matches)?;
        Ok(args)
    }

    /// Only here it is known whether a variable is to blame.
    fn check_socket(&self, matches: &ArgMatches) -> Result<(), Error> {
        let sockets = self.places().sockets;
        let Some(socket) = sockets
            .iter()
            .find(|socket| UnixAddr::new(*socket).is_err())
        else {
            return Ok(());
        };
        if self.device {
            return Ok(());
        }
        let what = format!("{}: too long for a socket", socket.display());
        let option = if self.socket.is_some() {
            "socket"
        } else {
            "rundir"
        };
        let is_from_environment = matches.value_source(option) == Some(ValueSource::EnvVariable);
        let command = Self::command();
        let arg = command.get_arguments().find(|arg| arg.get_id() == option);
        let variable = arg.and_then(|arg| arg.get_env()?.to_str());
        Err(match variable.filter(|_| is_from_environment) {
            Some(variable) => Error::Variable {
                variable: variable.to_owned(),
                what,
            },
            None => Error::Usage(what),
        })
    }
}

/// The command, where an empty environment variable counts as not set, and
/// those named here too.
fn program(ignored: &[&str]) -> Command {
    Args::command().mut_args(|arg| {
        let variable = arg.get_env();
        let value = variable.and_then(std::env::var_os);
        let is_empty = value.is_some_and(|value| value.is_empty());
        if is_empty || variable.is_some_and(|variable| ignored.iter().any(|one| *one == variable)) {
            arg.env(None::<&str>)
        } else {
            arg
        }
    })
}

/// clap's complaint in one line. Help and version come this way too: they are
/// printed, and the program is done.
fn usage(error: clap::Error) -> Error {
    if !error.use_stderr() {
        match error.print() {
            #[expect(clippy::exit, reason = "the answer was given")]
            Ok(()) => std::process::exit(0),
            Err(source) => return Error::system("write to standard output", source),
        }
    }
    if let (ErrorKind::InvalidUtf8, Some(error)) = (error.kind(), unreadable_variable()) {
        return error;
    }
    let complaint = one_line(&error);
    let Some(variable) = variable_of(&error) else {
        return Error::Usage(complaint);
    };
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    // What stands before is the name of the option.
    let why = complaint.rsplit_once("': ").map_or("", |(_, why)| why);
    let what = format!("'{value}': {why}");
    Error::Variable { variable, what }
}

/// The variable that is to blame: without it there is no such complaint.
fn variable_of(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut whole = program(&[]);
    whole.build();
    let mut arguments = whole.get_arguments();
    let named = arguments.find(|arg| arg.to_string() == *option)?;
    let variable = named.get_env()?.to_str()?;
    std::env::var_os(variable)?;
    let without = program(&[variable]).try_get_matches();
    let is_the_same = without.is_err_and(|other| other.to_string() == error.to_string());
    (!is_the_same).then(|| variable.to_owned())
}

/// The variable that is to blame for text that is not UTF-8, which clap does
/// not tell: without all such variables there is no such complaint.
fn unreadable_variable() -> Option<Error> {
    let whole = program(&[]);
    let variables = whole
        .get_arguments()
        .filter_map(|arg| arg.get_env()?.to_str());
    let unreadable: Vec<(&str, String)> = variables
        .filter_map(|variable| Some((variable, std::env::var_os(variable)?.into_string().err()?)))
        .map(|(variable, value)| (variable, value.to_string_lossy().into_owned()))
        .collect();
    let all: Vec<&str> = unreadable.iter().map(|(variable, _)| *variable).collect();
    let without = program(&all).try_get_matches();
    if without.is_err_and(|other| other.kind() == ErrorKind::InvalidUtf8) {
        return None;
    }
    // A path may be of any bytes.
    let (variable, value) = unreadable.into_iter().find(|(variable, _)| {
        let others: Vec<&str> = all.iter().copied().filter(|one| one != variable).collect();
        let alone = program(&others).try_get_matches();
        alone.is_err_and(|other| other.kind() == ErrorKind::InvalidUtf8)
    })?;
    Some(Error::Variable {
        variable: variable.to_owned(),
        what: format!("'{value}': not UTF-8"),
    })
}

/// Without clap's usage and hints.
fn one_line(error: &clap::Error) -> String {
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
    complaint
}
