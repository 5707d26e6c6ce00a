//! Names and the patterns that match them.

/// The name with every dash as an underscore, except between brackets, where
/// it is a range: to the kernel both spellings are one name (modprobe.d(5)).
#[must_use]
pub fn underscored(name: &str) -> String {
    let mut bracket = false;
    name.chars()
        .map(|c| {
            match c {
                '[' => bracket = true,
                ']' => bracket = false,
                '-' if !bracket => return '_',
                _ => {}
            }
            c
        })
        .collect()
}

/// Does the shell pattern match the whole text? As fnmatch(3) without flags:
/// `*`, `?`, `[a-z]`, `[!a-z]`, a backslash before a plain character; a slash
/// is no border.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // A bracket after it is never closed. Looked for once: else a line of
    // brackets would be searched to its end for each of them.
    let last_close = pattern.iter().rposition(|byte| *byte == b']').unwrap_or(0);
    // Where to go on when what follows the last star does not fit.
    let mut last_star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            last_star = Some((p, t));
            continue;
        }
        let step = match text.get(t) {
            None if p == pattern.len() => return true,
            None => return false,
            Some(byte) => match_one(&pattern[p..], *byte, p < last_close),
        };
        if let Some(length) = step {
            p += length;
            t += 1;
        } else if let Some((after_star, from)) = last_star {
            p = after_star;
            t = from + 1;
            last_star = Some((p, t));
        } else {
            return false;
        }
    }
}

/// The length of the pattern's first element, if it fits the byte.
fn match_one(pattern: &[u8], byte: u8, may_close: bool) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] if may_close => match match_set(rest, byte) {
            Some((length, true)) => Some(length + 1),
            Some((_, false)) => None,
            // A bracket that is never closed is a bracket.
            None => (byte == b'[').then_some(1),
        },
        [b'\\', escaped, ..] => (byte == *escaped).then_some(2),
        [plain, ..] => (byte == *plain).then_some(1),
    }
}

/// The length of a set up to its closing bracket, and whether the byte is in it.
fn match_set(set: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(set.first(), Some(b'!' | b'^'));
    let first = usize::from(negated);
    let mut at = first;
    let mut found = false;
    loop {
        match set.get(at..)? {
            [b']', ..] if at > first => return Some((at + 1, found != negated)),
            [low, b'-', high, ..] if *high != b']' => {
                found |= (*low..=*high).contains(&byte);
                at += 3;
            }
            [plain, ..] => {
                found |= *plain == byte;
                at += 1;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_an_underscore_but_between_brackets() {
        assert_eq!(underscored("xen-scsi-back"), "xen_scsi_back");
        assert_eq!(underscored("usb:d[0-9]-x"), "usb:d[0-9]_x");
    }

    #[test]
    fn matches_as_the_shell_does() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("xen-backend:vif", "xen-backend:vif", true),
            ("pci:v00008086d*sv*", "pci:v00008086d1533sv1", true),
            ("pci:v*d*", "pci:v1", false),
            ("*", "", true),
            ("**a", "bba", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("d[0-3]e", "d2e", true),
            ("d[0-3]e", "d4e", false),
            ("d[!0-3]e", "d4e", true),
            ("d[]x]e", "d]e", true),
            ("d[x-]e", "d-e", true),
            ("d[xe", "d[xe", true),
            ("d\\*e", "d*e", true),
            ("d\\*e", "dxe", false),
            ("a/*", "a/b/c", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} against {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "a*".repeat(40) + "b";
        assert!(!matches(&pattern, &"a".repeat(4000)));
    }

    #[test]
    fn brackets_that_are_never_closed_take_no_cubic_time() {
        let pattern = format!("*{}", "[".repeat(1 << 20));
        assert!(!matches(&pattern, &"[".repeat(1000)));
        assert!(matches("*[[[", "[[[[["));
        assert!(matches("*[]x", "a[]x"));
    }
}
