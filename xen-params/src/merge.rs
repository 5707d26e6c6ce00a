//! A line put on top of another one.

use crate::line::{Line, Word};

/// What adds up, so that a later one takes nothing back.
const ADDED: [&str; 1] = ["pci-phantom"];

/// What GRUB puts first by itself.
const PLACEHOLDER: &str = "placeholder";

/// The options of `base` in their order, where one that `over` names too is
/// replaced by what is said there; what is new follows.
#[must_use]
pub fn merge(base: &Line, over: &Line) -> Line {
    let mut line = Line::default();
    let mut placed: Vec<&str> = vec![];
    for word in base.words().filter(|word| word.text != PLACEHOLDER) {
        let name = name(&word);
        let mut newer = over
            .words()
            .filter(|other| self::name(other) == name)
            .peekable();
        if ADDED.contains(&name) || newer.peek().is_none() {
            line.add(word.text);
        } else if !placed.contains(&name) {
            newer.for_each(|newer| line.add(newer.text));
            placed.push(name);
        }
    }
    for word in over.words().filter(|word| !placed.contains(&name(word))) {
        // What adds up is not there twice for being named again.
        let is_there = || base.words().any(|other| other.text == word.text);
        if !ADDED.contains(&name(&word)) || !is_there() {
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
                "placeholder dom0_mem=1G,max:1G watchdog com1=9600 dom0_mem=max:2G",
                "noreboot dom0_mem=min:2G dom0_mem=max:4G no-watchdog"
            ),
            "dom0_mem=min:2G dom0_mem=max:4G no-watchdog com1=9600 noreboot"
        );
        assert_eq!(merged("a b", ""), "a b");
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
