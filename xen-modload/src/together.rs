//! Plans that have nothing to do with each other, carried out at once.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::Error;
use crate::apply::apply;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::resolve::{Action, Step};
use crate::running::Running;

/// May nothing else be loaded meanwhile? So it is where somebody thought of an
/// order (softdep), where a command may do anything (install), and where the
/// kernel lets the first driver have the device (watchdogs).
#[must_use]
pub fn wants_to_be_alone(plan: &Plan) -> bool {
    steps(plan).any(|step| match &step.action {
        Action::Command { .. } => true,
        Action::Insert { path, .. } => !step.required || is_watchdog(&step.module, path),
        Action::BuiltIn | Action::Absent => false,
    })
}

/// A watchdog's driver, or their core, which such a driver needs wherever its
/// file is: not all are in their folder (ipmi_watchdog, what DKMS builds).
fn is_watchdog(module: &str, path: &Path) -> bool {
    path.iter().any(|folder| folder == "watchdog")
        || module.contains("watchdog")
        || module.contains("wdt")
        || module == "softdog"
}

fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    let mut plan = plan;
    while let Plan::Successor { then, .. } = plan {
        plan = then;
    }
    let targets = match plan {
        Plan::Load(targets) => targets.as_slice(),
        _ => &[],
    };
    targets.iter().flat_map(|target| &target.steps)
}

/// Plans that share a module, in their order.
#[derive(Default)]
struct Group<'a> {
    plans: Vec<usize>,
    modules: Vec<&'a str>,
}

/// Of two groups none needs a module that the other loads.
fn groups(plans: &[Plan]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = vec![];
    for (number, plan) in plans.iter().enumerate() {
        let modules: Vec<&str> = steps(plan).map(|step| step.module.as_str()).collect();
        let mut joined = Group::default();
        let mut apart = vec![];
        for group in groups {
            if group.modules.iter().any(|module| modules.contains(module)) {
                joined.plans.extend(group.plans);
                joined.modules.extend(group.modules);
            } else {
                apart.push(group);
            }
        }
        joined.plans.push(number);
        joined.modules.extend(modules);
        apart.push(joined);
        groups = apart;
    }
    groups
}

/// What a plan came to, and what is to be said of it.
type Done = (Result<Outcome, Error>, Vec<u8>);

/// Carries out all plans with so many threads. The outcomes come in the plans'
/// order, and are those that one thread would have had; `None` for what was not
/// begun when the first [`apply`] failed.
pub fn apply_all(
    plans: &[Plan],
    jobs: usize,
    running: &Running,
    done: &mut dyn Write,
) -> Vec<Option<Result<Outcome, Error>>> {
    let groups = groups(plans);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let results: Vec<OnceLock<Done>> = plans.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        let mut running = running.clone();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            for number in &group.plans {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let mut said = vec![];
                let result = apply(&plans[*number], &mut running, &mut said);
                stop.fetch_or(result.is_err(), Ordering::Relaxed);
                // Nobody else has this plan.
                let _ = results[*number].set((result, said));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(groups.len()) {
            // Where no more can be made, those that are there do all the work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut outcomes = vec![];
    for result in results {
        outcomes.push(result.into_inner().map(|(result, said)| {
            // As in applying: a lost remark undoes nothing.
            let _ = done.write_all(&said);
            result
        }));
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Target;

    fn plan(modules: &[&str]) -> Plan {
        let step = |module: &&str| Step {
            module: (*module).to_owned(),
            action: Action::Insert {
                path: format!("/lib/modules/x/kernel/{module}.ko").into(),
                options: String::new(),
            },
            required: true,
            asked_for: false,
            refused: false,
        };
        Plan::Load(vec![Target {
            module: "x".to_owned(),
            blacklisted: false,
            steps: modules.iter().map(step).collect(),
        }])
    }

    #[test]
    fn plans_that_share_a_module_are_one_group() {
        let plans = [
            plan(&["evtchn"]),
            plan(&["privcmd"]),
            plan(&["tun"]),
            plan(&["privcmd", "xenfs"]),
            Plan::Nothing(Outcome::NotInKernel),
            plan(&["tun", "xenfs"]),
        ];
        let groups = groups(&plans);
        let members: Vec<&[usize]> = groups.iter().map(|group| group.plans.as_slice()).collect();
        // What joins goes last; two that join share nothing, so their order is free.
        assert_eq!(members, [&[0][..], &[4], &[2, 1, 3, 5]]);
    }

    #[test]
    fn softdeps_commands_and_watchdogs_want_to_be_alone() {
        assert!(!wants_to_be_alone(&plan(&["tun"])));
        assert!(wants_to_be_alone(&plan(&["watchdog/sp5100_tco"])));
        for elsewhere in ["ipmi_watchdog", "my_wdt", "softdog"] {
            assert!(wants_to_be_alone(&plan(&[elsewhere])), "{elsewhere}");
        }
        assert!(wants_to_be_alone(&plan(&["watchdog", "other"])));
        for change in [
            (|step: &mut Step| step.required = false) as fn(&mut Step),
            |step| {
                step.action = Action::Command {
                    command: "true".to_owned(),
                    options: String::new(),
                    has_file: true,
                }
            },
        ] {
            let mut plan = plan(&["tun", "loop"]);
            if let Plan::Load(targets) = &mut plan {
                change(&mut targets[0].steps[0]);
            }
            assert!(wants_to_be_alone(&plan));
            let obsolete = Plan::Successor {
                now: "tun".to_owned(),
                then: Box::new(plan),
            };
            assert!(wants_to_be_alone(&obsolete));
        }
    }
}
