//! The command line.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser};

use crate::Error;

/// Loads the kernel modules that a Xen Dom0 needs.
///
/// Without names: $XEN_MODULES, else the Dom0 set. A name is a module, a
/// modalias such as xen-backend:vif, or one of the names of long ago (netbk).
/// Silent when all is well.
#[derive(Debug, Clone, Parser)]
#[command(name = "xen-modload", version, after_help = EXIT_STATUS)]
pub struct Args {
    /// Modules to load, in this order
    #[arg(value_name = "MODULE", env = "XEN_MODULES", hide_env_values = true)]
    pub modules: Vec<String>,

    /// A module without which the status is not 0 (may be repeated)
    ///
    /// In place of the default, which is those of xen-evtchn, xen-gntdev and
    /// xen-privcmd that are to be loaded, by whatever name. It is loaded too,
    /// along with the names or the Dom0 set.
    #[arg(
        long,
        value_name = "MODULE",
        env = "XEN_MODLOAD_REQUIRE",
        hide_env_values = true
    )]
    pub require: Vec<String>,

    /// Require every module
    #[arg(
        long,
        env = "XEN_MODLOAD_STRICT",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub strict: bool,

    /// Print what became of each name
    #[arg(long)]
    pub report: bool,

    /// Print it as JSON
    #[arg(long)]
    pub json: bool,

    /// Compare the kernel's configuration with what a Dom0 needs
    ///
    /// Alone, or with --json, --kernel or --root: it looks at no module.
    #[arg(long, conflicts_with_all = ["unload", "dry_run"])]
    pub check: bool,

    /// Unload instead, in reverse order
    #[arg(long, conflicts_with_all = ["report", "json"])]
    pub unload: bool,

    /// Load straight away, without install and remove lines of modprobe.d
    #[arg(
        long,
        env = "XEN_MODLOAD_IGNORE_INSTALL",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub ignore_install: bool,

    /// Load what modprobe.d blacklists, if it is named
    #[arg(
        long,
        env = "XEN_MODLOAD_IGNORE_BLACKLIST",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub ignore_blacklist: bool,

    /// Load so many modules at once that have nothing to do with each other
    ///
    /// Never beside a module with softdep or install lines, nor a watchdog's.
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        env = "XEN_MODLOAD_JOBS",
        hide_env_values = true
    )]
    pub jobs: NonZeroUsize,

    /// Print what `modprobe -b --show-depends` prints, change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Say what was changed
    #[arg(short, long)]
    pub verbose: bool,

    /// Another kernel's modules; only with --dry-run, --check or --report
    #[arg(long, value_name = "RELEASE")]
    pub kernel: Option<String>,

    /// Read files below DIR; only with --dry-run, --check or --report
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  every required module is loaded or built in
  1  the system refused
  2  used wrongly
  4  not permitted
  5  not under Xen, no such module in this kernel, no such device
  6  modprobe.d, the kernel command line or the index of modules is wrong,
     or a required module is blacklisted";

impl Args {
    /// The arguments of this process. Help and version are answered here.
    ///
    /// # Errors
    /// [`Error::Usage`], and [`Error::Setting`] for what a variable says wrongly.
    pub fn read() -> Result<Self, Error> {
        let matches = Self::program().try_get_matches().map_err(usage)?;
        let mut args = Self::from_arg_matches(&matches).map_err(usage)?;
        for (name, variable) in [
            ("modules", "XEN_MODULES"),
            ("require", "XEN_MODLOAD_REQUIRE"),
        ] {
            let from_environment = matches.value_source(name) == Some(ValueSource::EnvVariable);
            let names = match name {
                "modules" => &mut args.modules,
                _ => &mut args.require,
            };
            if from_environment {
                *names = split(variable, names)?;
            }
            if args.check {
                continue;
            }
            if let Some(what) = names.iter().find_map(|name| complaint(name)) {
                return Err(if from_environment {
                    Error::setting(variable, what)
                } else {
                    Error::Usage(what)
                });
            }
        }
        refuse_idle(&matches)?;
        args.check_together()?;
        Ok(args)
    }

    /// Prints outcomes, in either form.
    #[must_use]
    pub fn reports(&self) -> bool {
        self.report || self.json
    }

