//! What could have stood where a value does not fit.

use super::kind;
use crate::names::{closest, listed};

/// One thing that may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term<'a> {
    /// A word, as it is.
    Word(&'a str),
    /// A word that is switched on or off.
    Flag(&'a str),
    /// A named piece.
    Kind(&'a str),
    /// Nothing more.
    End,
}

/// What was looked for, and where.
#[derive(Debug, Default)]
pub(super) struct Expected<'a> {
    all: Vec<(usize, Term<'a>)>,
}

/// What separates the parts of values.
const SEPARATORS: [char; 4] = [',', ';', ':', '/'];

impl<'a> Expected<'a> {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.all.truncate(length);
    }

    pub(super) fn add(&mut self, place: usize, term: Term<'a>) {
        if !self.all.contains(&(place, term)) {
            self.all.push((place, term));
        }
    }

    /// What may stand at a place and says something.
    fn words_at(&self, place: usize) -> Vec<Term<'a>> {
        let at = self.all.iter().filter(|(at, _)| *at == place);
        at.map(|(_, term)| *term)
            .filter(|term| match term {
                Term::Word(word) => word.contains(|c: char| c.is_ascii_alphanumeric()),
                Term::End => false,
                Term::Flag(_) | Term::Kind(_) => true,
            })
            .collect()
    }

    /// What does not fit of the value, and what would.
    pub(super) fn complaint(&self, value: &str) -> String {
        let furthest = self.all.iter().map(|(place, _)| *place).max().unwrap_or(0);
        // Where only a separator or the end could follow, it is the word
        // before that is wrong.
        let begins = std::iter::once(furthest).chain(
            value
                .get(..furthest)
                .unwrap_or_default()
                .rmatch_indices(|c: char| SEPARATORS.contains(&c) || c == '=')
                .map(|(at, _)| at + 1),
        );
        let begins: Vec<usize> = begins.chain([0]).collect();
        let (begin, terms) = begins
            .into_iter()
            .map(|begin| (begin, self.words_at(begin)))
            .find(|(_, terms)| !terms.is_empty())
            .unwrap_or_default();
        let rest = value.get(begin..).unwrap_or_default();
        let wrong = rest.split([',', ';']).next().unwrap_or_default();
        let names: Vec<String> = terms.iter().map(|term| told(*term)).collect();
        let what = if wrong.is_empty() && value.is_empty() {
            "needs a value".to_owned()
        } else if wrong.is_empty() {
            format!("a value is missing in {value:?}")
        } else {
            format!("{wrong:?} does not fit")
        };
        let name = wrong.split('=').next().unwrap_or_default();
        let words = terms.iter().filter_map(|term| match term {
            Term::Word(word) => Some(word.trim_end_matches(['=', ':'])),
            Term::Flag(word) => Some(*word),
            Term::Kind(_) | Term::End => None,
        });
        let meant = closest(
            name.strip_prefix("no-").unwrap_or(name),
            words.map(|word| (word, || true)),
        )
        .filter(|meant| *meant != name)
        .map(|meant| format!(" (did you mean {meant}?)"))
        .unwrap_or_default();
        format!("{what}{meant}: it takes {}", listed(&names))
    }
}

fn told(term: Term<'_>) -> String {
    match term {
        Term::Word(word) => word.to_owned(),
        Term::Flag(word) => format!("[no-]{word}"),
        Term::Kind(name) => kind::name(name),
        Term::End => String::new(),
    }
}
