//! `explain` and `list`: the table for people and programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::finding::Finding;
use crate::forecast::{Host, VCPUS_MAX_PVH, told};
use crate::format::to_json;
use crate::grammar::{Amount, Bound, Memory, Vcpus, describe, parse_boolean, parse_size};
use crate::line::{Word, words};
use crate::lint::{lint, resolve};
use crate::table::{Entry, Parser, find, nearest, table, written};
use crate::{Error, Target};

/// A row of the table, for programs. The keys are stable.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

/// What a value means on a host, as far as that is known.
#[derive(Debug, Serialize)]
struct Value {
    text: String,
    /// Bytes of memory of Dom0 when it starts.
    memory: Option<u64>,
    /// Bytes that it may grow to; none: no bound.
    memory_max: Option<u64>,
    vcpus: Option<u64>,
    findings: Vec<Finding>,
    #[serde(skip)]
    told: Vec<String>,
}

/// What each of the options is, and what its value means where it has one.
///
/// # Errors
/// A name that Xen does not know, or none.
pub fn explain(
    options: &[String],
    target: &Target,
    host: &Host,
    json: bool,
) -> Result<String, Error> {
    let mut rows: Vec<Explained<'_>> = vec![];
    let mut text = String::new();
    // A quoted line is as good as its words.
    let words = options.iter().flat_map(|option| {
        let is_blank = option.trim_matches(' ').is_empty();
        let nothing = is_blank.then_some(Word {
            at: 0,
            text: option,
        });
        words(option).chain(nothing)
    });
    for word in words {
        if word.key().trim_matches(' ').is_empty() {
            let why = format!("{:?}: the name of an option expected", word.text);
            return Err(Error::Usage(why));
        }
        let resolved = resolve(&word, target).or_else(|| without_index(&word, target));
        let Some((entry, negated)) = resolved else {
            return Err(unknown(word.key(), target));
        };
        let entries = find(entry.name, target);
        let holding: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| entry.on(target.arch))
            .collect();
        // Better the other machine's row than nothing, and a row for this kind
        // of machine before the one for all.
        let mut shown = if holding.is_empty() { entries } else { holding };
        if shown.iter().any(|entry| !entry.machines.is_empty()) {
            shown.retain(|entry| !entry.machines.is_empty());
        }
        if !text.is_empty() {
            text.push('\n');
        }
        for entry in &shown {
            text += &block(entry);
        }
        let says_something = negated || word.value().is_some();
        let value = says_something.then(|| meaning(&word, entry, negated, target, host));
        for line in value.iter().flat_map(|value| &value.told) {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "  {line}");
        }
        let mut values = std::iter::once(value);
        rows.extend(shown.into_iter().map(|entry| Explained {
            entry,
            value: values.next().flatten(),
        }));
    }
    if json { to_json(&rows) } else { Ok(text) }
}

/// An option that takes an index, named without one or without a value.
fn without_index(word: &Word<'_>, target: &Target) -> Option<(&'static Entry, bool)> {
    let name = word.key().split('[').next()?;
    let entry = find(&format!("{name}["), target).into_iter().next()?;
    Some((entry, false))
}

fn unknown(name: &str, target: &Target) -> Error {
    let meant = nearest(name, target).map(|meant| format!(" (did you mean {}?)", written(meant)));
    Error::NoOption(format!(
        "{name}: Xen has no such option{}",
        meant.unwrap_or_default()
    ))
}

fn block(entry: &Entry) -> String {
    let mut text = format!("{}\n  {}\n", written(entry.name), entry.about);
    let syntax = describe(entry.syntax);
    let takes = match entry.parser {
        Parser::Boolean => "yes or no",
        Parser::Integer => "a whole number",
        Parser::Size => "a size: a number with T, G, M, K or B",
        _ if syntax.is_empty() => "anything; Xen does not look at it",
        Parser::Ignored | Parser::Text | Parser::Custom => &syntax,
    };
    let machines = match entry.machines {
        "" => "all",
        some => some,
    };
    let releases = entry.releases().unwrap_or_default();
    let later = if entry.runtime {
        "xl set-parameters"
    } else {
        ""
    };
    let facts = [
        ("takes", takes),
        ("default", entry.default),
        ("machines", machines),
        ("releases", &releases),
        ("later", later),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let label = format!("{name}:");
        let _ = writeln!(text, "  {label:<9} {fact}");
    }
    text
}