    /// Nothing is changed.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        self.dry_run || self.check || self.kernel.is_some() || self.root != Path::new("/")
    }

    fn check_together(&self) -> Result<(), Error> {
        let elsewhere = self.root != Path::new("/");
        let looks = self.dry_run || self.check || (self.reports() && !self.unload);
        let why = match (elsewhere, &self.kernel) {
            (true, _) if !looks => {
                "--root goes with --dry-run, --check or --report: modules are loaded where the kernel is"
            }
            (_, Some(_)) if !looks => {
                "--kernel goes with --dry-run, --check or --report: modules are loaded into the kernel that runs"
            }
            _ => "",
        };
        if !why.is_empty() {
            return Err(Error::Usage(why.to_owned()));
        }
        let release = self.kernel.as_deref().unwrap_or("x");
        if release.is_empty() || release.contains('/') || release.starts_with('.') {
            return Err(Error::Usage(format!(
                "--kernel: {release:?} is no kernel release"
            )));
        }
        Ok(())
    }

    /// The command, where an empty environment variable counts as not set.
    fn program() -> Command {
        Self::command().mut_args(|arg| {
            let value = arg.get_env().and_then(std::env::var_os);
            if value.is_some_and(|value| value.is_empty()) {
                arg.env(None::<&str>)
            } else {
                arg
            }
        })
    }
}

/// What would be accepted and do nothing. clap's own conflicts would count the
/// environment too, which is set for other runs.
fn refuse_idle(matches: &ArgMatches) -> Result<(), Error> {
    let for_loading = ["require", "strict", "jobs", "ignore_blacklist"];
    let for_modules = ["modules", "ignore_install"];
    let (mode, idle) = if matches.get_flag("check") {
        ("check", [&for_loading[..], &for_modules].concat())
    } else if matches.get_flag("unload") {
        ("unload", for_loading.to_vec())
    } else {
        return Ok(());
    };
    let is_given = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let Some(given) = idle.into_iter().find(is_given) else {
        return Ok(());
    };
    let other = match given {
        "modules" => "a module's name".to_owned(),
        flag => format!("--{}", flag.replace('_', "-")),
    };
    Err(Error::Usage(format!("--{mode} does not go with {other}")))
}

/// What is wrong with a name. modprobe takes a second word as a parameter; here
/// every word is a name.
fn complaint(name: &str) -> Option<String> {
    if name.contains('=') && !name.contains(':') {
        let why = "an option, not a module (options go into modprobe.d)";
        return Some(format!("{name} is {why}"));
    }
    let bad = name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control());
    bad.then(|| format!("{name:?} is no module name"))
}

fn split(variable: &'static str, values: &[String]) -> Result<Vec<String>, Error> {
    shell_words::split(&values.join(" "))
        .map_err(|source| Error::setting(variable, source.to_string()))
}

/// clap's complaint as one line, without its usage and hints. Help and version
/// come this way too: they are printed, and the program is done.
fn usage(error: clap::Error) -> Error {
    // clap does not say where it was, nor that a variable may be meant.
    if error.kind() == ErrorKind::InvalidUtf8 {
        if let Some(variable) = variable_of_no_text() {
            return Error::setting(variable, "not UTF-8");
        }
    }
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
    match variable_at_fault(&error) {
        Some(variable) => Error::setting(variable, complaint),
        None => Error::Usage(complaint),
    }
}

/// The environment variable that is no text, where all arguments are.
fn variable_of_no_text() -> Option<String> {
    if std::env::args_os().any(|word| word.to_str().is_none()) {
        return None;
    }
    let command = Args::command();
    let mut variables = command.get_arguments().filter_map(Arg::get_env);
    let is_no_text = |name: &&OsStr| std::env::var_os(name).is_some_and(|v| v.to_str().is_none());
    Some(variables.find(is_no_text)?.to_str()?.to_owned())
}

/// The environment variable that clap complains of, though it names its flag:
/// the one of a flag that is not on the command line.
fn variable_at_fault(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = named.split(' ').next()?;
    let is_given = std::env::args_os().skip(1).any(|word| {
        word.to_string_lossy()
            .strip_prefix(flag)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    if is_given {
        return None;
    }
    let command = Args::command();
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_long() == flag.strip_prefix("--"))?;
    Some(arg.get_env()?.to_str()?.to_owned())
}
