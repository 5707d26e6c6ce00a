//! What is wrong with a line: what Xen would complain of, or take silently for
//! something else than was meant.

mod linux;
mod memory;
mod pairs;
mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Target;
use crate::finding::{Code, Finding, Severity};
use crate::grammar::Memory;
use crate::line::{END, LINE_MAX, OPTION_MAX, Word, last_word, words};
use crate::table::{Entry, Parser, find, nearest, written};

pub use linux::lint_linux;

/// Says what is wrong with a line, in the line's order.
#[must_use]
pub fn lint(text: &str, target: &Target) -> Vec<Finding> {
    let mut linter = Linter {
        target,
        findings: vec![],
        seen: vec![],
        judged: BTreeMap::new(),
        memory: vec![],
    };
    let mut all = words(text);
    for word in all.by_ref() {
        if word.text == END {
            let what = match all.next() {
                Some(next) => format!(
                    "ends Xen's part of the line; {} and what follows it is the Dom0 kernel's",
                    next.text
                ),
                None => "ends Xen's part of the line".to_owned(),
            };
            linter.remark(&word, Severity::Error, Code::EndOfXen, what);
            break;
        }
        linter.word(&word);
    }
    linter.whole_memory();
    linter.pairs();
    if text.len() > LINE_MAX {
        let what = format!(
            "the line has {} bytes; Xen keeps {LINE_MAX} for xl info",
            text.len()
        );
        linter.remark(&last_word(text), Severity::Error, Code::LineTooLong, what);
    }
    linter.findings
}

