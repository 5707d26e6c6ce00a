//! What is wrong with a line: what Xen would complain of, or take silently for
//! something else than was meant.

use crate::finding::{Code, Finding, Severity};
use crate::grammar::{Bound, Memory, Vcpus, parse_boolean, parse_integer, parse_size};
use crate::line::{END, LINE_MAX, OPTION_MAX, Word, words};
use crate::table::{Entry, Parser, find, nearest};
use crate::{Arch, Target};

/// Says what is wrong with a line, in the line's order.
#[must_use]
pub fn lint(text: &str, target: &Target) -> Vec<Finding> {
    let mut linter = Linter {
        target,
        findings: vec![],
        seen: vec![],
        memory: vec![],
    };
    for word in words(text) {
        if word.text == END {
            let what = "ends Xen's part of the line; what follows is the Dom0 kernel's";
            linter.remark(&word, Severity::Error, Code::EndOfXen, what);
            break;
        }
        linter.word(&word);
    }
    linter.whole_memory();
    if text.len() > LINE_MAX {
        let what = format!(
            "the line has {} bytes; Xen keeps {LINE_MAX} for xl info",
            text.len()
        );
        let word = words(text).last().unwrap_or(Word { at: 0, text: "" });
        linter.remark(&word, Severity::Error, Code::LineTooLong, what);
    }
    linter.findings
}

/// The row of an option, and whether `no-` stands before its name.
pub(crate) fn resolve<'t>(word: &Word<'_>, target: &Target) -> Option<(&'t Entry, bool)> {
    let key = word.key();
    // An index follows the name of some, as in ivrs_ioapic[4]=00:14.0.
    let index = key.find(['(', '[', '{', '<']);
    let indexed = index
        .filter(|_| word.value().is_some())
        .map(|index| &key[..=index]);
    let candidates = [
        (Some(key), false),
        (key.strip_prefix("no-"), true),
        (indexed, false),
    ];
    candidates.into_iter().find_map(|(name, negated)| {
        let entry = find(name?, target).into_iter().next()?;
        Some((entry, negated))
    })
}

struct Linter<'a> {
    target: &'a Target,
    findings: Vec<Finding>,
    /// The options of which only the last counts.
    seen: Vec<(&'static str, usize, String)>,
    /// Every amount of dom0_mem, with the option that it stands in.
    memory: Vec<(usize, String, Memory)>,
}

