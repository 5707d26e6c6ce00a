//! The line by which our own files are known, and a change in them is seen.

/// The line by which a file of ours is known: the first, or the second where
/// a script names its interpreter first. As written, it ends with a comma and
/// the fingerprint of all other lines, by which a change is seen.
pub const MARKER: &str = "# Written by xen-units";

/// What is at a file's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Exactly the file.
    Same,
    /// An older one of ours.
    Ours,
    /// One of ours that somebody has changed.
    Changed,
    /// Something that somebody else wrote.
    Foreign,
}

/// Whose file it is, by its marker.
#[must_use]
pub fn whose(content: &[u8]) -> Found {
    let (before, marked, after) = at_marker(content);
    let Some(stamp) = marked.strip_prefix(MARKER.as_bytes()) else {
        return Found::Foreign;
    };
    match stamp.strip_prefix(b", ") {
        Some(found) if found == fingerprint(before, after).as_bytes() => Found::Ours,
        Some(_) => Found::Changed,
        // The marker alone says nothing of what has happened since.
        None if stamp.is_empty() => Found::Changed,
        None => Found::Foreign,
    }
}

/// The text with the fingerprint at its marker, if it has one.
#[must_use]
pub fn stamp(text: &str) -> String {
    let (before, marked, after) = at_marker(text.as_bytes());
    if marked != MARKER.as_bytes() {
        return text.to_owned();
    }
    let stamped = format!("{MARKER}, {}", fingerprint(before, after));
    text.replacen(MARKER, &stamped, 1)
}

/// What stands before the line where the marker has to be, that line, and
/// what stands after it.
fn at_marker(content: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end_of_line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
    let start = match end_of_line(content) {
        Some(end) if content.starts_with(b"#!") => end + 1,
        _ => 0,
    };
    let (before, rest) = content.split_at(start);
    let (marked, after) = rest.split_at(end_of_line(rest).unwrap_or(rest.len()));
    (before, marked, after)
}

/// FNV-1a with 64 bits: it has to tell a change, not to withstand anybody.
#[must_use]
pub fn fingerprint(before: &[u8], after: &[u8]) -> String {
    let hash = before
        .iter()
        .chain(after)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_files_by_their_marker() {
        for text in [
            "# Written by xen-units\n[Unit]\n",
            "#!/bin/sh\n# Written by xen-units\n",
        ] {
            let written = stamp(text);
            assert_eq!(whose(written.as_bytes()), Found::Ours, "{written}");
            assert_eq!(whose(text.as_bytes()), Found::Changed, "{text}");
            let more = format!("{written}# mine\n");
            assert_eq!(whose(more.as_bytes()), Found::Changed, "{more}");
            let other = written.replace("[Unit]", "[Unix]").replace("/sh", "/zsh");
            assert_eq!(whose(other.as_bytes()), Found::Changed, "{other}");
        }
        for text in [
            "[Unit]\n# Written by xen-units\n",
            "# Written by xen-units2\n",
            "",
        ] {
            assert_eq!(stamp(text), text);
            assert_eq!(whose(text.as_bytes()), Found::Foreign, "{text}");
        }
    }

    #[test]
    fn makes_the_fingerprint_that_fnv_1a_makes() {
        assert_eq!(fingerprint(b"", b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"foo", b"bar"), "85944171f73967e8");
    }
}
