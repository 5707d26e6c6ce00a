//! The arguments of this process, and what is wrong with them in one line.

use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::{Args, Error};

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`]; [`Error::Variable`] where a variable is to blame.
    pub fn read() -> Result<Self, Error> {
        let mut args = program(&[])
            .try_get_matches()
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(usage)?;
        if args.root.as_os_str() != "/" && !args.check && !args.dry_run {
            let why = "--root goes with --check or --dry-run: a mount is made where the kernel is";
            return Err(Error::Usage(why.to_owned()));
        }
        args.target = whole_path(&args.root, &args.target)?;
        Ok(args)
    }
}

/// The table of mounts has whole paths. What is not one begins at the current
/// folder, below another root at the root.
fn whole_path(root: &Path, target: &Path) -> Result<PathBuf, Error> {
    if root != Path::new("/") {
        return Ok(Path::new("/").join(target));
    }
    let doing = || format!("find {}", target.display());
    std::path::absolute(target).map_err(|source| Error::system(doing(), source))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_begins_at_the_current_folder_or_at_another_root() {
        let path = |root: &str| whole_path(Path::new(root), Path::new("xen")).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(path("/"), here.join("xen"));
        assert_eq!(path("/roots/dom0"), Path::new("/xen"));
    }
}
