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
/// backslash goes on in the next, to a shell as to systemd, and so does a value
/// whose quote is still open; not so a note. Behind a quote that is never closed
/// only backslashes count: it is that line which is wrong.
pub(crate) fn joined(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let mut joined = vec![];
    let mut rest = lines.as_slice();
    let mut by_quotes = true;
    while !rest.is_empty() {
        let (whole, count) = first_of(rest, by_quotes).unwrap_or_else(|| {
            by_quotes = false;
            (rest[0].to_vec(), 1)
        });
        joined.push((lines.len() - rest.len(), whole));
        rest = &rest[count..];
    }
    joined
}

/// The first line with those that it goes on in, and how many these are; `None`
/// where its quote is never closed.
fn first_of(lines: &[&[u8]], by_quotes: bool) -> Option<(Vec<u8>, usize)> {
    let mut whole = vec![];
    let mut state = State::default();
    for (number, line) in lines.iter().enumerate() {
        whole.extend_from_slice(line);
        let is_last = number + 1 == lines.len();
        match state.after(line) {
            End::Backslash if !is_last => {
                whole.pop();
            }
            End::OpenQuote if by_quotes && is_last => return None,
            End::OpenQuote if by_quotes => whole.push(b'\n'),
            _ => return Some((whole, number + 1)),
        }
    }
    None
}

/// How a line ends.
enum End {
    Whole,
    Backslash,
    OpenQuote,
}

/// Where in a setting one is.
#[derive(Default)]
struct State {
    is_value: bool,
    quote: Option<u8>,
}

impl State {
    fn after(&mut self, line: &[u8]) -> End {
        let mut bytes = line.iter().copied();
        if !self.is_value {
            if line.trim_ascii_start().starts_with(b"#") {
                return End::Whole;
            }
            // In front of the value there is no quote.
            self.is_value = line.contains(&b'=');
            if self.is_value {
                bytes.find(|byte| *byte == b'=');
            }
        }
        let mut before = None;
        while let Some(byte) = bytes.next() {
            match (self.quote, byte) {
                (None, b'#') if before.is_some_and(|it: u8| it.is_ascii_whitespace()) => {
                    return End::Whole;
                }
                (None, b'\'' | b'"') => self.quote = Some(byte),
                (Some(end), _) if byte == end => self.quote = None,
                (None | Some(b'"'), b'\\') if bytes.next().is_none() => return End::Backslash,
                _ => {}
            }
            before = Some(byte);
        }
        match self.quote {
            Some(_) if self.is_value => End::OpenQuote,
            _ => End::Whole,
        }
    }
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
    fn goes_on_in_the_next_line_until_a_quote_is_closed() {
        let text =
            "A=\"x\n y\"\nB='1\n2' # it's\n# don't\ntest \"it's\"\nD=it\\'s\nE=\"open\nF='g\nh'\n";
        let lines = joined(text.as_bytes());
        let lines = lines
            .iter()
            .map(|(n, line)| (*n, std::str::from_utf8(line).unwrap()));
        let wanted = [
            (0, "A=\"x\n y\""),
            (2, "B='1\n2' # it's"),
            (4, "# don't"),
            (5, "test \"it's\""),
            (6, "D=it\\'s"),
            (7, "E=\"open"),
            (8, "F='g"),
            (9, "h'"),
            (10, ""),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), wanted);
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
