//! Two lines side by side.

use std::fmt::Write as _;

use crate::merge::name;

/// The options in which two lines differ: `-` only in the first, `+` only in
/// the second. An option's place among the others does not count, but the
/// order of those with one name does. `placeholder`, which GRUB's scripts put
/// first, means nothing and is left out.
#[must_use]
pub fn diff(a: &str, b: &str) -> String {
    let (a, b) = (by_name(a), by_name(b));
    let mut names: Vec<&str> = vec![];
    for (name, _) in a.iter().chain(&b) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut text = String::new();
    for name in names {
        let (old, new) = (of(&a, name), of(&b, name));
        if old == new {
            continue;
        }
        for (sign, options) in [('-', &old), ('+', &new)] {
            for option in options {
                // A String takes whatever is written to it.
                let _ = writeln!(text, "{sign}{option}");
            }
        }
    }
    text
}

fn by_name(line: &str) -> Vec<(&str, &str)> {
    crate::line::words(line)
        .filter(|word| word.text != "placeholder")
        .map(|word| (name(&word), word.text))
        .collect()
}

fn of<'a>(line: &[(&'a str, &'a str)], wanted: &str) -> Vec<&'a str> {
    line.iter()
        .filter(|(name, _)| *name == wanted)
        .map(|(_, option)| *option)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_different_options_does_not_count() {
        assert_eq!(diff("placeholder a=1  b", "b a=1"), "");
        assert_eq!(diff("", ""), "");
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
}
