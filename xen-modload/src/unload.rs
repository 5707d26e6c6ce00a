//! Modules unloaded, in reverse order, as far as nobody uses them.

use std::ffi::CString;
use std::io::Write;

use nix::errno::Errno;
use nix::kmod::{DeleteModuleFlags, delete_module};

use crate::load::{missing_right, run_command};
use crate::names::{self, Successor};
use crate::resolve::{Resolver, Wanted};
use crate::running::Running;
use crate::{Error, Problem, pattern};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unload {
    /// The module, underscored.
    pub module: String,
    /// Its `remove` line of modprobe.d, for sh, where that does it.
    pub command: Option<String>,
    /// Who knows it.
    pub known: Known,
}

/// Who knows a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The index, or an alias, as a module.
    AsModule,
    /// The index, as a part of the kernel.
    BuiltIn,
    /// Only a line of its own in modprobe.d: there may be nothing of that name
    /// to be seen, ever.
    ByLine,
    /// Nobody: but without an index a loaded module still has its name.
    Nobody,
}

impl Unload {
    /// The same as a shell command.
    #[must_use]
    pub fn command(&self) -> String {
        let rmmod = || format!("rmmod {}", self.module);
        self.command.clone().unwrap_or_else(rmmod)
    }

    fn problem(&self, what: &str, status: u8) -> Problem {
        (format!("unload {}: {what}", self.module), status)
    }
}

/// The steps for these names, the last first. Only what was named is unloaded:
/// a module that was loaded because another needed it may serve others too.
/// Beside them, the names that nobody can tell.
#[must_use]
pub fn plan(
    resolver: Resolver,
    names: &[String],
    ignore_remove: bool,
) -> (Vec<Unload>, Vec<Problem>) {
    let (mut steps, mut problems) = (vec![], vec![]);
    for name in names.iter().rev() {
        match steps_of(resolver, name, ignore_remove) {
            Ok(found) => steps.extend(found),
            Err(error) => {
                problems.push((format!("unload {name}: {error}"), error.exit_status()));
            }
        }
    }
    let mut distinct: Vec<Unload> = vec![];
    for step in steps {
        if !distinct.iter().any(|other| other.module == step.module) {
            distinct.push(step);
        }
    }
    (distinct, problems)
}

fn steps_of(resolver: Resolver, name: &str, ignore_remove: bool) -> Result<Vec<Unload>, Error> {
    let now = match names::successor(name) {
        Some(Successor::Module(now)) if look_up(resolver, name)?.is_empty() => now,
        _ => name,
    };
    let mut steps = vec![];
    for wanted in look_up(resolver, now)? {
        let known = if wanted.has_own_line {
            Known::ByLine
        } else if resolver.is_built_in(&wanted)? {
            Known::BuiltIn
        } else {
            Known::AsModule
        };
        steps.push((wanted.module, known));
    }
    if steps.is_empty() {
        steps.push((pattern::underscored(now), Known::Nobody));
    }
    let steps = steps.into_iter().rev().map(|(module, known)| {
        let command = resolver.config.remove_of(&module, known == Known::ByLine);
        let command = command.filter(|_| !ignore_remove);
        Unload {
            command: command.map(str::to_owned),
            module,
            known,
        }
    });
    Ok(steps.collect())
}

/// The modules that a name stands for, as far as there is an index: that of a
/// kernel that was replaced may be gone.
fn look_up(resolver: Resolver, name: &str) -> Result<Vec<Wanted>, Error> {
    match resolver.look_up(name) {
        Err(Error::NoModules { .. }) => Ok(vec![]),
        found => found,
    }
}

/// Is there anything to do? Not where the module is not loaded.
///
/// # Errors
/// Nothing can be done: nobody knows the name, not even the kernel; it is built
/// in, or has no way out.
pub fn foresee(step: &Unload, running: &Running) -> Result<bool, Problem> {
    match running.module(&step.module) {
        Some(module) if module.permanent && step.command.is_none() => {
            Err(step.problem("it cannot be unloaded (permanent)", 1))
        }
        Some(_) => Ok(true),
        None if step.known == Known::ByLine && step.command.is_some() => Ok(true),
        None if step.known == Known::BuiltIn || running.has_built_in(&step.module) => {
            Err(step.problem("built in", 1))
        }
        None if step.known == Known::Nobody => Err(step.problem("no such module", 5)),
        None => Ok(false),
    }
}

/// Does the step. `done` gets a line for what was changed.
///
/// # Errors
/// `unload NAME: why not`, and the exit status; the right to unload is lacking,
/// or `/proc/modules` cannot be read.
pub fn apply(
    step: &Unload,
    running: &mut Running,
    done: &mut dyn Write,
) -> Result<Result<(), Problem>, Error> {
    match &step.command {
        Some(command) => run(step, command, running, done),
        None => remove(step, running, done),
    }
}

/// A command may have done anything, well ended or not; only what is seen counts.
fn run(
    step: &Unload,
    command: &str,
    running: &mut Running,
    done: &mut dyn Write,
) -> Result<Result<(), Problem>, Error> {
    let result = run_command(command, &step.module, "");
    running.refresh()?;
    if let Err(failure) = result {
        return Ok(Err(step.problem(&failure.reason, failure.status)));
    }
    let _ = writeln!(done, "xen-modload: ran {command}");
    if running.module(&step.module).is_some() {
        let what = "its remove line ended well, but it is still loaded";
        return Ok(Err(step.problem(what, 1)));
    }
    Ok(Ok(()))
}

fn remove(
    step: &Unload,
    running: &mut Running,
    done: &mut dyn Write,
) -> Result<Result<(), Problem>, Error> {
    let module = step.module.as_str();
    let Some(state) = running.module(module) else {
        return Ok(Ok(()));
    };
    let busy = |holders: &str| Ok(Err(step.problem(holders, 1)));
    match (state.used_by.as_slice(), state.holders) {
        ([], 0) => {}
        ([], 1) => return busy("in use"),
        ([], count) => return busy(&format!("in use, {count} times")),
        (modules, _) => return busy(&format!("in use by {}", modules.join(", "))),
    }
    let name = CString::new(module).unwrap_or_default();
    match delete_module(&name, DeleteModuleFlags::O_NONBLOCK) {
        Ok(()) => {
            running.note_unloaded(module);
            let _ = writeln!(done, "xen-modload: unloaded {module}");
            Ok(Ok(()))
        }
        // Somebody else did.
        Err(Errno::ENOENT) => Ok(Ok(())),
        Err(Errno::EWOULDBLOCK | Errno::EBUSY) => busy("in use"),
        Err(Errno::EPERM) => match missing_right() {
            Some(why) => Err(Error::NotPermitted {
                doing: "unload",
                module: module.to_owned(),
                why,
            }),
            None => Ok(Err(step.problem("not permitted", 4))),
        },
        Err(errno) => {
            let reason = std::io::Error::from(errno).to_string();
            Ok(Err(step.problem(&reason, 1)))
        }
    }
}
