//! Patterns: the matcher agrees with one that tries every way. The first line
//! of the input is the pattern.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::{matches, underscored};

/// Tries every way. Only for `*`, `?` and plain characters.
fn tries_all(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| tries_all(rest, &text[taken..])),
        ([b'?', p @ ..], [_, t @ ..]) => tries_all(p, t),
        ([a, p @ ..], [b, t @ ..]) if a == b => tries_all(p, t),
        _ => false,
    }
}

fuzz_target!(|input: &str| {
    let (pattern, text) = input.split_once('\n').unwrap_or((input, ""));
    let found = matches(pattern, text);
    let stars = pattern.matches('*').count();
    let small = text.len() <= 32 && stars <= 5;
    if small && !pattern.contains(['[', '\\']) {
        assert_eq!(found, tries_all(pattern.as_bytes(), text.as_bytes()));
    }
    let once = underscored(pattern);
    assert_eq!(underscored(&once), once);
});
