//! What `lint` took as it is.

use crate::Target;
use crate::finding::{Code, Finding, Severity};
use crate::line::{END, words};
use crate::lint::resolve;
use crate::table::Parser;

/// Custom options whose values are looked at.
const KNOWN: [&str; 2] = ["dom0_mem", "dom0_max_vcpus"];

/// A hint for each value that Xen reads by a grammar of its own which is not
/// known here, so that silence is not taken for approval.
pub(crate) fn unchecked(text: &str, target: &Target) -> Vec<Finding> {
    let options = words(text).take_while(|word| word.text != END);
    options
        .filter(|word| word.value().is_some_and(|value| !value.is_empty()))
        .filter(|word| {
            resolve(word, target).is_some_and(|(entry, negated)| {
                !negated
                    && entry.on(target.arch)
                    && entry.at(target.xen)
                    && matches!(entry.parser, Parser::Text | Parser::Custom)
                    && !KNOWN.contains(&entry.name)
            })
        })
        .map(|word| Finding {
            severity: Severity::Hint,
            code: Code::Unchecked,
            at: word.at,
            word: word.text.to_owned(),
            what: "value not checked".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arch;

    #[test]
    fn names_the_values_whose_grammar_is_not_known() {
        let target = Target {
            arch: Arch::X86_64,
            xen: None,
        };
        let line = "dom0_mem=1G,max:1G ucode=scna noreboot smt=0 com1=banana dtuart=x \
                    console= iomu=1 -- root=/dev/sda1";
        let told: Vec<String> = unchecked(line, &target)
            .iter()
            .map(Finding::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "ucode=scna: value not checked",
                "com1=banana: value not checked"
            ]
        );
    }
}
