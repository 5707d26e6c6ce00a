//! Texts with holes.

use std::collections::BTreeMap;

/// What goes into the holes of a text.
#[derive(Debug, Clone, Default)]
pub struct Holes(BTreeMap<&'static str, Vec<String>>);

impl Holes {
    /// Fills a hole with nothing, one text or several.
    #[must_use]
    pub fn with<T: Into<String>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.0
            .insert(name, values.into_iter().map(Into::into).collect());
        self
    }

    /// The template with its `@HOLES@` filled. A line with a hole is there
    /// once for each of its values: not at all where there is none. What is
    /// no known hole stays as it is. A line has one hole.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        for line in template.lines() {
            match self.hole(line) {
                Some((start, values, end)) => {
                    for value in values {
                        text.extend([start, value, end, "\n"]);
                    }
                }
                None => text.extend([line, "\n"]),
            }
        }
        text
    }

    fn hole<'a>(&'a self, line: &'a str) -> Option<(&'a str, &'a [String], &'a str)> {
        let (start, rest) = line.split_once('@')?;
        let (name, end) = rest.split_once('@')?;
        let values = self.0.get(name)?;
        Some((start, values, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_and_drops_lines() {
        let holes = Holes::default()
            .with("NONE", Vec::<String>::new())
            .with("TWO", ["a", "b"]);
        assert_eq!(
            holes.fill("[X]\nA=@NONE@\nB=@TWO@;\nC=m@n\nD=@system-service\n"),
            "[X]\nB=a;\nB=b;\nC=m@n\nD=@system-service\n"
        );
    }
}
