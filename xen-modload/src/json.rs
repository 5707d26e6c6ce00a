//! Just enough JSON to write reports: this program has little room, and a
//! report has no depth.

use std::io::{self, Write};

/// A value without parts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Maybe(Option<&'a str>),
    Flag(bool),
}

/// Writes one document: the texts of its head, then a list of objects.
pub(crate) fn write_document<const N: usize>(
    head: &[(&str, &str)],
    list: &str,
    objects: &[[(&str, Value); N]],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = "{\n".to_owned();
    for (key, value) in head {
        text += "  ";
        push_pair(&mut text, key, Value::Text(value));
        text += ",\n";
    }
    text += "  ";
    push_text(&mut text, list);
    text += ": [";
    for (number, object) in objects.iter().enumerate() {
        text += if number == 0 { "\n    {" } else { ",\n    {" };
        for (number, (key, value)) in object.iter().enumerate() {
            text += if number == 0 { "\n      " } else { ",\n      " };
            push_pair(&mut text, key, *value);
        }
        text += "\n    }";
    }
    text += if objects.is_empty() {
        "]\n}\n"
    } else {
        "\n  ]\n}\n"
    };
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn push_pair(text: &mut String, key: &str, value: Value) {
    push_text(text, key);
    *text += ": ";
    match value {
        Value::Text(value) | Value::Maybe(Some(value)) => push_text(text, value),
        Value::Maybe(None) => *text += "null",
        Value::Flag(true) => *text += "true",
        Value::Flag(false) => *text += "false",
    }
}

/// A string as RFC 8259 wants it.
fn push_text(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c < ' ' => *text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_by_others() {
        let odd = "a\"b\\c\n\u{1}\u{7f}é\u{1f600}";
        let object = |value| [("name", Value::Text(value)), ("flag", Value::Flag(true))];
        let mut out = vec![];
        write_document(
            &[("head", odd)],
            "list",
            &[object(odd), object("")],
            &mut out,
        )
        .unwrap();
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!({
            "head": odd,
            "list": [{ "name": odd, "flag": true }, { "name": "", "flag": true }],
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn an_empty_list_is_one() {
        let mut out = vec![];
        write_document::<1>(&[], "list", &[], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\n  \"list\": []\n}\n");
    }
}
