//! Options that contradict each other, or need one another.

use super::{Linter, Seen};
use crate::finding::{Code, Severity};
use crate::grammar::parse_boolean;
use crate::line::Word;

/// What only one scheduler reads.
const SCHEDULERS: [(&str, &str); 6] = [
    ("sched_credit_tslice_ms", "credit"),
    ("sched_smt_power_savings", "credit"),
    ("tickle_one_idle_cpu", "credit"),
    ("vcpu_migration_delay", "credit"),
    ("sched_credit2_", "credit2"),
    ("credit2_", "credit2"),
];

impl<'a> Linter<'a> {
    pub(super) fn pairs(&mut self) {
        self.consoles();
        self.devices();
        self.scheduler();
        if let (Some(nosmp), Some(maxcpus)) = (self.on("nosmp"), self.last("maxcpus")) {
            if maxcpus.value() != Some("1") {
                let what = format!("{} starts one processor only", nosmp.text);
                self.warning(&maxcpus, Code::Contradiction, what);
            }
        }
        let timeout = self.last("watchdog_timeout");
        if let (Some(timeout), Some(watchdog)) = (timeout, self.off("watchdog")) {
            if timeout.value() != Some("0") {
                let what = format!("switches the watchdog on, {} off", watchdog.text);
                self.warning(&timeout, Code::Contradiction, what);
            }
        }
        if let (Some(flask), None) = (self.last("flask"), self.last("xsm")) {
            let what = "has an effect only with xsm=flask";
            self.remark(&flask, Severity::Hint, Code::Incomplete, what);
        }
    }

    /// What `console=` names must be set up by an option of its own.
    fn consoles(&mut self) {
        let Some(console) = self.last("console") else {
            return;
        };
        let ports: Vec<&str> = console.value().unwrap_or_default().split(',').collect();
        for (names, option) in [
            (&["com1"][..], "com1"),
            (&["com2"], "com2"),
            (&["dbgp", "ehci", "xhci"], "dbgp"),
        ] {
            let named = ports
                .iter()
                .find(|port| names.iter().any(|name| port.starts_with(name)));
            if let (Some(port), None) = (named, self.last(option)) {
                let what = match option {
                    "dbgp" => format!("{port} needs dbgp= on the line"),
                    _ => format!(
                        "{port} without {option}= has whatever speed firmware gave it \
                         (such as {option}=115200,8n1)"
                    ),
                };
                self.warning(&console, Code::Incomplete, what);
            }
        }
    }

    fn devices(&mut self) {
        let iommu = self.words_of("iommu");
        let off = iommu.iter().rev().find_map(|(_, word)| yes(word)) == Some(false);
        let forced = iommu
            .iter()
            .rfind(|(_, word)| matches!(*word, "force" | "required"));
        if let (true, Some((word, forced))) = (off, forced) {
            let what = format!("{forced}, but the IOMMU is switched off: Xen stops at boot");
            self.error(word, Code::Contradiction, what);
        }
        let dom0 = self.words_of("dom0");
        let kind = dom0.iter().rfind(|(_, word)| matches!(*word, "pv" | "pvh"));
        if let (true, Some((word, "pvh"))) = (off, kind) {
            let what = "a PVH Dom0 needs the IOMMU, which is switched off: Xen stops at boot";
            self.error(word, Code::Contradiction, what);
        }
    }

    fn scheduler(&mut self) {
        let named = self.last("sched").and_then(|word| word.value());
        let named = named.unwrap_or("credit2");
        let others: Vec<(Word<'a>, &str)> = self
            .seen
            .iter()
            .filter_map(|seen| {
                let mut all = SCHEDULERS.iter();
                let (_, one) = all.find(|(name, _)| seen.entry.name.starts_with(name))?;
                (*one != named).then_some((seen.word, *one))
            })
            .collect();
        for (word, one) in others {
            let what = format!("read by the {one} scheduler only, and {named} runs");
            self.remark(&word, Severity::Hint, Code::NoEffect, what);
        }
    }

    fn of(&self, name: &str) -> impl DoubleEndedIterator<Item = &Seen<'a>> {
        self.seen.iter().filter(move |seen| seen.entry.name == name)
    }

    fn last(&self, name: &str) -> Option<Word<'a>> {
        self.of(name).next_back().map(|seen| seen.word)
    }

    /// The last of that name, if it is a boolean that is so.
    fn boolean(&self, name: &str, wanted: bool) -> Option<Word<'a>> {
        let seen = self.of(name).next_back()?;
        let value = parse_boolean(seen.word.value().unwrap_or_default()).ok()?;
        ((value != seen.negated) == wanted).then_some(seen.word)
    }

    fn on(&self, name: &str) -> Option<Word<'a>> {
        self.boolean(name, true)
    }

    fn off(&self, name: &str) -> Option<Word<'a>> {
        self.boolean(name, false)
    }

    /// The parts between commas of all options of a name.
    fn words_of(&self, name: &str) -> Vec<(Word<'a>, &'a str)> {
        self.of(name)
            .flat_map(|seen| {
                let value = if seen.negated {
                    "no"
                } else {
                    seen.word.value().unwrap_or_default()
                };
                value.split(',').map(move |part| (seen.word, part))
            })
            .collect()
    }
}

fn yes(word: &str) -> Option<bool> {
    if word.is_empty() {
        return None;
    }
    parse_boolean(word).ok()
}
