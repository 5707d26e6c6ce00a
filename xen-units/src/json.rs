//! JSON (RFC 8259), as much of it as the answers need: a list of objects of
//! texts.

/// A list with one object a line, each of these names with its text.
#[must_use]
pub fn list(objects: &[Vec<(&str, String)>]) -> String {
    let object = |pairs: &Vec<(&str, String)>| {
        let pair = |(name, text): &(&str, String)| [quote(name), quote(text)].join(": ");
        [
            "  {",
            &pairs.iter().map(pair).collect::<Vec<_>>().join(", "),
            "}",
        ]
        .concat()
    };
    let lines: Vec<String> = objects.iter().map(object).collect();
    if lines.is_empty() {
        return "[]".to_owned();
    }
    ["[\n", &lines.join(",\n"), "\n]"].concat()
}

fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '.. => quoted.push(c),
            _ => quoted += &format!("\\u{:04x}", u32::from(c)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_a_parser_reads_back() {
        let text = "a \"b\" \\ \n\u{1} é";
        let written = list(&[
            vec![("name", text.to_owned()), ("what", String::new())],
            vec![],
        ]);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read[0]["name"], text);
        assert_eq!(read[0]["what"], "");
        assert_eq!(list(&[]), "[]");
    }
}
