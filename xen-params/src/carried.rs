//! The command lines that a text holds: the output of `xl info`, a `grub.cfg`,
//! an `/etc/default/grub`, a `xen.cfg`, a `limine.conf`, or just lines. What it
//! is is told by what stands in it, not by its name.

use serde::Serialize;

use crate::Target;
use crate::finding::{Code, Finding, Severity};
use crate::grub_files::{assignment, grub_cfg, grub_defaults, is_entry};
use crate::limine_conf::{is_limine_conf, limine_conf};
use crate::line::{Word, words};
use crate::lint::{lint, lint_linux};

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The hypervisor's.
    Xen,
    /// The Dom0 kernel's.
    Linux,
}

/// A command line, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The line of the text, from 1.
    pub number: usize,
    /// Whose it is.
    pub side: Side,
    /// The command line.
    pub line: String,
    /// What the file itself does to it.
    of_file: Vec<Finding>,
    /// Where words begin that are not whole: of these nothing else is told.
    not_whole: Vec<usize>,
}

impl Carried {
    pub(crate) fn new(number: usize, side: Side, line: impl Into<String>) -> Self {
        Self {
            number,
            side,
            line: line.into(),
            of_file: vec![],
            not_whole: vec![],
        }
    }

    /// Adds what the file does to it.
    pub(crate) fn tell(&mut self, of_file: Finding) {
        self.of_file.push(of_file);
    }

    /// The same of a word that is not whole, of which nothing else is to be
    /// told: one mistake, one finding.
    pub(crate) fn tell_alone(&mut self, of_file: Finding) {
        self.not_whole.push(of_file.at);
        self.of_file.push(of_file);
    }

    /// What is wrong with it.
    #[must_use]
    pub fn findings(&self, target: &Target) -> Vec<Finding> {
        let mut findings = match self.side {
            Side::Xen => lint(&self.line, target),
            Side::Linux => lint_linux(&self.line, target),
        };
        findings.retain(|finding| !self.not_whole.contains(&finding.at) || finding.code.is_final());
        findings.extend(self.of_file.iter().cloned());
        findings
    }
}

/// The command lines of a text, in their order.
#[must_use]
pub fn carried(text: &str) -> Vec<Carried> {
    let numbered = || text.lines().enumerate().map(|(at, line)| (at + 1, line));
    if let Some(found) = numbered().find_map(|(number, line)| xl_info(number, line)) {
        return vec![found];
    }
    if text.lines().any(is_entry) {
        return grub_cfg(text);
    }
    if text.lines().any(|line| assignment(line).is_some()) {
        return grub_defaults(text);
    }
    if is_xen_cfg(text) {
        return xen_cfg(text);
    }
    if is_limine_conf(text) {
        return limine_conf(text);
    }
    numbered()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| Carried::new(number, Side::Xen, line))
        .collect()
}

fn xl_info(number: usize, line: &str) -> Option<Carried> {
    let (key, value) = line.split_once(':')?;
    (key.trim() == "xen_commandline")
        .then(|| Carried::new(number, Side::Xen, value.trim_matches(' ')))
}

fn is_xen_cfg(text: &str) -> bool {
    let has = |start: &str| {
        text.lines()
            .any(|line| line.trim_start().starts_with(start))
    };
    has("[") && (has("options=") || has("kernel="))
}

fn xen_cfg(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    for (at, line) in text.lines().enumerate() {
        let (side, value) = match line.trim_start().split_once('=') {
            Some(("options", value)) => (Side::Xen, value),
            Some(("kernel", value)) => {
                let (_, line) = value.split_once(' ').unwrap_or_default();
                (Side::Linux, line)
            }
            _ => continue,
        };
        let end = value
            .find(|c: char| c == '#' || c == '\t' || !c.is_ascii())
            .unwrap_or(value.len());
        let (kept, lost) = value.split_at(end);
        let mut one = Carried::new(at + 1, side, kept.trim_end_matches(['\r', ' ']));
        let half = !kept.is_empty() && !kept.ends_with(' ');
        let last = words(&one.line).last().unwrap_or(Word { at: 0, text: "" });
        let cut = cut(lost, half).map(|(severity, what)| Finding {
            severity,
            code: Code::Uncarried,
            at: last.at,
            word: last.text.to_owned(),
            what,
        });
        match cut {
            Some(cut) if half => one.tell_alone(cut),
            Some(cut) => one.tell(cut),
            None => {}
        }
        found.push(one);
    }
    found
}

/// What it means that `xen.efi` does not see a part of a value.
fn cut(lost: &str, half: bool) -> Option<(Severity, String)> {
    Some(match lost.chars().next()? {
        // A comment, most likely, and one that hides nothing.
        '#' if !half => {
            let what = "in xen.cfg # begins a comment: what follows is not on the line";
            (Severity::Hint, what.to_owned())
        }
        '#' => {
            let what = "in xen.cfg # begins a comment, even inside a word";
            (Severity::Error, what.to_owned())
        }
        '\t' => {
            let what = "in xen.cfg a tab ends the value";
            (Severity::Error, what.to_owned())
        }
        letter => {
            let what = format!("in xen.cfg only ASCII may stand, not {letter:?}");
            (Severity::Error, what)
        }
    })
}

#[cfg(test)]
#[path = "carried_tests.rs"]
mod tests;
