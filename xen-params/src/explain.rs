//! `explain` and `list`: the table for people and programs.

use std::fmt::Write as _;

use crate::format::to_json;
use crate::grammar::{Amount, Bound, Memory, Vcpus, parse_size};
use crate::line::Word;
use crate::lint::{lint, resolve};
use crate::table::{Entry, Parser, find, nearest, table};
use crate::{Error, Target};

/// What each of the options is, and what its value means where it has one.
///
/// # Errors
/// A name that Xen does not know, or none.
pub fn explain(options: &[String], target: &Target, json: bool) -> Result<String, Error> {
    let mut rows: Vec<&Entry> = vec![];
    let mut text = String::new();
    for option in options {
        let word = Word {
            at: 0,
            text: option,
        };
        if word.key().is_empty() {
            let why = format!("{option:?}: the name of an option expected");
            return Err(Error::Usage(why));
        }
        let Some((entry, _)) = resolve(&word, target) else {
            return Err(unknown(word.key(), target));
        };
        let entries = find(entry.name, target);
        let holding: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| entry.on(target.arch))
            .collect();
        // Better the other machine's row than nothing.
        let shown = if holding.is_empty() { entries } else { holding };
        rows.extend(&shown);
        if !text.is_empty() {
            text.push('\n');
        }
        let blocks: Vec<String> = shown.iter().map(|entry| block(entry)).collect();
        text += &blocks.join("\n");
        if let Some(value) = word.value() {
            text += &value_lines(option, entry, value, target);
        }
    }
    if json { to_json(&rows) } else { Ok(text) }
}

fn unknown(name: &str, target: &Target) -> Error {
    let meant = nearest(name, target).map(|meant| format!(" (did you mean {meant}?)"));
    Error::NoOption(format!(
        "{name}: Xen has no such option{}",
        meant.unwrap_or_default()
    ))
}

fn block(entry: &Entry) -> String {
    let mut text = format!("{}\n  {}\n", entry.name, entry.about);
    let syntax = entry.syntax.trim_start_matches('=').trim_start();
    let takes = match entry.parser {
        Parser::Boolean => "yes or no",
        Parser::Integer => "a whole number",
        Parser::Size => "a size: a number with T, G, M, K or B",
        Parser::Ignored if syntax.is_empty() => "anything; Xen itself ignores it",
        Parser::Ignored | Parser::Text | Parser::Custom => syntax,
    };
    let machines = match entry.machines {
        "" => "all",
        some => some,
    };
    let releases = entry.releases();
    let facts = [
        ("takes", takes),
        ("default", entry.default),
        ("machines", machines),
        ("releases", releases.as_deref().unwrap_or_default()),
        (
            "later",
            if entry.runtime {
                "xl set-parameters"
            } else {
                ""
            },
        ),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let label = format!("{name}:");
        // A String takes whatever is written to it.
        let _ = writeln!(text, "  {label:<9} {fact}");
    }
    text
}

/// What a value means, and what is wrong with it.
fn value_lines(option: &str, entry: &Entry, value: &str, target: &Target) -> String {
    let meaning = match (entry.name, entry.parser) {
        ("dom0_mem", _) => Memory::parse(value, target.arch).ok().map(|memory| {
            let told: Vec<String> = memory.amounts.iter().map(amount).collect();
            told.join(", ")
        }),
        ("dom0_max_vcpus", _) => Vcpus::parse(value).ok().map(|vcpus| match vcpus.most {
            Some(most) if most == vcpus.least => format!("{most} processors"),
            Some(most) => format!("as the host has, at least {}, at most {most}", vcpus.least),
            None => format!("as the host has, at least {}", vcpus.least),
        }),
        (_, Parser::Size) => parse_size(value).ok().map(|size| size.to_string()),
        _ => None,
    };
    let mut text = String::new();
    if let Some(meaning) = meaning {
        let _ = writeln!(text, "  {value}: {meaning}");
    }
    for finding in lint(option, target) {
        let _ = writeln!(text, "  {finding}");
    }
    text
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
        .map(|entry| entry.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for entry in found {
        let _ = writeln!(text, "{:<width$}  {}", entry.name, entry.about);
    }
    Ok(text)
}