impl Linter<'_> {
    fn remark(&mut self, word: &Word<'_>, severity: Severity, code: Code, what: impl Into<String>) {
        // What is found late may be about an earlier option.
        let place = self.findings.partition_point(|known| known.at <= word.at);
        let finding = Finding {
            severity,
            code,
            at: word.at,
            word: word.text.to_owned(),
            what: what.into(),
        };
        self.findings.insert(place, finding);
    }

    fn error(&mut self, word: &Word<'_>, code: Code, what: impl Into<String>) {
        self.remark(word, Severity::Error, code, what);
    }

    fn warning(&mut self, word: &Word<'_>, code: Code, what: impl Into<String>) {
        self.remark(word, Severity::Warning, code, what);
    }

    fn word(&mut self, word: &Word<'_>) {
        if word.text.chars().any(char::is_control) {
            let what = "a tab or another control character; only a space separates options";
            return self.error(word, Code::ControlCharacter, what);
        }
        if word.text.len() > OPTION_MAX {
            let what = format!(
                "{} bytes long; Xen silently cuts off what is over {OPTION_MAX}",
                word.text.len()
            );
            self.error(word, Code::OptionTooLong, what);
        }
        let Some((entry, negated)) = resolve(word, self.target) else {
            return self.unknown(word);
        };
        if !entry.on(self.target.arch) {
            let what = format!("only on {}, not on {}", entry.machines, self.target.arch);
            return self.error(word, Code::OtherMachine, what);
        }
        if !entry.at(self.target.xen) {
            let releases = entry.releases().unwrap_or_default();
            let xen = self.target.xen.map(|xen| xen.to_string());
            let what = format!("{releases}, not in {}", xen.unwrap_or_default());
            return self.error(word, Code::OtherRelease, what);
        }
        self.value(word, entry, negated);
        self.duplicate(word, entry);
    }

    fn unknown(&mut self, word: &Word<'_>) {
        let key = word.key();
        let name = key.strip_prefix("no-").unwrap_or(key);
        let what = match nearest(name, self.target) {
            Some(meant) => format!("Xen has no such option (did you mean {meant}?)"),
            None if is_linux(key) => {
                "an option of Linux: it belongs on the Dom0 kernel's line".to_owned()
            }
            None => "Xen has no such option".to_owned(),
        };
        self.error(word, Code::Unknown, what);
    }

    fn value(&mut self, word: &Word<'_>, entry: &Entry, negated: bool) {
        let value = word.value().unwrap_or_default();
        match entry.parser {
            Parser::Boolean => {
                if let Err(what) = parse_boolean(value) {
                    self.error(word, Code::BadValue, what);
                }
            }
            Parser::Integer | Parser::Size if value.is_empty() => {
                self.warning(word, Code::NoEffect, "without a value Xen takes it for 0");
            }
            Parser::Integer => match parse_integer(value) {
                Ok(integer) if integer.octal => self.octal(word, &integer.to_string()),
                Ok(_) => {}
                Err(what) => self.error(word, Code::BadValue, what),
            },
            Parser::Size => match parse_size(value) {
                Ok(size) => self.size(word, size),
                Err(what) => self.error(word, Code::BadValue, what),
            },
            Parser::Custom if negated && !value.is_empty() => {
                self.error(word, Code::BadValue, "takes no value after no-");
            }
            Parser::Custom => self.custom(word, entry, if negated { "no" } else { value }),
            Parser::Text | Parser::Ignored => {}
        }
        if negated && matches!(entry.parser, Parser::Integer | Parser::Size | Parser::Text) {
            let what = format!("Xen ignores the no- before {}", entry.name);
            self.warning(word, Code::NoEffect, what);
        }
    }

    fn size(&mut self, word: &Word<'_>, size: crate::grammar::Size) {
        if size.octal {
            self.octal(word, &size.to_string());
        } else if !size.has_suffix && size.bytes != 0 {
            let number = size.bytes >> 10;
            let what =
                format!("{number} without a suffix is {number} KiB (for MiB write {number}M)");
            self.warning(word, Code::Kib, what);
        }
    }

    fn octal(&mut self, word: &Word<'_>, meaning: &str) {
        let what = format!("the leading 0 makes the number octal: {meaning}");
        self.warning(word, Code::Octal, what);
    }

    fn custom(&mut self, word: &Word<'_>, entry: &Entry, value: &str) {
        match entry.name {
            "dom0_mem" => match Memory::parse(value, self.target.arch) {
                Ok(memory) => {
                    for size in memory.amounts.iter().filter_map(|amount| amount.size) {
                        self.size(word, size);
                    }
                    self.memory.push((word.at, word.text.to_owned(), memory));
                }
                Err(what) => self.error(word, Code::BadValue, what),
            },
            "dom0_max_vcpus" => {
                if let Err(what) = Vcpus::parse(value) {
                    self.error(word, Code::BadValue, what);
                }
            }
            _ => {}
        }
    }

    fn duplicate(&mut self, word: &Word<'_>, entry: &Entry) {
        // Those with a function of their own may add up.
        if matches!(entry.parser, Parser::Custom | Parser::Ignored) {
            return;
        }
        let earlier = self.seen.iter().position(|(name, ..)| *name == entry.name);
        let earlier = earlier.map(|place| self.seen.swap_remove(place));
        self.seen.push((entry.name, word.at, word.text.to_owned()));
        if let Some((_, at, text)) = earlier {
            let earlier = Word { at, text: &text };
            let what = format!("has no effect: the later {} wins", word.text);
            self.warning(&earlier, Code::Duplicate, what);
        }
    }

    /// Several dom0_mem options add up; a bound that is named again wins.
    fn whole_memory(&mut self) {
        let all = std::mem::take(&mut self.memory);
        let Some((at, text, _)) = all.last() else {
            return;
        };
        let last = Word { at: *at, text };
        for bound in [Bound::Exact, Bound::Least, Bound::Most] {
            let mut with = all
                .iter()
                .filter(|(.., memory)| memory.last(bound).is_some());
            let Some((at, text, _)) = with.next_back() else {
                continue;
            };
            for (earlier, earlier_text, _) in with {
                let word = Word {
                    at: *earlier,
                    text: earlier_text,
                };
                let what = format!("has no effect: the later {text} wins");
                if earlier != at {
                    self.warning(&word, Code::Duplicate, what);
                }
            }
        }
        let fixed = |bound| {
            let amount = all
                .iter()
                .rev()
                .find_map(|(.., memory)| memory.last(bound))?;
            let fixed = amount.percent.is_none() && !amount.minus;
            amount.size.filter(|_| fixed)
        };
        match (fixed(Bound::Least), fixed(Bound::Exact), fixed(Bound::Most)) {
            (Some(least), _, Some(most)) if least.bytes > most.bytes => {
                let what = format!("min: {least} is above max: {most}");
                self.error(&last, Code::Contradiction, what);
            }
            (_, Some(exact), Some(most)) if exact.bytes > most.bytes => {
                let what = format!("{exact} is above max: {most}, which wins");
                self.warning(&last, Code::Contradiction, what);
            }
            _ => {}
        }
        let bounded = all
            .iter()
            .any(|(.., memory)| memory.last(Bound::Most).is_some());
        if !bounded && self.target.arch == Arch::X86_64 {
            let what = "without max: Dom0 keeps page tables for all of the host's memory";
            self.remark(&last, Severity::Hint, Code::NoMaximum, what);
        }
    }
}

/// Options of the kernel that often stand on the wrong line.
fn is_linux(key: &str) -> bool {
    const NAMES: [&str; 14] = [
        "BOOT_IMAGE",
        "init",
        "initrd",
        "nomodeset",
        "quiet",
        "rdinit",
        "ro",
        "root",
        "rootdelay",
        "rootflags",
        "rootfstype",
        "rootwait",
        "rw",
        "splash",
    ];
    const MODULES: [&str; 5] = ["rd.", "systemd.", "xen-blkback.", "xen-pciback.", "net."];
    NAMES.contains(&key) || MODULES.iter().any(|module| key.starts_with(module))
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
