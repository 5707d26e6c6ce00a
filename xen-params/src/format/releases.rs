//! Which of two releases is the newer one, by what their files are called.

use std::cmp::Ordering;

/// What follows a release in the names of those that came before it, as GRUB's
/// own `version_test_gt` has them.
const BEFORE: [&str; 6] = ["old", "rc", "pre", "test", "git", "trunk"];

/// Orders `6.1.0-9-amd64` before `6.1.0-10-amd64`, numbers as numbers, and
/// `6.13-rc2` before `6.13`.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

/// What installkernel(8) renamed, to make room for another build of a release.
pub(crate) fn is_set_aside(release: &str) -> bool {
    release.ends_with(".old")
}

/// The numbers and the texts between them, in turn; between these, whether the
/// text says nothing of an earlier state.
fn parts(text: &str) -> Vec<(u64, bool, &str)> {
    let mut found = vec![];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (between, after) = after.split_at(end);
        let (plain, earlier) = between.split_at(begin_of_earlier(between));
        let number = number.parse().unwrap_or(u64::MAX);
        if !plain.is_empty() || earlier.is_empty() {
            found.push((number, true, plain));
        }
        if !earlier.is_empty() {
            found.push((if plain.is_empty() { number } else { 0 }, false, earlier));
        }
        rest = after;
    }
    // An end counts for more than what says that it is an earlier state.
    found.push((0, true, ""));
    found
}

/// Where a word of [`BEFORE`] begins, with what separates it; else the end.
fn begin_of_earlier(text: &str) -> usize {
    let separators = text.match_indices(['.', '_', '-']);
    let is_earlier = |at: usize| {
        let word = text[at + 1..].split(|c: char| !c.is_ascii_alphabetic());
        word.take(1).any(|word| BEFORE.contains(&word))
    };
    let mut begins = separators.map(|(at, _)| at);
    begins.find(|at| is_earlier(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(compare("6.1.0-9-amd64", "6.1.0-10-amd64").is_lt());
        assert!(compare("4.17-amd64", "4.20-amd64").is_lt());
        assert!(compare("4", "4.17").is_lt());
        assert!(compare("6.1", "6.1").is_eq());
        assert!(compare("99999999999999999999", "1").is_gt());
    }

    #[test]
    fn what_came_before_a_release_is_older_than_it() {
        for ascending in [
            &["6.12.9", "6.13.0.old", "6.13.0"][..],
            &["6.13.0-rc2", "6.13.0-rc10", "6.13.0", "6.13.1-rc1"],
            &["6.13.0-rc2-amd64", "6.13.0-amd64"],
            &["4.20-rc", "4.20", "4.20.1"],
            &["4.20-amd64-pre", "4.20-amd64"],
            &["6.9.0_git20240101", "6.9.0"],
            // Other words tell of a build, not of an earlier state.
            &["5.3.18", "5.3.18-preempt"],
            &["6.1.0", "6.1.0-10-amd64"],
        ] {
            for pair in ascending.windows(2) {
                assert!(compare(pair[0], pair[1]).is_lt(), "{pair:?}");
                assert!(compare(pair[1], pair[0]).is_gt(), "{pair:?}");
            }
        }
    }
}
