//! Command lines, with the settings still in them.
//!
//! A service manager that reads the settings itself is told their names, so
//! that a changed setting needs nothing written anew; a script gets the words
//! that they make now.

use crate::Error;
use crate::settings::Settings;

/// A part of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Exactly this.
    Text(String),
    /// One word: a setting's value behind this text.
    Value {
        /// What stands before the value, such as `--log=`.
        before: &'static str,
        /// The setting.
        name: &'static str,
        /// The value where it is not set.
        default: &'static str,
    },
    /// As many words as the setting has.
    List {
        /// The setting.
        name: &'static str,
        /// The value where it is not set.
        default: &'static str,
    },
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// Whether what comes after it depends on its success.
    pub must_succeed: bool,
}

impl Command {
    /// A command line of plain words.
    pub fn new<T: Into<String>>(words: impl IntoIterator<Item = T>) -> Self {
        Self {
            words: words.into_iter().map(|w| Word::Text(w.into())).collect(),
            must_succeed: true,
        }
    }

    /// The same with one word more.
    #[must_use]
    pub fn with(mut self, word: Word) -> Self {
        self.words.push(word);
        self
    }

    /// The same with as many words more as the setting has.
    #[must_use]
    pub fn list(self, name: &'static str, default: &'static str) -> Self {
        self.with(Word::List { name, default })
    }

    /// The same, and nothing depends on its success.
    #[must_use]
    pub fn may_fail(mut self) -> Self {
        self.must_succeed = false;
        self
    }

    /// The words as these settings make them.
    ///
    /// # Errors
    /// A setting with a quote that is not closed.
    pub fn resolve(&self, settings: &Settings) -> Result<Vec<String>, Error> {
        let mut line = vec![];
        for word in &self.words {
            match word {
                Word::Text(text) => line.push(text.clone()),
                Word::Value {
                    before,
                    name,
                    default,
                } => line.push(format!("{before}{}", settings.get(name).unwrap_or(default))),
                Word::List { name, default } => line.extend(settings.words(name, default)?),
            }
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_words_by_the_settings() {
        let command = Command::new(["d"])
            .with(Word::Value {
                before: "--log=",
                name: "XENCONSOLED_TRACE",
                default: "none",
            })
            .list("XENCONSOLED_ARGS", "");
        let nothing = Settings::default();
        assert_eq!(command.resolve(&nothing).unwrap(), ["d", "--log=none"]);
        let set = Settings::from_iter([
            ("XENCONSOLED_TRACE".to_owned(), "all".to_owned()),
            ("XENCONSOLED_ARGS".to_owned(), "-v 'a b'".to_owned()),
        ]);
        assert_eq!(
            command.resolve(&set).unwrap(),
            ["d", "--log=all", "-v", "a b"]
        );
    }
}
