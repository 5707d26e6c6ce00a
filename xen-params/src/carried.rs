//! The command lines that a text holds: the output of `xl info`, a `grub.cfg`,
//! an `/etc/default/grub`, a `xen.cfg`, a `limine.conf`, an `extlinux.conf`, or
//! just lines. What it
//! is is told by what stands in it, not by its name.

use serde::Serialize;

use crate::extlinux_conf::{extlinux_conf, is_extlinux_conf};
use crate::finding::{Code, Finding, Severity};
use crate::grub_files::{assignment, grub_cfg, grub_defaults, is_entry};
use crate::limine_conf::{is_limine_conf, limine_conf};
use crate::line::{Word, words};
use crate::lint::{lint, lint_linux};
use crate::{Target, Version};

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
    /// The release that the text names.
    pub xen: Option<Version>,
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
            xen: None,
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
    let told = |wanted: &str| numbered().find_map(|(number, line)| xl_info(number, line, wanted));
    if let Some((number, line)) = told("xen_commandline") {
        let mut one = Carried::new(number, Side::Xen, line);
        one.xen = told("xen_version").and_then(|(_, version)| version.parse().ok());
        return vec![one];
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
    if is_extlinux_conf(text) {
        return extlinux_conf(text);
    }
    numbered()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| Carried::new(number, Side::Xen, line))
        .collect()
}

fn xl_info<'a>(number: usize, line: &'a str, wanted: &str) -> Option<(usize, &'a str)> {
    let (key, value) = line.split_once(':')?;
    (key.trim() == wanted).then(|| (number, value.trim_matches(' ')))
}

/// A setting of a `xen.cfg`. Its name must end where the `=` stands.
fn setting(line: &str) -> Option<(&str, &str)> {
    line.trim_start().split_once('=')
}

/// The name of a section; `xen.efi` looks for it exactly.
fn section(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('[')?.split(']').next()
}

fn is_xen_cfg(text: &str) -> bool {
    let mut names = text.lines().filter_map(setting).map(|(name, _)| name);
    text.lines().any(|line| section(line).is_some())
        && names.any(|name| ["options", "kernel"].contains(&name.trim_end()))
}

fn xen_cfg(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    let mut no_default = None;
    let mut here = "";
    for (at, line) in text.lines().enumerate() {
        here = section(line).unwrap_or(here);
        let Some((name, value)) = setting(line) else {
            continue;
        };
        let (side, value) = match name.trim_end() {
            "options" => (Side::Xen, value),
            "kernel" => {
                let (_, line) = value.trim_start().split_once(' ').unwrap_or_default();
                (Side::Linux, line)
            }
            "default" if here == "global" => {
                let named = value.trim();
                if !text.lines().filter_map(section).any(|one| one == named) {
                    let mut one = Carried::new(at + 1, Side::Xen, "");
                    one.tell(uncarried(
                        Severity::Error,
                        Word {
                            at: 0,
                            text: line.trim(),
                        },
                        "no section has that name, so xen.efi finds no kernel".to_owned(),
                    ));
                    no_default = Some(one);
                }
                continue;
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
        let cut = cut(lost, half).map(|(severity, what)| uncarried(severity, last, what));
        match cut {
            Some(cut) if half => one.tell_alone(cut),
            Some(cut) => one.tell(cut),
            None => {}
        }
        if name.ends_with(' ') {
            let word = Word {
                at: 0,
                text: name.trim(),
            };
            let what = "in xen.cfg no space may stand before =: the line is not read".to_owned();
            one.tell(uncarried(Severity::Error, word, what));
        }
        found.push(one);
    }
    // It is no line: whoever wants the first line gets one that is.
    found.extend(no_default);
    found
}

fn uncarried(severity: Severity, word: Word<'_>, what: String) -> Finding {
    Finding {
        severity,
        code: Code::Uncarried,
        at: word.at,
        word: word.text.to_owned(),
        what,
    }
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
