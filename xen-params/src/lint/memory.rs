//! All the `dom0_mem` of a line together.

use super::Linter;
use crate::Arch;
use crate::finding::{Code, Severity};
use crate::grammar::{Bound, Memory};
use crate::line::Word;

impl Linter<'_> {
    /// Several dom0_mem options add up; a bound that is named again wins.
    pub(super) fn whole_memory(&mut self) {
        let all = std::mem::take(&mut self.memory);
        let Some((last, _)) = all.last() else {
            return;
        };
        for bound in [Bound::Exact, Bound::Least, Bound::Most] {
            self.superseded(&all, bound);
        }
        let fixed = |bound| {
            let amount = all
                .iter()
                .rev()
                .find_map(|(_, memory)| memory.last(bound))?;
            let fixed = amount.percent.is_none() && !amount.minus;
            amount.size.filter(|_| fixed)
        };
        match (fixed(Bound::Least), fixed(Bound::Exact), fixed(Bound::Most)) {
            (Some(least), _, Some(most)) if least.bytes > most.bytes => {
                let what = format!("min: {least} is above max: {most}");
                self.error(last, Code::Contradiction, what);
            }
            (_, Some(exact), Some(most)) if exact.bytes > most.bytes => {
                let what = format!("{exact} is above max: {most}, which wins");
                self.warning(last, Code::Contradiction, what);
            }
            (Some(least), Some(exact), _) if exact.bytes != 0 && exact.bytes < least.bytes => {
                let what = format!("{exact} is below min: {least}, which wins");
                self.warning(last, Code::Contradiction, what);
            }
            _ => {}
        }
        let has = |bound| all.iter().any(|(_, memory)| memory.last(bound).is_some());
        if !has(Bound::Most) && self.target.arch == Arch::X86_64 {
            let what = "without max: Dom0 keeps tables for all of the host's memory, and may \
                        grow into it";
            self.remark(last, Severity::Warning, Code::NoMaximum, what);
        }
    }

    fn superseded(&mut self, all: &[(Word<'_>, Memory)], bound: Bound) {
        let mut with = all
            .iter()
            .filter(|(_, memory)| memory.last(bound).is_some());
        let Some((winner, _)) = with.next_back() else {
            return;
        };
        for (word, _) in with {
            let what = format!("has no effect: the later {} wins", winner.text);
            self.warning(word, Code::Duplicate, what);
        }
    }
}
