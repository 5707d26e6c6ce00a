//! A line put on top of another one.

use crate::Arch;
use crate::grammar::{Bound, Memory};
use crate::line::{Line, Word, without_grub_s_own};

/// What adds up, so that a later one takes nothing back.
const ADDED: [&str; 1] = ["pci-phantom"];

/// Takes several amounts, each with a bound of its own.
const MEMORY: &str = "dom0_mem";

/// The options of `base` in their order, where one that `over` names too is
/// replaced by what is said there; what is new follows. A `dom0_mem` with bounds
/// alone leaves the amount that was there. What GRUB's scripts put around a line
/// is left out: they do so again.
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
            match bounded_memory(name, &base, &over) {
                Some(memory) => line.add(&memory),
                None => newer.for_each(|newer| line.add(newer.text)),
            }
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

/// The `dom0_mem` where bounds are put on an amount that was there: Xen adds up
/// the options of that name by what each amount is for, and without the amount
/// Dom0 would get all memory up to the bound. `None`: the newer ones say all.
fn bounded_memory(name: &str, base: &[Word<'_>], over: &[Word<'_>]) -> Option<String> {
    if name != MEMORY {
        return None;
    }
    let newer = amounts(over)?;
    let has = |wanted| newer.iter().any(|(bound, _)| *bound == wanted);
    if has(Bound::Exact) {
        return None;
    }
    let older = amounts(base)?;
    let is_last = |at: usize, bound| older[at + 1..].iter().all(|(later, _)| *later != bound);
    let kept = older
        .iter()
        .enumerate()
        .filter(|(at, (bound, _))| !has(*bound) && is_last(*at, *bound))
        .map(|(_, amount)| amount);
    let all: Vec<&str> = kept.chain(&newer).map(|(_, text)| *text).collect();
    (all.len() > newer.len()).then(|| format!("{MEMORY}={}", all.join(",")))
}

/// Every amount of a line's `dom0_mem`, as it stands there; `None` where Xen
/// would not take one.
fn amounts<'a>(words: &[Word<'a>]) -> Option<Vec<(Bound, &'a str)>> {
    let mut all = vec![];
    for word in words.iter().filter(|word| name(word) == MEMORY) {
        let value = word.value().filter(|_| word.key() == MEMORY)?;
        let memory = Memory::parse(value, Arch::X86_64).ok()?;
        let bounds = memory.amounts.iter().map(|amount| amount.bound);
        all.extend(bounds.zip(value.split(',')));
    }
    Some(all)
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

    #[test]
    fn bounds_alone_are_put_on_the_amount_that_was_there() {
        for (base, over, expected) in [
            ("4G,max:4G", "max:8G", "4G,max:8G"),
            ("max:4G,4G", "max:8G", "4G,max:8G"),
            ("4G", "max:8G", "4G,max:8G"),
            ("4G,max:8G", "min:1G", "4G,max:8G,min:1G"),
            ("2G,4G,min:1G", "min:2G,max:8G", "4G,min:2G,max:8G"),
            ("max:4G", "max:8G", "max:8G"),
            // An amount is said anew, and all with it.
            ("4G,max:4G", "2G", "2G"),
            ("4G,max:4G", "2G,max:2G", "2G,max:2G"),
            ("4G,max:4G", "max:lots", "max:lots"),
            ("lots", "max:8G", "max:8G"),
        ] {
            assert_eq!(
                merged(
                    &format!("dom0_mem={base} smt=0"),
                    &format!("dom0_mem={over}")
                ),
                format!("dom0_mem={expected} smt=0"),
                "{base} {over}"
            );
        }
        assert_eq!(
            merged(
                "dom0_mem=4G dom0_mem=max:4G",
                "dom0_mem=min:1G dom0_mem=max:8G"
            ),
            "dom0_mem=4G,min:1G,max:8G"
        );
        assert_eq!(merged("dom0_mem=4G", "no-dom0_mem"), "no-dom0_mem");
    }

    proptest::proptest! {
        #[test]
        fn a_line_on_top_of_itself_is_the_same(
            words in proptest::collection::vec(
                "placeholder|no-real-mode|edd=off|smt=[01]|pci-phantom=[12]|dom0_mem=(max:|min:)?[12]G(,max:3G)?",
                0..8,
            )
        ) {
            let line = words.join(" ");
            let once = merged(&line, &line);
            proptest::prop_assert_eq!(merged(&once, &once), once);
        }
    }
}
