//! Two lines side by side.

use std::fmt;

use serde::Serialize;

use crate::grammar::{check, parse_boolean};
use crate::line::{Word, without_grub_s_own, words};
use crate::merge::name;
use crate::table::{Entry, Parser, rows_of};

/// The options of one name, where two lines differ in them. As JSON it is one
/// object; its keys are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The name, without a `no-` before it.
    pub name: String,
    /// As they stand in the first line.
    pub a: Vec<String>,
    /// As they stand in the second.
    pub b: Vec<String>,
}

impl fmt::Display for Difference {
    /// A line for each option: `-` only in the first, `+` only in the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sign, options) in [('-', &self.a), ('+', &self.b)] {
            for option in options {
                writeln!(f, "{sign}{option}")?;
            }
        }
        Ok(())
    }
}

/// The options in which two lines differ. An option's place among the others
/// does not count, but the order of those with one name does, and so do not the
/// ways in which Xen reads one yes or no, such as `no-watchdog` and
/// `watchdog=0`. What GRUB's scripts put around a line, such as `placeholder`,
/// is left out.
#[must_use]
pub fn diff(a: &str, b: &str) -> Vec<Difference> {
    let (a, b) = (by_name(a), by_name(b));
    let mut names: Vec<&str> = vec![];
    for (name, _) in a.iter().chain(&b) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut differences = vec![];
    for name in names {
        let (old, new) = (of(&a, name), of(&b, name));
        if old.len() == new.len() && old.iter().zip(&new).all(|(a, b)| is_same(a, b)) {
            continue;
        }
        let owned = |options: Vec<&str>| options.into_iter().map(str::to_owned).collect();
        differences.push(Difference {
            name: name.to_owned(),
            a: owned(old),
            b: owned(new),
        });
    }
    differences
}

fn by_name(line: &str) -> Vec<(&str, &str)> {
    without_grub_s_own(words(line))
        .into_iter()
        .map(|word| (name(&word), word.text))
        .collect()
}

fn of<'a>(line: &[(&'a str, &'a str)], wanted: &str) -> Vec<&'a str> {
    line.iter()
        .filter(|(name, _)| *name == wanted)
        .map(|(_, option)| *option)
        .collect()
}

/// Xen takes the two for one thing. Both have one name.
fn is_same(a: &str, b: &str) -> bool {
    a == b || yes_or_no(a).is_some_and(|meant| yes_or_no(b) == Some(meant))
}

/// What an option says that is switched on or off.
fn yes_or_no(text: &str) -> Option<bool> {
    let word = Word { at: 0, text };
    let (key, value) = (word.key(), word.value().unwrap_or_default());
    let is_negated = name(&word) != key;
    // Two answers at once are no clear one.
    if is_negated && !value.is_empty() {
        return None;
    }
    let takes_it = |entry: &Entry| match entry.parser {
        Parser::Boolean => true,
        Parser::Custom => ["yes", value]
            .iter()
            .all(|v| check(entry.syntax, v, None).is_ok()),
        _ => false,
    };
    if !rows_of(name(&word)).any(takes_it) {
        return None;
    }
    parse_boolean(value).ok().map(|is_on| is_on != is_negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(a: &str, b: &str) -> String {
        let differences = super::diff(a, b);
        differences.iter().map(Difference::to_string).collect()
    }

    #[test]
    fn the_order_of_different_options_does_not_count() {
        assert_eq!(diff("placeholder a=1  b", "b a=1"), "");
        assert_eq!(diff("", ""), "");
        assert_eq!(diff("placeholder a no-real-mode edd=off", "a"), "");
        assert_eq!(diff("a edd=off", "a"), "-edd=off\n");
    }

    #[test]
    fn tells_what_was_changed_added_and_left_out() {
        assert_eq!(
            diff(
                "dom0_mem=1G watchdog loglvl=all",
                "no-watchdog dom0_mem=2G sched=rtds"
            ),
            "-dom0_mem=1G\n+dom0_mem=2G\n-watchdog\n+no-watchdog\n-loglvl=all\n+sched=rtds\n"
        );
    }

    #[test]
    fn the_order_within_one_name_counts() {
        assert_eq!(
            diff("loglvl=all loglvl=info", "loglvl=info loglvl=all"),
            "-loglvl=all\n-loglvl=info\n+loglvl=info\n+loglvl=all\n"
        );
    }

    #[test]
    fn one_yes_or_no_in_another_way_is_no_difference() {
        for (a, b) in [
            ("no-watchdog", "watchdog=0"),
            ("smt", "smt=on"),
            ("no-smt", "smt=off"),
            ("sync_console=yes", "sync_console=true"),
        ] {
            assert_eq!(diff(a, b), "", "{a} {b}");
        }
        for (a, b) in [
            ("no-watchdog", "watchdog"),
            ("watchdog", "watchdog=force"),
            ("maxcpus=1", "maxcpus=yes"),
            ("dom0_max_vcpus=1", "dom0_max_vcpus=yes"),
            ("no-smt=0", "smt"),
            ("novel=1", "novel=yes"),
            ("xsm", "xsm=1"),
        ] {
            assert_ne!(diff(a, b), "", "{a} {b}");
        }
    }
}
