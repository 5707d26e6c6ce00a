//! Values of the store as text.

/// The value as printable ASCII: `\\`, `\n`, `\r`, `\t`, and `\xNN` for any
/// other byte that is not printable.
#[must_use]
pub fn escape(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'\\' => text.push_str(r"\\"),
            b'\n' => text.push_str(r"\n"),
            b'\r' => text.push_str(r"\r"),
            b'\t' => text.push_str(r"\t"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!(r"\x{other:02x}")),
        }
    }
    text
}

/// The value as xenstore-read prints it and xenstore-write takes it
/// (`sanitise_value`, `unsanitise_value` in Xen's `xs_lib.c`): the same, but
/// that the first eight bytes are octal.
pub(crate) fn as_of_xenstore(value: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        0..=7 => format!(r"\{byte:03o}"),
        byte => escape(&[*byte]),
    };
    value.iter().map(letter).collect()
}

/// A message in one line, whatever the paths in it hold.
pub(crate) fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for letter in message.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_plain_text_as_it_is() {
        assert_eq!(escape(br#"a "quoted" 'word'"#), r#"a "quoted" 'word'"#);
    }

    #[test]
    fn a_message_is_one_line_in_its_own_letters() {
        assert_eq!(one_line("/r\u{fc}n\n\u{1b}[m"), "/r\u{fc}n\\n\\u{1b}[m");
    }

    #[test]
    fn makes_every_other_byte_visible() {
        assert_eq!(
            escape(b"\\ \n\r\t\0\x1b\x7f\xff"),
            r"\\ \n\r\t\x00\x1b\x7f\xff"
        );
    }
}
