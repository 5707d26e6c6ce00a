//! The arguments of this process, and what is wrong with them in one line.

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::Error;
use crate::cidr::Cidr;
use crate::cli::Args;
use crate::names::InterfaceName;
use crate::values::Words;

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`]; [`Error::Setting`] where a variable is to blame.
    pub fn read() -> Result<Self, Error> {
        let matches = matches(&is_empty).map_err(usage)?;
        if let Some(("up", matches)) = matches.subcommand() {
            one_each::<InterfaceName>(matches, "port_words", "--port", "interface")?;
            one_each::<Cidr>(matches, "address_words", "--address", "address")?;
        }
        Self::from_arg_matches(&matches).map_err(usage)
    }
}

/// An empty environment variable counts as not set.
fn is_empty(arg: &Arg) -> bool {
    let value = arg.get_env().and_then(std::env::var_os);
    value.is_some_and(|value| value.is_empty())
}

/// What was said, where the variables of some options do not count.
fn matches(ignored: &dyn Fn(&Arg) -> bool) -> Result<ArgMatches, clap::Error> {
    let mut program = Args::command();
    // Before what is to be done stands no option, but for help and version.
    let named = std::env::args_os().nth(1).unwrap_or_default();
    if let Some(action) = program.find_subcommand_mut(named) {
        // Its options are there only once it is built.
        action.build();
        *action = std::mem::take(action).mut_args(|arg| {
            if ignored(&arg) {
                arg.env(None::<&str>)
            } else {
                arg
            }
        });
    }
    program.try_get_matches()
}

/// Only a variable holds several words, or none: an option is given again.
fn one_each<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    id: &str,
    option: &str,
    what: &str,
) -> Result<(), Error> {
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return Ok(());
    }
    let mut lists = matches.get_many::<Words<T>>(id).into_iter().flatten();
    if lists.any(|list| list.0.len() != 1) {
        return Err(Error::Usage(format!("{option}: one {what} expected")));
    }
    Ok(())
}

/// clap's complaint as one line, without its usage and hints. Help and version
/// come this way too: they are printed, and the program is done.
#[inline(never)]
fn usage(error: clap::Error) -> Error {
    if !error.use_stderr() {
        match error.print() {
            #[expect(clippy::exit, reason = "the answer was given")]
            Ok(()) => std::process::exit(0),
            Err(source) => return Error::system("write to standard output", source),
        }
    }
    let text = one_line(&error);
    match variable_of(&error) {
        Some(variable) => {
            // What stands before the first colon is the option's name.
            let what = text
                .rsplit_once("': ")
                .map_or(text.as_str(), |(_, why)| why);
            let value = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(value)) => value.as_str(),
                _ => "",
            };
            let what = format!("'{value}': {what}");
            Error::Setting { variable, what }
        }
        None => Error::Usage(text),
    }
}

/// The variable that is to blame: without it there is no such complaint.
fn variable_of(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut named = None;
    let mut whole = Args::command();
    whole.build();
    for action in whole.get_subcommands() {
        let mut arguments = action.get_arguments();
        named = named.or(arguments.find(|arg| arg.to_string() == *option).cloned());
    }
    let variable = named?.get_env()?.to_str()?.to_owned();
    let is_it = |arg: &Arg| arg.get_env().is_some_and(|it| it == variable.as_str());
    std::env::var_os(&variable).filter(|value| !value.is_empty())?;
    let without = matches(&|arg| is_empty(arg) || is_it(arg));
    let same = without.is_err_and(|other| other.to_string() == error.to_string());
    (!same).then_some(variable)
}

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
    // clap lists also what it was told to hide.
    let program = Args::command();
    let hidden = program.get_subcommands().filter(|it| it.is_hide_set());
    hidden.fold(complaint, |text, it| {
        text.replace(&format!(", {}]", it.get_name()), "]")
    })
}
