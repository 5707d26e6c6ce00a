//! A plan carried out, step by step, and what came of it.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;

use crate::Error;
use crate::load::{insert, lockdown, missing_right, run_command};
use crate::outcome::{Failure, Outcome};
use crate::plan::{Plan, Target, best};
use crate::resolve::{Action, Step};
use crate::running::Running;

/// Loads what the plan says. `done` gets a line for each change.
///
/// # Errors
/// Nothing can be loaded by this process; `/proc/modules` cannot be read.
pub fn apply(plan: &Plan, running: &mut Running, done: &mut dyn Write) -> Result<Outcome, Error> {
    match plan {
        Plan::Load(targets) => {
            let mut outcomes = vec![];
            for target in targets {
                outcomes.push(load(target, running, done)?);
            }
            Ok(best(outcomes))
        }
        Plan::Successor { now, then } => Ok(Outcome::Obsolete {
            now: now.clone(),
            then: Some(Box::new(apply(then, running, done)?)),
        }),
        Plan::Nothing(outcome) => Ok(outcome.clone()),
    }
}

fn load(target: &Target, running: &mut Running, done: &mut dyn Write) -> Result<Outcome, Error> {
    if let Some(outcome) = target.settled(running) {
        return Ok(outcome);
    }
    let mut asked_for = Outcome::NotInKernel;
    for step in &target.steps {
        let outcome = take(step, running, done)?;
        if !outcome.is_there() && step.required {
            return Ok(name_culprit(outcome, step));
        }
        if step.asked_for {
            asked_for = outcome;
        }
    }
    Ok(asked_for)
}

fn name_culprit(outcome: Outcome, step: &Step) -> Outcome {
    match outcome {
        Outcome::Failed(failure) if !step.asked_for => {
            Outcome::Failed(failure.of_needed(&step.module))
        }
        other => other,
    }
}

fn take(step: &Step, running: &mut Running, done: &mut dyn Write) -> Result<Outcome, Error> {
    if running.has(&step.module) {
        return Ok(Outcome::AlreadyLoaded);
    }
    let (result, said) = match &step.action {
        Action::BuiltIn => return Ok(Outcome::BuiltIn),
        Action::Absent => return Ok(Outcome::NotInKernel),
        Action::Insert { path, options } => {
            let mut result = insert(path, options);
            let (mut seen, mut unseen) = (0, 0);
            while let Err(failure) = &result {
                match collision(step, failure, running)? {
                    Collision::Seen if seen < COLLISIONS => seen += 1,
                    Collision::Unseen if unseen == 0 => unseen += 1,
                    _ => break,
                }
                result = insert(path, options);
            }
            (result, format!("loaded {}", step.module))
        }
        Action::Command {
            command, options, ..
        } => {
            let result = run_command(command, &step.module, options);
            (result, format!("ran {command}"))
        }
    };
    match result {
        Ok(()) => {
            // The work is done; a lost remark does not undo it.
            let _ = writeln!(done, "xen-modload: {said}");
            if let Action::Command { has_file, .. } = step.action {
                return after_command(step, has_file, running);
            }
            running.note_loaded(&step.module);
            Ok(Outcome::Loaded)
        }
        Err(failure) => refused(step, failure, running),
    }
}

/// So often one may meet another run over the same module.
const COLLISIONS: usize = 3;

/// A module that goes is gone within milliseconds; there is no event to wait for.
const GOING: Duration = Duration::from_millis(5);
const LOOKS: usize = 200;

/// Was somebody else at this module too?
enum Collision {
    /// It was on its way in or out.
    Seen,
    /// It is not there: it has just gone, or the driver says so for itself. To
    /// load that again may repeat what it did, so it is done but once.
    Unseen,
    /// The kernel means the module itself.
    None,
}

/// Where somebody else was at it the kernel gives up: with EBUSY where their
/// loading fails or they take it out, while it is still going; with EEXIST where
/// it was there, and may have gone since.
fn collision(step: &Step, failure: &Failure, running: &mut Running) -> Result<Collision, Error> {
    match failure.errno {
        Some(Errno::EBUSY) => {
            let mut collision = Collision::Unseen;
            for _ in 0..LOOKS {
                running.refresh()?;
                match running.module(&step.module) {
                    Some(module) if !module.live => collision = Collision::Seen,
                    Some(_) => return Ok(Collision::Seen),
                    None => break,
                }
                sleep(GOING);
            }
            Ok(collision)
        }
        Some(Errno::EEXIST) => {
            running.refresh()?;
            let is_there = running.has(&step.module) || running.has_built_in(&step.module);
            Ok(if is_there {
                Collision::None
            } else {
                Collision::Unseen
            })
        }
        _ => Ok(Collision::None),
    }
}

/// A command may have done anything; only what is seen counts, unless its name
/// is no module's: then nothing of that name is ever seen.
fn after_command(step: &Step, has_file: bool, running: &mut Running) -> Result<Outcome, Error> {
    running.refresh()?;
    if running.has(&step.module) || running.has_built_in(&step.module) {
        return Ok(Outcome::Loaded);
    }
    if !has_file {
        return Ok(Outcome::RanCommand);
    }
    Ok(Outcome::Failed(Failure::because(
        "its install line ended well but did not load it",
    )))
}

fn refused(step: &Step, failure: Failure, running: &mut Running) -> Result<Outcome, Error> {
    match failure.errno {
        // Somebody else was first. Believed only if it is seen.
        Some(Errno::EEXIST) => {
            running.refresh()?;
            if running.has(&step.module) {
                return Ok(Outcome::AlreadyLoaded);
            }
            if running.has_built_in(&step.module) {
                return Ok(Outcome::BuiltIn);
            }
            Ok(Outcome::Failed(failure))
        }
        Some(Errno::ENODEV | Errno::ENXIO) => Ok(Outcome::NoSuchDevice),
        // The next module would fare no better.
        Some(Errno::EPERM) => match missing_right() {
            Some(why) => Err(Error::NotPermitted {
                doing: "load",
                module: step.module.clone(),
                why,
            }),
            None if step.refused => Ok(Outcome::Failed(Failure::refused(failure.errno))),
            None => Ok(Outcome::Failed(match lockdown() {
                Some(why) => failure.at_module(why),
                None => failure,
            })),
        },
        _ => Ok(Outcome::Failed(failure)),
    }
}
