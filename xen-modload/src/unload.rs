//! Modules unloaded, in reverse order, as far as nobody uses them.

use std::ffi::CString;
use std::io::Write;

use nix::errno::Errno;
use nix::kmod::{DeleteModuleFlags, delete_module};

use crate::load::{missing_right, run_command};
use crate::names::{self, Successor};
use crate::outcome::Failure;
use crate::resolve::{Resolver, Wanted};
use crate::running::Running;
use crate::{Error, Problem, pattern};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unload {
    /// Take the module out of the kernel.
    Remove(String),
    /// The same for a name that no index has: without an index a loaded module
    /// still has its name.
    RemoveIfKnown(String),
    /// Run the `remove` line of modprobe.d.
    Command {
        /// The module.
        module: String,
        /// For sh.
        command: String,
    },
}

impl Unload {
    /// The same as a shell command.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Remove(module) | Self::RemoveIfKnown(module) => format!("rmmod {module}"),
            Self::Command { command, .. } => command.clone(),
        }
    }

    /// The module, underscored.
    #[must_use]
    pub fn module(&self) -> &str {
        match self {
            Self::Remove(module) | Self::RemoveIfKnown(module) | Self::Command { module, .. } => {
                module
            }
        }
    }
}

/// The steps for these names, the last first. Only what was named is unloaded:
/// a module that was loaded because another needed it may serve others too.
///
/// # Errors
/// The index cannot be read.
pub fn plan(
    resolver: Resolver,
    names: &[String],
    ignore_remove: bool,
) -> Result<Vec<Unload>, Error> {
    let mut steps = vec![];
    for name in names.iter().rev() {
        let now = match names::successor(name) {
            Some(Successor::Module(now)) if look_up(resolver, name)?.is_empty() => now,
            _ => name,
        };
        let mut found = look_up(resolver, now)?;
        let is_known = !found.is_empty();
        if !is_known {
            found.push(Wanted {
                module: pattern::underscored(now),
                alias: None,
                has_own_line: false,
            });
        }
        for wanted in found.into_iter().rev() {
            let module = wanted.module;
            let command = resolver.config.remove_of(&module, wanted.has_own_line);
            let step = match command.filter(|_| !ignore_remove) {
                Some(command) => Unload::Command {
                    command: command.to_owned(),
                    module,
                },
                None if is_known => Unload::Remove(module),
                None => Unload::RemoveIfKnown(module),
            };
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

/// The modules that a name stands for, as far as there is an index: that of a
/// kernel that was replaced may be gone.
fn look_up(resolver: Resolver, name: &str) -> Result<Vec<Wanted>, Error> {
    match resolver.look_up(name) {
        Err(Error::NoModules { .. }) => Ok(vec![]),
        found => found,
    }
}

/// What is wrong with a step before it is done: nobody knows the name, not even
/// the kernel.
#[must_use]
pub fn foresee(step: &Unload, running: &Running) -> Option<Problem> {
    let module = step.module();
    let unknown = matches!(step, Unload::RemoveIfKnown(_)) && running.module(module).is_none();
    unknown.then(|| (format!("unload {module}: no such module"), 5))
}

/// Does the step. `false`: it is not loaded.
///
/// # Errors
/// `unload NAME: why not`, and the exit status; the right to unload is lacking.
pub fn apply(
    step: &Unload,
    running: &mut Running,
    done: &mut dyn Write,
) -> Result<Result<bool, Problem>, Error> {
    let module = step.module();
    let Some(state) = running.module(module) else {
        return Ok(Ok(false));
    };
    let holders = match (state.used_by.as_slice(), state.holders) {
        ([], 0) => None,
        ([], 1) => Some("in use".to_owned()),
        ([], count) => Some(format!("in use, {count} times")),
        (modules, _) => Some(format!("in use by {}", modules.join(", "))),
    };
    let busy = |holders: Option<String>| {
        let holders = holders.unwrap_or_else(|| "in use".to_owned());
        Ok(Err((format!("unload {module}: {holders}"), 1)))
    };
    let result = match step {
        Unload::Command { command, .. } => run_command(command, module, ""),
        Unload::Remove(_) | Unload::RemoveIfKnown(_) if holders.is_some() => return busy(holders),
        Unload::Remove(_) | Unload::RemoveIfKnown(_) => {
            let name = CString::new(module).unwrap_or_default();
            match delete_module(&name, DeleteModuleFlags::O_NONBLOCK) {
                Ok(()) => Ok(()),
                // Somebody else did.
                Err(Errno::ENOENT) => return Ok(Ok(false)),
                Err(Errno::EWOULDBLOCK | Errno::EBUSY) => return busy(None),
                Err(errno) => Err(Failure::answered(
                    errno,
                    std::io::Error::from(errno).to_string(),
                )),
            }
        }
    };
    match result {
        Ok(()) => {
            running.note_unloaded(module);
            let _ = writeln!(done, "xen-modload: unloaded {module}");
            Ok(Ok(true))
        }
        Err(failure) => match (failure.errno, missing_right()) {
            (Some(Errno::EPERM), Some(why)) => Err(Error::NotPermitted {
                module: module.to_owned(),
                why,
            }),
            (Some(Errno::EPERM), None) => Ok(Err((format!("unload {module}: not permitted"), 4))),
            _ => Ok(Err((format!("unload {module}: {}", failure.reason), 1))),
        },
    }
}
