//! The command lines that a text holds: the output of `xl info`, a `grub.cfg`,
//! an `/etc/default/grub`, a `xen.cfg`, a `limine.conf`, or just lines. What it
//! is is told by what stands in it, not by its name.

use serde::Serialize;

use crate::Target;
use crate::finding::{Code, Finding, Severity};
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
    of_file: Option<Finding>,
    /// That is about half a word, of which nothing else is to be told.
    half: bool,
}

impl Carried {
    pub(crate) fn new(number: usize, side: Side, line: impl Into<String>) -> Self {
        Self {
            number,
            side,
            line: line.into(),
            of_file: None,
            half: false,
        }
    }

    /// The same, with what the file does to it.
    pub(crate) fn with(mut self, of_file: Finding) -> Self {
        self.of_file = Some(of_file);
        self
    }

    /// What is wrong with it.
    #[must_use]
    pub fn findings(&self, target: &Target) -> Vec<Finding> {
        let mut findings = match self.side {
            Side::Xen => lint(&self.line, target),
            Side::Linux => lint_linux(&self.line, target),
        };
        if let Some(of_file) = &self.of_file {
            if self.half {
                // One mistake, one finding.
                findings.retain(|finding| finding.at != of_file.at || finding.code.is_final());
            }
            findings.push(of_file.clone());
        }
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

/// The commands by which GRUB starts a hypervisor, and those by which it
/// hands files to one.
const STARTS: [&str; 3] = ["multiboot", "multiboot2", "xen_hypervisor"];
const MODULES: [&str; 3] = ["module", "module2", "xen_module"];

fn is_entry(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_command = words.next().is_some_and(|word| {
        STARTS.contains(&word) || MODULES.contains(&word) || word == "menuentry"
    });
    is_command && words.next().is_some()
}

/// A file's name, and the words after it.
fn command(line: &str) -> Option<(String, String, Vec<String>)> {
    let words = shell_words::split(line.trim_end_matches('{'))
        .unwrap_or_else(|_| line.split_whitespace().map(str::to_owned).collect());
    let mut words = words.into_iter().filter(|word| !word.starts_with('$'));
    let name = words.next()?;
    let file = words.find(|word| !word.starts_with("--"))?;
    let file = file.rsplit('/').next().unwrap_or_default().to_owned();
    Some((name, file, words.collect()))
}

fn grub_cfg(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    let mut under_xen = false;
    for (at, line) in text.lines().enumerate() {
        let Some((name, file, words)) = command(line) else {
            continue;
        };
        if name == "menuentry" {
            under_xen = false;
        } else if STARTS.contains(&name.as_str()) {
            under_xen = file.starts_with("xen") || name == "xen_hypervisor";
            if under_xen {
                found.push(Carried::new(at + 1, Side::Xen, words.join(" ")));
            }
        } else if MODULES.contains(&name.as_str()) && under_xen && is_kernel(&file) {
            found.push(Carried::new(at + 1, Side::Linux, words.join(" ")));
        }
    }
    found
}

fn is_kernel(file: &str) -> bool {
    ["vmlinu", "bzImage", "kernel", "Image", "linux"]
        .iter()
        .any(|start| file.starts_with(start))
}

/// A setting of grub-mkconfig that is a command line, and what it is set to.
fn assignment(line: &str) -> Option<(Side, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let side = match name.strip_prefix("GRUB_CMDLINE_")? {
        "XEN" | "XEN_DEFAULT" => Side::Xen,
        rest if rest.starts_with("LINUX") => Side::Linux,
        _ => return None,
    };
    Some((side, value))
}

fn grub_defaults(text: &str) -> Vec<Carried> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = vec![];
    for (at, line) in lines.iter().enumerate() {
        let Some((side, value)) = assignment(line) else {
            continue;
        };
        // What is quoted may go on in the next lines.
        let rest = lines.get(at + 1..).unwrap_or_default();
        let mut value = value.to_owned();
        let mut words = shell_words::split(&value);
        for more in rest.iter().take(20) {
            if words.is_ok() {
                break;
            }
            value.push('\n');
            value.push_str(more);
            words = shell_words::split(&value);
        }
        let words = words.unwrap_or_default();
        // Only the first word is the value; what follows is a command.
        let line = words.into_iter().next().unwrap_or_default();
        let line: Vec<&str> = line
            .split(' ')
            .filter(|word| !word.starts_with('$'))
            .collect();
        found.push(Carried::new(at + 1, side, line.join(" ")));
    }
    found
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
        one.half = !kept.is_empty() && !kept.ends_with(' ');
        let last = words(&one.line).last().unwrap_or(Word { at: 0, text: "" });
        one.of_file = cut(lost, one.half).map(|(severity, what)| Finding {
            severity,
            code: Code::Uncarried,
            at: last.at,
            word: last.text.to_owned(),
            what,
        });
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