/// What a value means, or the `no-` before the name, and what is wrong with it.
fn meaning(word: &Word<'_>, entry: &Entry, negated: bool, target: &Target, host: &Host) -> Value {
    // Without a value it is to Xen what no- says.
    let text = word.value().unwrap_or("no");
    let said = if negated { word.text } else { text };
    let mut value = Value {
        text: text.to_owned(),
        memory: None,
        memory_max: None,
        vcpus: None,
        findings: lint(word.text, target),
        told: vec![],
    };
    match (entry.name, entry.parser) {
        ("dom0_mem", _) if !negated => {
            if let Ok(memory) = Memory::parse(text, target.arch) {
                let amounts: Vec<String> = memory.amounts.iter().map(amount).collect();
                value.told.push(format!("{text}: {}", amounts.join(", ")));
                match host.memory {
                    Some(bytes) => value.foretell_memory(&memory, bytes, target),
                    None => value
                        .told
                        .push("on a host: say which with --host-mem 64G".to_owned()),
                }
            }
        }
        ("dom0_max_vcpus", _) if !negated => {
            if let Ok(vcpus) = Vcpus::parse(text, target.arch) {
                let range = match vcpus.most {
                    Some(most) if most == vcpus.least => format!("{most} processors"),
                    Some(most) => {
                        format!("as the host has, at least {}, at most {most}", vcpus.least)
                    }
                    None => format!("as the host has, at least {}", vcpus.least),
                };
                value.told.push(format!("{text}: {range}"));
                if let Some(cpus) = host.cpus {
                    let given = vcpus.forecast(cpus, target.arch);
                    value.vcpus = Some(given);
                    let mut told = format!("on a host with {cpus}: {given}");
                    if given > VCPUS_MAX_PVH {
                        told += &format!("; a PVH Dom0 has at most {VCPUS_MAX_PVH}");
                    }
                    value.told.push(told);
                }
            }
        }
        (_, Parser::Size) => {
            if let Ok(size) = parse_size(text) {
                value.told.push(format!("{text}: {size}"));
            }
        }
        (_, Parser::Boolean) => {
            if let Ok(is_on) = parse_boolean(word.value().unwrap_or_default()) {
                let meant = if is_on != negated { "yes" } else { "no" };
                value.told.push(format!("{said}: {meant}"));
            }
        }
        _ if value.findings.is_empty() => value.told.push(format!("{said}: is taken so")),
        _ => {}
    }
    let findings = value.findings.iter().map(Finding::to_string);
    value.told.extend(findings);
    value
}

impl Value {
    fn foretell_memory(&mut self, memory: &Memory, host: u64, target: &Target) {
        let forecast = memory.forecast(host, target.arch);
        self.memory = Some(forecast.now);
        self.memory_max = forecast.most;
        let later = match forecast.most {
            Some(most) if most == forecast.now => "never more".to_owned(),
            Some(most) => format!("at most {} later", told(most)),
            None => "later without bound".to_owned(),
        };
        self.told.push(format!(
            "on a host where {} are free once Xen runs: {}, {later}",
            told(host),
            told(forecast.now)
        ));
    }
}

fn amount(amount: &Amount) -> String {
    let bound = match amount.bound {
        Bound::Exact => "",
        Bound::Least => "at least ",
        Bound::Most => "at most ",
    };
    let minus = if amount.minus { "all but " } else { "" };
    let parts = [
        amount.size.map(|size| size.to_string()),
        amount
            .percent
            .map(|percent| format!("{percent} % of the host's memory")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{bound}{minus}{}", parts.join(" and "))
}

/// The options of the target, one a line.
///
/// # Errors
/// None matches.
pub fn list(pattern: Option<&str>, target: &Target, json: bool) -> Result<String, Error> {
    let wanted = pattern.unwrap_or_default().to_ascii_lowercase();
    let matches = |entry: &&Entry| {
        entry.on(target.arch)
            && entry.at(target.xen)
            && (entry.name.contains(&wanted) || entry.about.to_ascii_lowercase().contains(&wanted))
    };
    let mut found: Vec<&Entry> = table().iter().filter(matches).collect();
    if found.is_empty() {
        return Err(Error::NoMatch { pattern: wanted });
    }
    if json {
        return to_json(&found);
    }
    // For people a name is one option, whatever rows it has.
    found.dedup_by_key(|entry| entry.name);
    let width = found
        .iter()
        .map(|entry| written(entry.name).len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for entry in found {
        let _ = writeln!(text, "{:<width$}  {}", written(entry.name), entry.about);
    }
    Ok(text)
}
