//! Texts with holes.

/// None, one or several texts. Each kind is turned into them in one place: the
/// program would be larger by far, were it done wherever a hole is filled.
pub trait Values {
    /// The texts.
    fn texts(self) -> Vec<String>;
}

impl Values for &str {
    #[inline(never)]
    fn texts(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl Values for Option<&str> {
    #[inline(never)]
    fn texts(self) -> Vec<String> {
        self.map_or(vec![], Values::texts)
    }
}

impl Values for Option<String> {
    #[inline(never)]
    fn texts(self) -> Vec<String> {
        self.into_iter().collect()
    }
}

impl Values for &[&str] {
    #[inline(never)]
    fn texts(self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

impl Values for &[String] {
    fn texts(self) -> Vec<String> {
        self.to_vec()
    }
}

impl Values for Vec<String> {
    fn texts(self) -> Vec<String> {
        self
    }
}

/// The lines of a text, as [`Values`].
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What goes into the holes of a text.
#[derive(Debug, Clone, Default)]
pub struct Holes(Vec<(&'static str, Vec<String>)>);

impl Holes {
    /// Fills a hole with nothing, one text or several.
    #[must_use]
    pub fn with(mut self, name: &'static str, values: impl Values) -> Self {
        self.0.push((name, values.texts()));
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
        let (_, values) = self.0.iter().find(|(known, _)| *known == name)?;
        Some((start, values, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_and_drops_lines() {
        let holes = Holes::default()
            .with("NONE", None::<&str>)
            .with("TWO", &["a", "b"][..]);
        assert_eq!(
            holes.fill("[X]\nA=@NONE@\nB=@TWO@;\nC=m@n\nD=@system-service\n"),
            "[X]\nB=a;\nB=b;\nC=m@n\nD=@system-service\n"
        );
    }
}
