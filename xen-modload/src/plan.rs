//! What a name means here, decided without touching anything.

use crate::Error;
use crate::names::{self, Successor};
use crate::outcome::{Failure, Outcome};
use crate::pattern::underscored;
use crate::resolve::{Action, Resolver, Step, Wanted};
use crate::running::Running;

/// What is to be done about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// These modules are to be loaded; more than one only for a modalias.
    Load(Vec<Target>),
    /// Its successor is to be loaded.
    Successor {
        /// As people write it.
        now: String,
        /// What is to be done about that.
        then: Box<Plan>,
    },
    /// Nothing.
    Nothing(Outcome),
}

/// One module that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, underscored.
    pub module: String,
    /// It is not to be loaded.
    pub blacklisted: bool,
    /// What loads it, itself included.
    pub steps: Vec<Step>,
}

/// How names are to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Load a named module although an install line says otherwise.
    pub ignore_install: bool,
    /// Load a named module although it is blacklisted.
    pub ignore_blacklist: bool,
}

impl Plan {
    /// Decides about a name.
    ///
    /// # Errors
    /// The index cannot be read, or does not say that there is no such module.
    pub fn make(resolver: Resolver, name: &str, rules: Rules) -> Result<Self, Error> {
        let found = match load(resolver, name, rules)? {
            Some(targets) if !targets.iter().any(lacks_module) => return Ok(Self::Load(targets)),
            other => other,
        };
        // The binary index does not find a module. Names of long ago, which
        // nobody will find, are not worth reading all of the text for.
        if found.is_some() || names::successor(name).is_none() {
            let by_text = resolver.index.by_text(|| load(resolver, name, rules));
            if let Some(targets) = by_text?.or(found) {
                return Ok(Self::Load(targets));
            }
        }
        // Nobody knows the name, unless the index is damaged.
        resolver.index.trust()?;
        match names::successor(name) {
            Some(Successor::Module(now)) => Ok(Self::Successor {
                now: now.to_owned(),
                then: Box::new(Self::make(resolver, now, rules)?),
            }),
            Some(Successor::Words(now)) => Ok(Self::Nothing(Outcome::Obsolete {
                now: now.to_owned(),
                then: None,
            })),
            None => {
                let meant = names::meant(name, &resolver.index.names()?);
                let outcome = meant.map_or(Outcome::NotInKernel, Outcome::DidYouMean);
                Ok(Self::Nothing(outcome))
            }
        }
    }

    /// The lines that `modprobe -b --show-depends` prints.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        match self {
            Self::Load(targets) => targets
                .iter()
                .filter(|target| !target.blacklisted)
                .flat_map(|target| target.steps.iter().filter_map(Step::command))
                .collect(),
            Self::Successor { then, .. } => then.commands(),
            Self::Nothing(_) => vec![],
        }
    }

    /// What a run would come to, as things are.
    #[must_use]
    pub fn foresee(&self, running: &Running) -> Outcome {
        self.foresee_as(&Outcome::WouldLoad, running)
    }

    /// The same, where it is known what comes of loading.
    #[must_use]
    pub fn foresee_as(&self, would: &Outcome, running: &Running) -> Outcome {
        match self {
            Self::Load(targets) => {
                let foresee = |target: &Target| {
                    let settled = target.settled(running);
                    let foreseen = settled.or_else(|| target.refused(running));
                    foreseen.unwrap_or_else(|| would.clone())
                };
                best(targets.iter().map(foresee).collect())
            }
            Self::Successor { now, then } => Outcome::Obsolete {
                now: now.clone(),
                then: Some(Box::new(then.foresee_as(would, running))),
            },
            Self::Nothing(outcome) => outcome.clone(),
        }
    }
}

