//! Every name gets its answer: loads, or only looks what loading would come to.

use std::io::{self, Write};

use crate::outcome::{Failure, Outcome};
use crate::plan::Plan;
use crate::report::Answer;
use crate::running::Running;
use crate::{
    Args, Error, Kernel, Names, Problem, Sources, apply, complain, rules, together, unclear,
};

/// What there is to answer.
pub(crate) struct Answered {
    /// In the names' order.
    pub(crate) answers: Vec<Answer>,
    /// What could not be read on the way.
    pub(crate) unread: Vec<Problem>,
    /// Why the rest was not tried, if so it was.
    pub(crate) stopped: Option<Error>,
}

/// Answers for all names, also where nothing can be loaded by this process.
///
/// # Errors
/// What is loaded already cannot be read; another kernel has no modules.
pub(crate) fn answer_all(
    args: &Args,
    names: &Names,
    err: &mut dyn Write,
) -> Result<Answered, Error> {
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
        stopped: None,
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
            Ok(plan) if args.only_looks() || work.stopped.is_some() => work.look(place, &plan),
            Ok(plan) => work.take(place, plan, err),
            // A kernel that has all it needs built in needs no folder of modules.
            Err(Error::NoModules { release, folder }) if runs => {
                if names.requires(name) {
                    let error = Error::NoModules { release, folder };
                    work.stopped.get_or_insert(error);
                } else if work.stopped.is_none() && !said_no_modules {
                    let what = "not there, so nothing can be loaded";
                    let _ = writeln!(err, "xen-modload: {}: {what}", folder.display());
                    said_no_modules = true;
                }
                work.outcomes[place] = Some(Outcome::NotInKernel);
            }
            Err(error) => work.outcomes[place] = Some(unclear(error)?),
        }
    }
    work.finish_waiting(err);
    let outcomes = work.outcomes.into_iter().flatten();
    let answers = names.all.iter().zip(outcomes);
    let answers = answers.map(|(name, outcome)| names.answer(name, outcome));
    let unread = sources.map(|sources: Sources| sources.config.unread);
    Ok(Answered {
        answers: answers.collect(),
        unread: unread.unwrap_or_default(),
        stopped: work.stopped,
    })
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
    /// The next plan would fare no better than the one that met this.
    stopped: Option<Error>,
}

impl Work {
    /// What it would come to, or why it is not tried.
    fn look(&mut self, place: usize, plan: &Plan) {
        let would = match &self.stopped {
            Some(error) => Outcome::Failed(Failure::not_tried(error)),
            None => Outcome::WouldLoad,
        };
        self.outcomes[place] = Some(plan.foresee_as(&would, &self.running));
    }

    fn take(&mut self, place: usize, plan: Plan, err: &mut dyn Write) {
        if self.jobs > 1 && !together::wants_to_be_alone(&plan) {
            self.waiting.push(plan);
            self.places.push(place);
            return;
        }
        self.finish_waiting(err);
        if self.stopped.is_some() {
            return self.look(place, &plan);
        }
        let mut silence = io::sink();
        let done = if self.verbose { err } else { &mut silence };
        let result = apply::apply(&plan, &mut self.running, done);
        self.note(place, &plan, result);
    }

    fn finish_waiting(&mut self, err: &mut dyn Write) {
        let plans = std::mem::take(&mut self.waiting);
        if plans.is_empty() {
            return;
        }
        let mut silence = io::sink();
        let done = if self.verbose { err } else { &mut silence };
        let results = together::apply_all(&plans, self.jobs, &self.running, done);
        // Each thread knows only what it loaded itself.
        let refreshed = self.running.refresh();
        let mut left = vec![];
        for ((place, plan), result) in std::mem::take(&mut self.places)
            .into_iter()
            .zip(&plans)
            .zip(results)
        {
            match result {
                Some(result) => self.note(place, plan, result),
                None => left.push((place, plan)),
            }
        }
        if let Err(error) = refreshed {
            self.stopped.get_or_insert(error);
        }
        for (place, plan) in left {
            self.look(place, plan);
        }
    }

    fn note(&mut self, place: usize, plan: &Plan, result: Result<Outcome, Error>) {
        let outcome = result.unwrap_or_else(|error| {
            let failed = Outcome::Failed(Failure::of(&error));
            self.stopped.get_or_insert(error);
            // What it was for may be there all the same.
            plan.foresee_as(&failed, &self.running)
        });
        self.outcomes[place] = Some(outcome);
    }
}
