//! Every name gets its answer: loads, or only looks what loading would come to.

use std::io::{self, Write};

use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::report::Answer;
use crate::running::Running;
use crate::{
    Args, Error, Kernel, Names, Problem, Sources, apply, complain, rules, together, unclear,
};

/// The answers in the names' order, and what could not be read on the way.
///
/// # Errors
/// What decides cannot be read; nothing can be loaded by this process.
pub(crate) fn answer_all(
    args: &Args,
    names: &Names,
    err: &mut dyn Write,
) -> Result<(Vec<Answer>, Vec<Problem>), Error> {
    let runs = args.kernel.is_none() || Kernel::find(args)?.runs;
    let mut work = Work {
        jobs: args.jobs.get(),
        verbose: args.verbose,
        running: if runs {
            Running::read(&args.root)?
        } else {
            Running::nothing()
        },
        waiting: vec![],
        places: vec![],
        outcomes: vec![None; names.all.len()],
    };
    let mut sources = None;
    let mut said_no_modules = false;
    for (place, name) in names.all.iter().enumerate() {
        // A name that is in the kernel needs no index.
        if work.running.has(name) {
            work.outcomes[place] = Some(Outcome::AlreadyLoaded);
            continue;
        }
        if work.running.has_built_in(name) {
            work.outcomes[place] = Some(Outcome::BuiltIn);
            continue;
        }
        let sources = match &sources {
            Some(sources) => sources,
            None => {
                let read = Sources::read(args, names)?;
                complain(&read.config, err);
                sources.insert(read)
            }
        };
        match Plan::make(sources.resolver(), name, rules(args)) {
            Ok(plan) if args.only_looks() => {
                work.outcomes[place] = Some(plan.foresee(&work.running));
            }
            Ok(plan) => work.take(place, plan, err)?,
            // A kernel that has all it needs built in needs no folder of modules.
            Err(Error::NoModules { folder, .. }) if runs && !names.requires(name) => {
                if !said_no_modules {
                    let what = "not there, so nothing can be loaded";
                    let _ = writeln!(err, "xen-modload: {}: {what}", folder.display());
                    said_no_modules = true;
                }
                work.outcomes[place] = Some(Outcome::NotInKernel);
            }
            Err(error) => {
                // What came before it is done all the same.
                work.finish_waiting(err)?;
                work.outcomes[place] = Some(unclear(error)?);
            }
        }
    }
    work.finish_waiting(err)?;
    let outcomes = work.outcomes.into_iter().flatten();
    let answers = names.all.iter().zip(outcomes);
    let answers = answers.map(|(name, outcome)| names.answer(name, outcome));
    let unread = sources.map(|sources: Sources| sources.config.unread);
    Ok((answers.collect(), unread.unwrap_or_default()))
}

/// The plans that are carried out, at once as far as they may be.
struct Work {
    jobs: usize,
    verbose: bool,
    running: Running,
    /// Those that need not be alone, until one comes that must.
    waiting: Vec<Plan>,
    /// For which name each of them is.
    places: Vec<usize>,
    outcomes: Vec<Option<Outcome>>,
}

impl Work {
    fn take(&mut self, place: usize, plan: Plan, err: &mut dyn Write) -> Result<(), Error> {
        if self.jobs > 1 && !together::wants_to_be_alone(&plan) {
            self.waiting.push(plan);
            self.places.push(place);
            return Ok(());
        }
        self.finish_waiting(err)?;
        let mut silence = io::sink();
        let done = if self.verbose { err } else { &mut silence };
        self.outcomes[place] = Some(apply::apply(&plan, &mut self.running, done)?);
        Ok(())
    }

    fn finish_waiting(&mut self, err: &mut dyn Write) -> Result<(), Error> {
        let mut silence = io::sink();
        let done = if self.verbose { err } else { &mut silence };
        let plans = std::mem::take(&mut self.waiting);
        if plans.is_empty() {
            return Ok(());
        }
        let outcomes = together::apply_all(&plans, self.jobs, &mut self.running, done)?;
        for (place, outcome) in self.places.drain(..).zip(outcomes) {
            self.outcomes[place] = Some(outcome);
        }
        Ok(())
    }
}
