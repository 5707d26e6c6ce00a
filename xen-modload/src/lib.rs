//! The kernel modules that a Dom0 needs are loaded.
//!
//! Names are found as modprobe finds them: in the aliases of modprobe.d, in
//! depmod's index of the kernel's modules, among the modaliases, among what is
//! built in. Each [`Plan`] is made without touching anything; then one process
//! loads all of them with finit_module(2), in order, what a module needs before
//! the module; with `--jobs` those that have nothing to do with each other at
//! once. What is there already is left alone, and so is all that would follow
//! from it: a run that finds everything loaded reads `/proc/modules` and
//! nothing else.
//!
//! Every name gets one [`Outcome`]. Only required names decide the exit status,
//! for the lists in use name modules that no kernel has had for years.
//!
//! It differs from modprobe on purpose in these: `blacklist` applies to every
//! name; without names `loop` gets `max_loop=64` where nobody says otherwise;
//! `module_blacklist=` counts as a blacklist, in either spelling and in quotes;
//! `pre:` and `post:` of a softdep may stand behind several blanks; what is no
//! text, or holds a zero byte, is passed over and named; so is, in silence,
//! an option on the kernel command line with quotes inside of quotes; a file of
//! modprobe.d that cannot be read costs the status, not the modules; a damaged
//! index gives the text's answer or none; an install line counts as done only
//! if the module is there, should it have a file, and a remove line if it is
//! not; a module's remove line is left alone where the module is not loaded; a
//! dry run believes the index and does not look for the files.

mod answers;
mod apply;
mod check;
mod cli;
mod compressed;
mod config;
mod error;
mod index;
mod json;
mod load;
mod names;
mod outcome;
pub mod parsers;
mod pattern;
mod plan;
mod report;
mod resolve;
mod root;
mod running;
mod together;
mod unload;

pub use check::{Need, REQUIREMENTS, Requirement, Verdict, judge};
pub use cli::Args;
pub use compressed::Compression;
pub use config::{Config, SoftDependency};
pub use error::{Error, Problem};
pub use index::{Index, ModuleFile};
pub use names::{DOM0_SET, LOOP_OPTIONS, REQUIRED, Successor, meant, successor, unrelated};
pub use outcome::{Failure, Outcome};
pub use pattern::{matches, underscored};
pub use plan::{Plan, Rules, Target};
pub use report::Answer;
pub use resolve::{Action, Resolver, Step, Wanted};
pub use root::Kernel;
pub use running::{Module, Running};
pub use unload::{Known, Unload};

use std::io::{self, Write};

/// Does what the arguments say. `out` gets the answer (a report, the commands
/// of a dry run), `err` what is not as the names suggest and, if that was asked
/// for, what was changed.
///
/// # Errors
/// Every [`Error`]; its `exit_status` is what the program returns.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    if args.check {
        return check::run(args, &Kernel::find(args)?, out);
    }
    let names = Names::from(args);
    if args.unload {
        return unload(args, &names, out, err);
    }
    if args.dry_run && !args.reports() {
        return dry_run(args, &names, out, err);
    }
    if !args.only_looks() && !root::under_xen(&args.root)? {
        return Err(Error::NotUnderXen);
    }
    let answered = answers::answer_all(args, &names, err)?;
    let answers = &answered.answers;
    if args.reports() {
        let written = if args.json {
            report::write_json(&Kernel::find(args)?.release, answers, out)
        } else {
            report::write_table(answers, out)
        };
        written.map_err(|source| Error::system("write to standard output", source))?;
    }
    match answered.stopped {
        // One line says it for all.
        Some(error) => Err(error),
        None => conclude(answers, answered.unread, !args.reports(), err),
    }
}

/// The names that count, each once.
struct Names {
    all: Vec<String>,
    required: Vec<String>,
    /// Nobody named any: it is the Dom0 set.
    default: bool,
}

impl From<&Args> for Names {
    fn from(args: &Args) -> Self {
        let default = args.modules.is_empty();
        let mut all = args.modules.clone();
        let mut required = args.require.clone();
        if default {
            all = DOM0_SET.map(str::to_owned).to_vec();
        }
        if required.is_empty() {
            // Only what is to be loaded: one who names others wants no more.
            required.extend(all.iter().filter(|name| names::is_required(name)).cloned());
        }
        // What is required is wanted; but nobody wants it gone.
        if !args.unload {
            all.extend(required.iter().cloned());
        }
        let all = plan::distinct(all);
        let required = if args.strict { &all } else { &required };
        Self {
            required: required.iter().map(|name| underscored(name)).collect(),
            all,
            default,
        }
    }
}

impl Names {
    fn answer(&self, name: &str, outcome: Outcome) -> Answer {
        Answer {
            name: name.to_owned(),
            required: self.requires(name),
            outcome,
        }
    }

    fn requires(&self, name: &str) -> bool {
        self.required.contains(&underscored(name))
    }
}

/// All that decides, read below the root.
struct Sources {
    config: Config,
    index: Index,
}

