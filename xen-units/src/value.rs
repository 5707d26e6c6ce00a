//! The value of a setting as a shell reads it, and as systemd does
//! (`EnvironmentFile=` in systemd.exec(5)): they differ.

/// A quote without its other end.
pub(crate) const OPEN_QUOTE: &str = "a quote is not closed";
const NOTE: &str = "systemd takes the note for a part of the value: give it a line of its own";
const DIFFERS: &str = "a shell and systemd read it differently: put the whole value in single \
    quotes, or in double ones where it has a single one";

/// What a backslash is for in double quotes.
const SPECIAL: &str = "\"\\`$";

/// The lines, each with the number of its first (from 0). One that ends in a
/// backslash goes on in the next, to a shell as to systemd; not so a note, nor
/// in single quotes.
pub(crate) fn joined(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut lines = text.split(|byte| *byte == b'\n').enumerate();
    let mut joined = vec![];
    while let Some((number, line)) = lines.next() {
        let mut whole = line.to_vec();
        while goes_on(&whole) {
            let Some((_, next)) = lines.next() else { break };
            whole.pop();
            whole.extend_from_slice(next);
        }
        joined.push((number, whole));
    }
    joined
}

fn goes_on(line: &[u8]) -> bool {
    let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\');
    let is_note = line.trim_ascii_start().starts_with(b"#");
    backslashes.count() % 2 == 1 && !is_note && !line.contains(&b'\'')
}

/// What both make of what stands behind the equals sign.
///
/// # Errors
/// In which way they differ.
pub(crate) fn agreed(raw: &str) -> Result<String, &'static str> {
    let shell = of_shell(raw)?;
    if of_systemd(raw).as_ref() == Some(&shell) {
        Ok(shell)
    } else if raw.contains('#') {
        Err(NOTE)
    } else {
        Err(DIFFERS)
    }
}

/// A value as both read it. A single quote cannot stand between single ones,
/// and where a shell would have the value go on behind them systemd does not.
pub(crate) fn quoted(value: &str) -> String {
    if !value.contains('\'') {
        return shell_words::quote(value).into_owned();
    }
    let mut text = "\"".to_owned();
    for c in value.chars() {
        if SPECIAL.contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text + "\""
}

/// What was meant: what a shell reads, and where it would do more than read,
/// what systemd does. `None` is a quote that is not closed.
pub(crate) fn meant(raw: &str) -> Option<String> {
    let raw = raw.trim();
    match of_shell(raw) {
        Ok(value) => Some(value),
        Err(OPEN_QUOTE) => None,
        Err(_) => of_systemd(raw),
    }
}

fn of_shell(raw: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut quote = None;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t') => {
                // With more words it is a command, and the value only its.
                let rest = chars.as_str().trim_start();
                let is_end = rest.is_empty() || rest.starts_with('#');
                return is_end.then_some(value).ok_or(DIFFERS);
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(end), _) if c == end => quote = None,
            (Some('\''), _) => value.push(c),
            // It would have to be worked out.
            (_, '$' | '`') | (None, '|' | '&' | ';' | '<' | '>' | '(' | ')') => {
                return Err(DIFFERS);
            }
            (None, '~') if value.is_empty() => return Err(DIFFERS),
            (_, '\\') => escaped(chars.next(), quote, &mut value).ok_or(DIFFERS)?,
            _ => value.push(c),
        }
    }
    match quote {
        None => Ok(value),
        Some(_) => Err(OPEN_QUOTE),
    }
}

fn of_systemd(raw: &str) -> Option<String> {
    let mut value = String::new();
    let mut quote = None;
    // From the first character without quotes on, quotes are nothing special.
    let mut is_bare = false;
    let mut end = 0;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') if !is_bare => {
                quote = Some(c);
                continue;
            }
            (None, _) if c.is_ascii_whitespace() => {
                if is_bare {
                    value.push(c);
                }
                // Those at the end do not count.
                continue;
            }
            (Some(end), _) if c == end => quote = None,
            (Some('\''), _) => value.push(c),
            (_, '\\') => {
                is_bare |= quote.is_none();
                escaped(chars.next(), quote, &mut value)?;
            }
            _ => {
                is_bare |= quote.is_none();
                value.push(c);
            }
        }
        end = value.len();
    }
    value.truncate(end);
    quote.is_none().then_some(value)
}

/// What stands behind a backslash. In double quotes that one stays, but before
/// what it has a meaning for. At the end of a line the value goes on in the next.
fn escaped(next: Option<char>, quote: Option<char>, value: &mut String) -> Option<()> {
    let next = next?;
    if quote.is_some() && !SPECIAL.contains(next) {
        value.push('\\');
    }
    value.push(next);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_in_the_next_line_behind_a_backslash() {
        let text = b"A=a\\\n b\\\nc\n# note\\\nB='x\\\nC=d\\\\\nD=\\";
        let lines = joined(text);
        let lines: Vec<(usize, &[u8])> = lines.iter().map(|(n, line)| (*n, &line[..])).collect();
        let wanted: [(usize, &[u8]); 5] = [
            (0, b"A=a bc"),
            (3, b"# note\\"),
            (4, b"B='x\\"),
            (5, b"C=d\\\\"),
            (6, b"D=\\"),
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn takes_what_a_shell_and_systemd_read_the_same() {
        for (raw, value) in [
            ("", ""),
            ("/x", "/x"),
            ("/x  ", "/x"),
            ("'a  $b # c'", "a  $b # c"),
            ("\"-a 'b c'\" ", "-a 'b c'"),
            ("\"a\\\"b\\c\"", "a\"b\\c"),
            ("a\\ b", "a b"),
            ("a#b", "a#b"),
            ("'a'\"b\"c", "abc"),
        ] {
            assert_eq!(agreed(raw).as_deref(), Ok(value), "{raw}");
        }
    }

    #[test]
    fn refuses_what_they_read_differently() {
        for (raw, complaint) in [
            ("4096 # note", NOTE),
            ("'4096' # note", NOTE),
            ("a b", DIFFERS),
            (" a", DIFFERS),
            ("a\"b c\"", DIFFERS),
            // systemd has left the quotes for good by then.
            ("'a'\\''b'", DIFFERS),
            ("$HOME/x", DIFFERS),
            ("\"`id`\"", DIFFERS),
            ("~/x", DIFFERS),
            ("a;b", DIFFERS),
            ("a\r", DIFFERS),
            ("a\\", DIFFERS),
            ("'a", OPEN_QUOTE),
            ("it's", OPEN_QUOTE),
        ] {
            assert_eq!(agreed(raw), Err(complaint), "{raw}");
        }
    }

    #[test]
    fn quotes_so_that_a_shell_and_systemd_read_the_same() {
        for value in ["/x", "", "a  b", "a#b", "-a 'b c'", "it's", "'\"\\$`#'"] {
            let text = quoted(value);
            assert_eq!(agreed(&text).as_deref(), Ok(value), "{text}");
            let sh = std::process::Command::new("sh")
                .args(["-uc", &["x=", &text, "; printf %s \"$x\""].concat()])
                .output()
                .unwrap();
            assert_eq!(sh.stdout, value.as_bytes(), "{text}");
        }
    }

    #[test]
    fn sees_what_was_meant_where_they_differ() {
        for (raw, value) in [
            ("4096 # note", Some("4096")),
            ("-a b", Some("-a b")),
            (" /x\r", Some("/x")),
            ("\"$HOME/x\"", Some("$HOME/x")),
            ("'a", None),
        ] {
            assert_eq!(meant(raw).as_deref(), value, "{raw}");
        }
    }
}