impl Target {
    /// What is so already, whatever the steps are.
    #[must_use]
    pub fn settled(&self, running: &Running) -> Option<Outcome> {
        if running.has(&self.module) {
            return Some(Outcome::AlreadyLoaded);
        }
        if running.has_built_in(&self.module) {
            return Some(Outcome::BuiltIn);
        }
        if self.blacklisted {
            return Some(Outcome::Blacklisted);
        }
        let own = self.steps.iter().find(|step| step.asked_for)?;
        match &own.action {
            Action::BuiltIn => Some(Outcome::BuiltIn),
            Action::Absent => Some(Outcome::NotInKernel),
            // The other way to blacklist a module (modprobe.d(5)).
            Action::Command { command, .. } if does_nothing(command) => Some(Outcome::Blacklisted),
            _ => None,
        }
    }

    /// The kernel will refuse it, or what it needs.
    fn refused(&self, running: &Running) -> Option<Outcome> {
        let is_refused = |step: &&Step| {
            let is_file = matches!(step.action, Action::Insert { .. });
            is_file && step.refused && step.required && !running.has(&step.module)
        };
        let step = self.steps.iter().find(is_refused)?;
        let failure = Failure::refused(None);
        Some(Outcome::Failed(if step.asked_for {
            failure
        } else {
            failure.of_needed(&step.module)
        }))
    }
}

/// The modules that a name stands for, if it stands for any.
fn load(resolver: Resolver, name: &str, rules: Rules) -> Result<Option<Vec<Target>>, Error> {
    let found = resolver.look_up(name)?;
    if found.is_empty() {
        return Ok(None);
    }
    let targets = found.iter().map(|wanted| target(resolver, wanted, rules));
    targets.collect::<Result<_, _>>().map(Some)
}

fn lacks_module(target: &Target) -> bool {
    let mut steps = target.steps.iter();
    steps.any(|step| step.action == Action::Absent)
}

fn target(resolver: Resolver, wanted: &Wanted, rules: Rules) -> Result<Target, Error> {
    // As in modprobe, what only a modalias asks for is never loaded against
    // the blacklist.
    let applies = !rules.ignore_blacklist || wanted.alias.is_some();
    Ok(Target {
        module: wanted.module.clone(),
        blacklisted: applies && resolver.config.blacklists(&wanted.module),
        steps: resolver.steps(wanted, rules.ignore_install)?,
    })
}

fn does_nothing(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    matches!(program, "true" | "false" | ":") && !command.contains([';', '&', '|'])
}

/// The answer for a name that stands for several modules: what was done, else
/// what was so, else the first reason why not.
#[must_use]
pub fn best(outcomes: Vec<Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Loaded | Outcome::RanCommand | Outcome::WouldLoad => 0,
        Outcome::AlreadyLoaded => 1,
        Outcome::BuiltIn => 2,
        _ => 3,
    };
    outcomes
        .into_iter()
        .min_by_key(rank)
        .unwrap_or(Outcome::NotInKernel)
}

/// The names in their order, without those that say the same again.
#[must_use]
pub fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = vec![];
    for name in names {
        let plain = underscored(&name);
        if !kept.iter().any(|other| underscored(other) == plain) {
            kept.push(name);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_nothing_is_a_blacklist() {
        assert!(does_nothing("/bin/true"));
        assert!(does_nothing("/bin/false # not here"));
        assert!(!does_nothing("/bin/true; modprobe x"));
        assert!(!does_nothing("/sbin/modprobe -i x"));
    }

    #[test]
    fn of_several_modules_the_one_that_was_loaded_speaks() {
        let outcomes = vec![
            Outcome::NoSuchDevice,
            Outcome::AlreadyLoaded,
            Outcome::Loaded,
        ];
        assert_eq!(best(outcomes), Outcome::Loaded);
        let outcomes = vec![Outcome::NoSuchDevice, Outcome::Blacklisted];
        assert_eq!(best(outcomes), Outcome::NoSuchDevice);
        assert_eq!(best(vec![]), Outcome::NotInKernel);
    }

    #[test]
    fn a_name_is_taken_once_however_it_is_spelled() {
        let names = ["xen-wdt", "tun", "xen_wdt"].map(str::to_owned);
        assert_eq!(distinct(names), ["xen-wdt", "tun"]);
    }
}
