//! The line for programs.

use serde::Serialize;

use crate::compose::Composed;
use crate::finding::Finding;
use crate::format::safe_line;
use crate::{Error, Target};

/// What `--format json` prints. The keys are stable.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    target: &'a Target,
    line: String,
    /// A line to fall back on.
    safe: String,
    options: Vec<Setting>,
    findings: &'a [Finding],
}

/// One option of the line.
#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    value: Option<String>,
}

impl<'a> Document<'a> {
    /// The document of a line.
    #[must_use]
    pub fn new(composed: &'a Composed, target: &'a Target) -> Self {
        Self {
            target,
            line: composed.line.to_string(),
            safe: safe_line(&composed.line, target.arch).to_string(),
            options: composed
                .line
                .words()
                .map(|word| Setting {
                    name: word.key().to_owned(),
                    value: word.value().map(str::to_owned),
                })
                .collect(),
            findings: &composed.findings,
        }
    }

    /// Its text.
    ///
    /// # Errors
    /// None that is known: every key is a string.
    pub fn print(&self) -> Result<String, Error> {
        to_json(self)
    }
}

/// A value as JSON, two blanks deep, with a last newline.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::system("write JSON", error))
}
