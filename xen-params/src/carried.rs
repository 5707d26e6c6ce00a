//! The command lines that a text holds: the output of `xl info`, a `grub.cfg`,
//! an `/etc/default/grub`, a `xen.cfg`, a `limine.conf`, an `extlinux.conf`, or
//! just lines. What it
//! is is told by what stands in it, not by its name.

use std::ops::Range;

use serde::Serialize;

use crate::extlinux_conf::{extlinux_conf, is_extlinux_conf};
use crate::finding::{Code, Finding, Severity};
use crate::grub_files::{grub_cfg, is_entry};
use crate::grub_settings::{GrubSettings, is_setting, is_setting_left_out};
use crate::limine_conf::{is_limine_conf, limine_conf};
use crate::line::{Word, words};
use crate::lint::{lint, lint_linux};
use crate::table::is_option;
use crate::xen_cfg_file::{is_xen_cfg, xen_cfg_default, xen_cfg_lines};
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
    /// The whole line, where it is only a part of one.
    joined: Option<Joined>,
    /// What the file itself does to it.
    of_file: Vec<Finding>,
    /// Where words begin that are not whole: of these nothing else is told.
    not_whole: Vec<usize>,
}

/// A line that stands in more than one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub line: String,
    /// Where in it a word of one place is, and where that begins there.
    pub places: Vec<(Range<usize>, usize)>,
}

impl Joined {
    /// What is wrong with the words of that place, which the others may be the
    /// reason of.
    fn findings(&self, target: &Target) -> Vec<Finding> {
        let here = |finding: Finding| {
            let mut places = self.places.iter();
            let (whole, begin) = places.find(|(whole, _)| whole.contains(&finding.at))?;
            let at = begin + finding.at - whole.start;
            Some(Finding { at, ..finding })
        };
        let mut findings = vec![];
        for finding in lint(&self.line, target).into_iter().filter_map(here) {
            // A word stands there twice where one variable includes the other.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }
}

impl Carried {
    pub(crate) fn new(number: usize, side: Side, line: impl Into<String>) -> Self {
        Self {
            number,
            side,
            line: line.into(),
            xen: None,
            joined: None,
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

    /// It is a part of that line.
    pub(crate) fn join(&mut self, joined: Joined) {
        self.joined = Some(joined);
    }

    /// What is wrong with it.
    #[must_use]
    pub fn findings(&self, target: &Target) -> Vec<Finding> {
        let mut findings = match (self.side, &self.joined) {
            (Side::Xen, Some(joined)) => joined.findings(target),
            (Side::Xen, None) => lint(&self.line, target),
            (Side::Linux, _) => lint_linux(&self.line, target),
        };
        findings.retain(|finding| !self.not_whole.contains(&finding.at) || finding.code.is_final());
        findings.extend(self.of_file.iter().cloned());
        findings
    }
}

/// What a text is, by what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    XlInfo,
    GrubCfg,
    GrubSettings,
    XenCfg,
    LimineConf,
    ExtlinuxConf,
    Lines,
}

impl Kind {
    fn of(text: &str) -> Self {
        let has = |is_one: fn(&str) -> bool| text.lines().any(is_one);
        if has(|line| xl_info(line, COMMANDLINE).is_some()) {
            Self::XlInfo
        } else if has(is_entry) {
            Self::GrubCfg
        } else if has(is_setting) {
            Self::GrubSettings
        } else if is_xen_cfg(text) {
            Self::XenCfg
        } else if is_limine_conf(text) {
            Self::LimineConf
        } else if is_extlinux_conf(text) {
            Self::ExtlinuxConf
        } else if has(is_setting_left_out) && !has(begins_with_option) {
            Self::GrubSettings
        } else {
            Self::Lines
        }
    }
}

/// It is a bare command line, as far as its first word tells.
fn begins_with_option(line: &str) -> bool {
    let first = words(line.trim_start()).next();
    first.is_some_and(|word| {
        // An index is no part of the name: ivrs_ioapic[4]=00:14.0.
        let name = word.key().split_inclusive('[').next().unwrap_or_default();
        is_option(name.strip_prefix("no-").unwrap_or(name))
    })
}

/// What editors of other systems put first; it is no part of any line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The command lines of a text, in their order.
#[must_use]
pub fn carried(text: &str) -> Vec<Carried> {
    let unmarked = text.strip_prefix(BYTE_ORDER_MARK);
    let text = unmarked.unwrap_or(text);
    let kind = Kind::of(text);
    let mut found = match kind {
        Kind::XlInfo => told_by_xl(text),
        Kind::GrubCfg => grub_cfg(text),
        Kind::GrubSettings => GrubSettings::read(text).lines,
        Kind::XenCfg => xen_cfg_lines(text),
        Kind::LimineConf => limine_conf(text),
        Kind::ExtlinuxConf => extlinux_conf(text),
        Kind::Lines => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(at, line)| Carried::new(at + 1, Side::Xen, line))
            .collect(),
    };
    let is_in_the_way = matches!(kind, Kind::GrubSettings | Kind::XenCfg);
    if unmarked.is_some() && is_in_the_way && !found.is_empty() {
        let mut one = Carried::new(1, Side::Xen, "");
        let word = Word {
            at: 0,
            text: "U+FEFF",
        };
        let what = "a byte order mark, which belongs to the first word for what reads this file";
        one.tell(uncarried(Severity::Error, word, what.to_owned()));
        found.push(one);
    }
    found
}

/// Why a text stands for no line, and on which of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoLineHere {
    pub number: usize,
    pub what: String,
}

/// The hypervisor's line that a text stands for: that of the normal entry which
/// GRUB's settings make, of the section which a `xen.cfg` starts by itself, else
/// the first one. `None` where it has none.
///
/// # Errors
/// The file has one, but what it is cannot be known from it.
pub(crate) fn line_of(text: &str) -> Result<Option<String>, NoLineHere> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    match Kind::of(text) {
        Kind::GrubSettings => GrubSettings::read(text).normal,
        Kind::XenCfg => xen_cfg_default(text),
        _ => {
            let mut lines = carried(text).into_iter();
            let first = lines.find(|one| one.side == Side::Xen);
            Ok(first.map(|one| one.line))
        }
    }
}

/// The name by which `xl info` tells the line.
const COMMANDLINE: &str = "xen_commandline";

fn told_by_xl(text: &str) -> Vec<Carried> {
    let told = |wanted| {
        let mut lines = text.lines().enumerate();
        lines.find_map(|(at, line)| Some((at + 1, xl_info(line, wanted)?)))
    };
    let line = told(COMMANDLINE).map(|(number, line)| {
        let mut one = Carried::new(number, Side::Xen, line);
        one.xen = told("xen_version").and_then(|(_, version)| version.parse().ok());
        one
    });
    line.into_iter().collect()
}

fn xl_info<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    let (key, value) = line.split_once(':')?;
    (key.trim() == wanted).then(|| value.trim_matches(' '))
}

pub(crate) fn uncarried(severity: Severity, word: Word<'_>, what: String) -> Finding {
    Finding {
        severity,
        code: Code::Uncarried,
        at: word.at,
        word: word.text.to_owned(),
        what: what.into(),
    }
}

#[cfg(test)]
#[path = "carried_tests.rs"]
mod tests;
