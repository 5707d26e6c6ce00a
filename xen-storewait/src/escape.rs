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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_plain_text_as_it_is() {
        assert_eq!(escape(br#"a "quoted" 'word'"#), r#"a "quoted" 'word'"#);
    }

    #[test]
    fn makes_every_other_byte_visible() {
        assert_eq!(
            escape(b"\\ \n\r\t\0\x1b\x7f\xff"),
            r"\\ \n\r\t\x00\x1b\x7f\xff"
        );
    }
}
