//! A line put on top of another one.

use crate::line::{Line, Word, without_grub_s_own};

/// What adds up, so that a later one takes nothing back.
const ADDED: [&str; 1] = ["pci-phantom"];

/// The options of `base` in their order, where one that `over` names too is
/// replaced by what is said there; what is new follows. What GRUB's scripts
/// put around a line is left out: they do so again.
#[must_use]
pub fn merge(base: &Line, over: &Line) -> Line {
    let mut line = Line::default();
    let mut placed: Vec<&str> = vec![];
    let (base, over) = (
        without_grub_s_own(base.words()),
        without_grub_s_own(over.words()),
    );
    for word in &base {
        let name = name(word);
        let mut newer = over
            .iter()
            .filter(|other| self::name(other) == name)
            .peekable();
        if ADDED.contains(&name) || newer.peek().is_none() {
            line.add(word.text);
        } else if !placed.contains(&name) {
            newer.for_each(|newer| line.add(newer.text));
            placed.push(name);
        }
    }
    for word in over.iter().filter(|word| !placed.contains(&name(word))) {
        // What adds up is not there twice for being named again.
        let is_there = || base.iter().any(|other| other.text == word.text);
        if !ADDED.contains(&name(word)) || !is_there() {
            line.add(word.text);
        }
    }
    line
}

/// `no-watchdog` and `watchdog=1` are about one thing.
pub(crate) fn name<'a>(word: &Word<'a>) -> &'a str {
    let key = word.key();
    if key == "no-real-mode" {
        return key;
    }
    key.strip_prefix("no-").unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, over: &str) -> String {
        merge(&Line::parse(base), &Line::parse(over)).to_string()
    }

    #[test]
    fn later_wins_and_the_order_is_kept() {
        assert_eq!(
            merged(
                "placeholder sched=credit watchdog com1=9600 sched=rtds",
                "noreboot sched=credit2 sched=null no-watchdog"
            ),
            "sched=credit2 sched=null no-watchdog com1=9600 noreboot"
        );
        assert_eq!(merged("a b", ""), "a b");
        assert_eq!(merged("placeholder a no-real-mode edd=off", "b"), "a b");
        assert_eq!(merged("", "a b"), "a b");
        assert_eq!(
            merged(
                "pci-phantom=1:0,4 smt=0",
                "pci-phantom=1:0,4 pci-phantom=2:0,4"
            ),
            "pci-phantom=1:0,4 smt=0 pci-phantom=2:0,4"
        );
        assert_eq!(
            merged(
                "ivrs_hpet[0]=00:14.0 pci-phantom=1:0,4",
                "ivrs_hpet[1]=00:14.0 pci-phantom=2:0,4"
            ),
            "ivrs_hpet[0]=00:14.0 pci-phantom=1:0,4 ivrs_hpet[1]=00:14.0 pci-phantom=2:0,4"
        );
    }
}