impl Sources {
    fn read(args: &Args, names: &Names) -> Result<Self, Error> {
        let kernel = Kernel::find(args)?;
        let mut config = Config::read(&args.root, &kernel.folder);
        if names.default && !config.options.iter().any(|(module, _)| module == "loop") {
            let option = ("loop".to_owned(), LOOP_OPTIONS.to_owned());
            config.options.push(option);
        }
        Ok(Self {
            config,
            index: Index::new(&args.root, &kernel),
        })
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            config: &self.config,
            index: &self.index,
        }
    }
}

fn rules(args: &Args) -> Rules {
    Rules {
        ignore_install: args.ignore_install,
        ignore_blacklist: args.ignore_blacklist,
    }
}

/// Prints the commands that would load each name, as if nothing were loaded.
fn dry_run(
    args: &Args,
    names: &Names,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    let sources = Sources::read(args, names)?;
    complain(&sources.config, err);
    let mut answers = vec![];
    for name in &names.all {
        let outcome = match Plan::make(sources.resolver(), name, rules(args)) {
            Ok(plan) => {
                write_lines(plan.commands().iter(), out)?;
                plan.foresee(&Running::nothing())
            }
            Err(error) => unclear(error)?,
        };
        answers.push(names.answer(name, outcome));
    }
    conclude(&answers, sources.config.unread, true, err)
}

/// An index that is damaged where one name is looked up may serve the next.
/// One that is not there serves none.
fn unclear(error: Error) -> Result<Outcome, Error> {
    match error {
        Error::NoModules { .. } => Err(error),
        error => Ok(Outcome::Failed(Failure::of(&error))),
    }
}

fn unload(
    args: &Args,
    names: &Names,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    let sources = Sources::read(args, names)?;
    complain(&sources.config, err);
    let (steps, untold) = unload::plan(sources.resolver(), &names.all, args.ignore_install);
    let (mut problems, mut status) = begin_with([sources.config.unread, untold].concat());
    // What another kernel has loaded nobody knows: all of it is shown.
    let runs = Kernel::find(args)?.runs;
    let mut running = if runs {
        Running::read(&args.root)?
    } else {
        Running::nothing()
    };
    let mut silence = io::sink();
    let done: &mut dyn Write = if args.verbose { err } else { &mut silence };
    for step in &steps {
        let result = match unload::foresee(step, &running) {
            // Nobody named those of the Dom0 set: they may lack in a kernel, or
            // be a part of it.
            Err(_) if names.default && running.module(&step.module).is_none() => continue,
            Err(problem) => Err(problem),
            Ok(false) if runs => continue,
            Ok(_) if args.dry_run => {
                write_lines([step.command()].iter(), out)?;
                continue;
            }
            Ok(_) => match unload::apply(step, &mut running, done) {
                Ok(result) => result,
                // The next would fare no better.
                Err(error) => {
                    status = worse(status, error.exit_status());
                    problems.push(error.to_string());
                    break;
                }
            },
        };
        if let Err((problem, its_status)) = result {
            problems.push(problem);
            status = worse(status, its_status);
        }
    }
    finish_unloading(problems, status)
}

fn finish_unloading(problems: Vec<String>, status: u8) -> Result<(), Error> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Busy { problems, status })
}

/// Says what is not as it should be, and fails where that was required.
fn conclude(
    answers: &[Answer],
    unread: Vec<Problem>,
    aloud: bool,
    err: &mut dyn Write,
) -> Result<(), Error> {
    let (mut problems, mut status) = begin_with(unread);
    for answer in answers {
        let fails = answer.required || answer.outcome.always_matters();
        let its_status = if fails {
            answer.outcome.exit_status()
        } else {
            0
        };
        match answer.problem() {
            Some(problem) if its_status != 0 => {
                problems.push(problem);
                status = worse(status, its_status);
            }
            Some(problem) if aloud => {
                let _ = writeln!(err, "xen-modload: {problem}");
            }
            _ => {}
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Required { problems, status })
}

/// All that could be done was done without the files that cannot be read; but
/// nobody knows what they say.
fn begin_with(unread: Vec<Problem>) -> (Vec<String>, u8) {
    let (problems, statuses): (_, Vec<u8>) = unread.into_iter().unzip();
    (problems, statuses.into_iter().fold(0, worse))
}

/// A lacking right explains the rest.
fn worse(status: u8, other: u8) -> u8 {
    if status == 4 || other == 4 {
        4
    } else {
        status.max(other)
    }
}

fn complain(config: &Config, err: &mut dyn Write) {
    for complaint in &config.complaints {
        let _ = writeln!(err, "xen-modload: {complaint}");
    }
}

fn write_lines<T: AsRef<str>>(
    mut lines: impl Iterator<Item = T>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    lines
        .try_for_each(|line| writeln!(out, "{}", line.as_ref()))
        .and_then(|()| out.flush())
        .map_err(|source| Error::system("write to standard output", source))
}
