//! The outcomes, for people and for programs.

use std::io::{self, Write};

use crate::json::{self, Value};
use crate::names;
use crate::outcome::{Failure, Outcome};

/// A name and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As it was given.
    pub name: String,
    /// The status is not 0 without it.
    pub required: bool,
    /// What became of it.
    pub outcome: Outcome,
}

impl Answer {
    /// What else there is to say.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        if let Some(remark) = names::unrelated(&self.name) {
            return Some(remark.to_owned());
        }
        match &self.outcome {
            Outcome::Obsolete {
                then: Some(then), ..
            } => Some(then.words()),
            _ => None,
        }
    }

    /// What became of the successor, where there is one.
    fn last(&self) -> &Outcome {
        match &self.outcome {
            Outcome::Obsolete {
                then: Some(then), ..
            } => then,
            outcome => outcome,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self.last() {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// One line for standard error, if the name is not simply there.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let remark = self.remark();
        if self.outcome.is_there() && remark.is_none() {
            return None;
        }
        let remark = remark.map_or_else(String::new, |remark| format!(" ({remark})"));
        Some(format!("{}: {}{remark}", self.name, self.outcome.words()))
    }
}

/// Three columns: name, outcome, remark.
///
/// # Errors
/// Of the writer.
pub fn write_table(answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 3]> = answers
        .iter()
        .map(|answer| {
            [
                answer.name.clone(),
                answer.outcome.words(),
                answer.remark().unwrap_or_default(),
            ]
        })
        .collect();
    write_columns(&rows, out)
}

/// Aligned columns, two blanks apart, without blanks at the end of a line.
///
/// # Errors
/// Of the writer.
pub(crate) fn write_columns(rows: &[[String; 3]], out: &mut dyn Write) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    for [a, b, c] in rows {
        let line = format!("{a:first$}  {b:second$}  {c}");
        writeln!(out, "{}", line.trim_end())?;
    }
    out.flush()
}

/// One JSON document. Keys are never left out:
///
/// - `name`, and whether it is `required` and `there` (or would be)
/// - `outcome`: the words of the table without what varies
/// - `now`, `then`: the successor of an obsolete name, and what became of that
/// - `meant`: the name that was probably meant
/// - `errno`: the kernel's answer, such as `ENOEXEC`
/// - `remark`: words for people, why it failed for one
///
/// # Errors
/// Of the writer.
pub fn write_json(kernel: &str, answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    let errnos: Vec<Option<String>> = answers
        .iter()
        .map(|answer| Some(format!("{:?}", answer.failure()?.errno?)))
        .collect();
    let objects: Vec<_> = answers
        .iter()
        .zip(&errnos)
        .map(|(answer, errno)| object(answer, errno.as_deref()))
        .collect();
    json::write_document(&[("kernel", kernel)], "modules", &objects, out)
}

fn object<'a>(answer: &'a Answer, errno: Option<&'a str>) -> [(&'static str, Value<'a>); 9] {
    let (now, then) = match &answer.outcome {
        Outcome::Obsolete { now, then } => (Some(now.as_str()), then.as_deref().map(key)),
        _ => (None, None),
    };
    let meant = match answer.last() {
        Outcome::DidYouMean(meant) => Some(meant.as_str()),
        _ => None,
    };
    let reason = answer.failure().map(|failure| failure.reason.as_str());
    [
        ("name", Value::Text(&answer.name)),
        ("outcome", Value::Text(key(&answer.outcome))),
        ("there", Value::Flag(answer.outcome.is_there())),
        ("required", Value::Flag(answer.required)),
        ("now", Value::Maybe(now)),
        ("then", Value::Maybe(then)),
        ("meant", Value::Maybe(meant)),
        ("errno", Value::Maybe(errno)),
        (
            "remark",
            Value::Maybe(reason.or(names::unrelated(&answer.name))),
        ),
    ]
}

fn key(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Loaded => "loaded",
        Outcome::RanCommand => "ran its install line",
        Outcome::WouldLoad => "would load",
        Outcome::AlreadyLoaded => "already loaded",
        Outcome::BuiltIn => "built in",
        Outcome::Obsolete { .. } => "obsolete",
        Outcome::NotInKernel => "not in this kernel",
        Outcome::DidYouMean(_) => "did you mean",
        Outcome::Blacklisted => "blacklisted",
        Outcome::NoSuchDevice => "no such device",
        Outcome::Failed(_) => "failed",
    }
}