/// The row of an option, and whether `no-` stands before its name.
pub(crate) fn resolve(word: &Word<'_>, target: &Target) -> Option<(&'static Entry, bool)> {
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

/// Options with a parser of their own that sets all of what it reads each time.
const WHOLE: [&str; 26] = [
    "acpi_apic_instance",
    "apic",
    "apic_verbosity",
    "bootscrub",
    "console_timestamps",
    "core_parking",
    "crashinfo_maxaddr",
    "credit2_runqueue",
    "dom0_max_vcpus",
    "flask",
    "font",
    "gnttab_max_frames",
    "gnttab_max_maptrack_frames",
    "guest_loglvl",
    "ioapic_ack",
    "loglvl",
    "low_crashinfo",
    "mmio-relax",
    "sched-gran",
    "smap",
    "smep",
    "snb_igd_quirk",
    "tsx",
    "wallclock",
    "watchdog_timeout",
    "x2apic-mode",
];

/// Options that a release has, but not each build of it.
const BUILT_WITH: [(&str, &str); 14] = [
    ("argo", "ARGO"),
    ("cpu_type", "XENOPROF"),
    ("debugtrace", "DEBUG_TRACE"),
    ("flask", "XSM_FLASK"),
    ("gdb", "CRASH_DEBUG"),
    ("hardware_dom", "LATE_HWDOM"),
    ("highmem-start", "DEBUG"),
    ("hvm_debug", "DEBUG"),
    ("hvm_fep", "HVM_FEP"),
    ("lock-depth-size", "DEBUG_LOCKS"),
    ("pv-shim", "PV_SHIM"),
    ("shim_mem", "PV_SHIM"),
    ("tboot", "TBOOT"),
    ("xsm", "XSM"),
];

/// The row of an option, and whether `no-` stands before its name.
type Judgement = Option<(&'static Entry, bool)>;

struct Linter<'a> {
    target: &'a Target,
    findings: Vec<Finding>,
    /// Every option that Xen knows.
    seen: Vec<Seen<'a>>,
    /// Each word, and what was found in it: a line that repeats itself is not
    /// slow.
    judged: BTreeMap<&'a str, (Judgement, Vec<Finding>)>,
    /// Every amount of dom0_mem, with the option that it stands in.
    memory: Vec<(Word<'a>, Memory)>,
}

/// An option of the line.
struct Seen<'a> {
    entry: &'static Entry,
    word: Word<'a>,
    negated: bool,
}

impl<'a> Linter<'a> {
    fn remark(
        &mut self,
        word: &Word<'_>,
        severity: Severity,
        code: Code,
        what: impl Into<Cow<'static, str>>,
    ) {
        // What is found late may be about an earlier option.
        let place = self.findings.partition_point(|known| known.at <= word.at);
        let finding = Finding {
            severity,
            code,
            at: word.at,
            word: word.text.to_owned(),
            what: what.into(),
        };
        // One option may give two reasons for one remark.
        let earlier = self.findings[..place].iter().rev();
        let mut here = earlier.take_while(|known| known.at == word.at);
        if !here.any(|known| *known == finding) {
            self.findings.insert(place, finding);
        }
    }

    fn error(&mut self, word: &Word<'_>, code: Code, what: impl Into<Cow<'static, str>>) {
        self.remark(word, Severity::Error, code, what);
    }

    fn warning(&mut self, word: &Word<'_>, code: Code, what: impl Into<Cow<'static, str>>) {
        self.remark(word, Severity::Warning, code, what);
    }

    fn word(&mut self, word: &Word<'a>) {
        let judgement = match self.judged.get(word.text) {
            Some((judgement, findings)) => {
                let again = findings.iter().cloned();
                self.findings.extend(again.map(|finding| Finding {
                    at: word.at,
                    ..finding
                }));
                *judgement
            }
            None => {
                let begin = self.findings.len();
                let judgement = self.judge(word);
                // Amounts of memory are gathered each time.
                let is_memory = self.memory.last().is_some_and(|(last, _)| last == word);
                if !is_memory {
                    let findings = self.findings[begin..].to_vec();
                    self.judged.insert(word.text, (judgement, findings));
                }
                judgement
            }
        };
        if let Some((entry, negated)) = judgement {
            self.duplicate(word, entry);
            self.seen.push(Seen {
                entry,
                word: *word,
                negated,
            });
        }
    }

    /// Looks at a word by itself; gives its row, and whether `no-` stands before
    /// it, where Xen knows it.
    fn judge(&mut self, word: &Word<'a>) -> Judgement {
        if word.text.chars().any(char::is_control) {
            let what = "a tab or another control character; only a space separates options";
            self.error(word, Code::ControlCharacter, what);
            return None;
        }
        if word.text.len() > OPTION_MAX {
            let what = format!(
                "{} bytes long; Xen silently cuts off what is over {OPTION_MAX}",
                word.text.len()
            );
            self.error(word, Code::OptionTooLong, what);
        }
        let Some((entry, negated)) = resolve(word, self.target) else {
            self.unknown(word);
            return None;
        };
        if !entry.on(self.target.arch) {
            let what = format!("only on {}, not on {}", entry.machines, self.target.arch);
            self.error(word, Code::OtherMachine, what);
            return None;
        }
        if !entry.at(self.target.xen) {
            let releases = entry.releases().unwrap_or_default();
            let xen = self.target.xen.map(|xen| xen.to_string());
            let what = format!("{releases}, not in {}", xen.unwrap_or_default());
            self.error(word, Code::OtherRelease, what);
            return None;
        }
        self.obsolete(word, entry);
        self.value(word, entry, negated);
        if let Some((_, config)) = BUILT_WITH.iter().find(|(name, _)| *name == entry.name) {
            let what = format!("only in a Xen built with CONFIG_{config}, others do not know it");
            self.remark(word, Severity::Hint, Code::BuildDependent, what);
        }
        Some((entry, negated))
    }

    fn unknown(&mut self, word: &Word<'_>) {
        let key = word.key();
        let name = key.strip_prefix("no-").unwrap_or(key);
        if linux::is_linux(key) {
            let own = linux::xen_s_own(key).map(|own| format!(" (Xen: {own})"));
            let what = format!(
                "an option of Linux: it belongs on the Dom0 kernel's line{}",
                own.unwrap_or_default()
            );
            return self.error(word, Code::LinuxOption, what);
        }
        let what = match nearest(name, self.target) {
            Some(meant) => {
                let meant = written(meant);
                format!("Xen has no such option (did you mean {meant}?)").into()
            }
            None => Cow::Borrowed("Xen has no such option"),
        };
        self.error(word, Code::Unknown, what);
    }

    /// Gone by now, or to be said in another way.
    fn obsolete(&mut self, word: &Word<'_>, entry: &Entry) {
        if let Some(last) = entry.last {
            let what = format!("obsolete: Xen {last} is the last that knows it");
            self.remark(word, Severity::Warning, Code::Obsolete, what);
        }
        if let Some(now) = entry.now() {
            let what = format!("obsolete: now {now}");
            self.remark(word, Severity::Hint, Code::Obsolete, what);
        }
    }

    fn duplicate(&mut self, word: &Word<'a>, entry: &Entry) {
        // Those with a function of their own may add up.
        let adds_up = match entry.parser {
            Parser::Custom => !WHOLE.contains(&entry.name),
            parser => parser == Parser::Ignored,
        };
        if adds_up {
            return;
        }
        let earlier = self.seen.iter().rfind(|seen| seen.entry.name == entry.name);
        if let Some(earlier) = earlier.map(|seen| seen.word) {
            let what = format!("has no effect: the later {} wins", word.text);
            self.warning(&earlier, Code::Duplicate, what);
        }
    }
}

#[cfg(test)]
mod tests;
