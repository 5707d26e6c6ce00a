//! The grammars of the table: what may stand for the value of an option.
//!
//! A grammar is read and matched at once, for all places of the value where it
//! may begin, which are the bits of a number: no value has more than 127 bytes
//! that count. So nothing is built, nothing is tried twice, and no grammar or
//! value can make it slow.
//!
//! | | |
//! |---|---|
//! | `a\|b` `(a\|b)c` | one of them |
//! | `[a]` | or nothing |
//! | `{,a}` | one or more, with commas between them |
//! | `a?` | yes or no: `a`, `no-a`, `a=yes`, `a=no` |
//! | `<int>` `<int 1..8>` | what the name says ([`kind`](super::kind)) |
//! | `a^4.18` `a^-4.19` | only since that release, only up to it |
//! | `\<` | that character |
//! | `~29` at the beginning | Xen keeps that many bytes and cuts off the rest |

use super::expected::{Expected, Term};
use super::kind::{self, Bare};
use crate::Version;
use crate::line::OPTION_MAX;

/// Places in a value: bit `n` is the place before its byte `n`.
type Places = u128;

/// A letter of the notation. Most letters are asked about, so this is no search.
fn is_meta(byte: u8) -> bool {
    matches!(
        byte,
        b'|' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'?' | b'^' | b'\\'
    )
}

/// What a value that fits holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fits {
    /// The first size that has no suffix, and so is in KiB.
    pub kib: Option<u64>,
}

/// Says whether a value fits a grammar, for a release or any.
///
/// # Errors
/// What does not fit, and what may stand there, in words.
pub fn check(grammar: &str, value: &str, xen: Option<Version>) -> Result<Fits, String> {
    let (grammar, kept) = kept(grammar);
    if grammar.is_empty() {
        return Ok(Fits::default());
    }
    if value.len() > OPTION_MAX {
        // Another finding says so already.
        return Ok(Fits::default());
    }
    if value.len() > kept {
        return Err(format!(
            "Xen keeps only {kept} bytes of it: {:?}",
            value.get(..kept).unwrap_or_default()
        ));
    }
    let mut matcher = Matcher::new(grammar, value, xen);
    if matcher.fits() {
        return Ok(Fits { kib: matcher.kib });
    }
    // A second time, to tell why not: most values fit.
    let mut matcher = Matcher::new(grammar, value, xen);
    matcher.expected = Some(Expected::default());
    matcher.fits();
    let expected = matcher.expected.unwrap_or_default();
    Err(expected.complaint(value))
}

/// What follows `~29`, and that number.
fn kept(grammar: &str) -> (&str, usize) {
    let Some(rest) = grammar.strip_prefix('~') else {
        return (grammar, OPTION_MAX);
    };
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
    (rest.trim_start(), digits.parse().unwrap_or(OPTION_MAX))
}

struct Matcher<'a> {
    grammar: &'a str,
    /// How much of the grammar is read.
    at: usize,
    value: &'a str,
    xen: Option<Version>,
    expected: Option<Expected<'a>>,
    kib: Option<u64>,
}

impl<'a> Matcher<'a> {
    fn new(grammar: &'a str, value: &'a str, xen: Option<Version>) -> Self {
        Self {
            grammar,
            at: 0,
            value,
            xen,
            expected: None,
            kib: None,
        }
    }

    fn fits(&mut self) -> bool {
        let ends = self.alternatives(1);
        self.expect_at(ends, Term::End);
        ends & (1 << self.value.len()) != 0
    }

    fn peek(&self) -> Option<u8> {
        self.grammar.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn alternatives(&mut self, starts: Places) -> Places {
        let mut ends = self.sequence(starts);
        while self.eat(b'|') {
            ends |= self.sequence(starts);
        }
        ends
    }

    fn sequence(&mut self, starts: Places) -> Places {
        let mut here = starts;
        while !matches!(self.peek(), None | Some(b'|' | b')' | b']' | b'}')) {
            here = self.element(here);
        }
        here
    }

    fn element(&mut self, starts: Places) -> Places {
        let mark = self.expected.as_ref().map_or(0, Expected::len);
        let ends = match self.peek() {
            Some(b'(') => self.group(b')', starts),
            Some(b'[') => starts | self.group(b']', starts),
            Some(b'{') => self.list(starts),
            Some(b'<') => self.kind(starts),
            Some(b'\\') => {
                self.at += 1;
                let begin = self.at;
                self.at += 1;
                self.literal(&self.grammar[begin..self.at], starts)
            }
            _ => self.word(starts),
        };
        if self.eat(b'^') && !self.release_has_it() {
            if let Some(expected) = &mut self.expected {
                expected.truncate(mark);
            }
            return 0;
        }
        ends
    }

    fn group(&mut self, close: u8, starts: Places) -> Places {
        self.at += 1;
        let ends = self.alternatives(starts);
        self.eat(close);
        ends
    }

    fn list(&mut self, starts: Places) -> Places {
        self.at += 1;
        let separator = &self.grammar[self.at..self.at + 1];
        self.at += 1;
        let body = self.at;
        let mut ends = self.alternatives(starts);
        let mut new = ends;
        while new != 0 {
            let next = self.literal(separator, new);
            if next == 0 {
                break;
            }
            self.at = body;
            new = self.alternatives(next) & !ends;
            ends |= new;
        }
        // Where the loop did not run again this is where it stands already.
        self.eat(b'}');
        ends
    }

    fn word(&mut self, starts: Places) -> Places {
        let rest = &self.grammar[self.at..];
        let length = rest.bytes().position(is_meta);
        let word = &rest[..length.unwrap_or(rest.len())];
        self.at += word.len().max(1);
        if self.eat(b'?') {
            self.flag(word, starts)
        } else {
            self.literal(word, starts)
        }
    }

    fn literal(&mut self, word: &'a str, starts: Places) -> Places {
        self.expect_at(starts, Term::Word(word));
        self.each(starts, |rest| {
            rest.starts_with(word).then_some(word.len()).into_iter()
        })
    }

    /// `a`, `no-a`, `a=yes`, `a=no`, as `parse_boolean` of Xen reads it.
    fn flag(&mut self, name: &'a str, starts: Places) -> Places {
        self.expect_at(starts, Term::Flag(name));
        let value = self.value;
        let named = |rest: &str| {
            let bare = rest.strip_prefix("no-").unwrap_or(rest);
            bare.starts_with(name)
                .then_some(rest.len() - bare.len() + name.len())
        };
        let bare = self.each(starts, |rest| named(rest).into_iter());
        let with_value = self.each(starts, |rest| {
            let after = rest.strip_prefix(name);
            let after = after.and_then(|rest| rest.strip_prefix('='));
            after.map(|_| name.len() + 1).into_iter()
        });
        self.expect_at(with_value, Term::Kind("bool"));
        let mut ends = bare;
        for place in places(with_value) {
            let rest = value.get(place..).unwrap_or_default();
            for length in kind::booleans(rest, true) {
                ends |= 1 << (place + length);
            }
        }
        ends
    }

    fn kind(&mut self, starts: Places) -> Places {
        let rest = &self.grammar[self.at + 1..];
        let name = rest.split('>').next().unwrap_or_default();
        self.at += name.len() + 2;
        self.expect_at(starts, Term::Kind(name));
        let mut ends = 0;
        for place in places(starts) {
            let rest = self.value.get(place..).unwrap_or_default();
            let Bare { lengths, kib } = kind::read(name, rest);
            self.kib = self.kib.or(kib);
            for length in lengths {
                ends |= 1 << (place + length);
            }
        }
        ends
    }

    /// Where a reader ends that is begun at each of the places.
    fn each<I>(&self, starts: Places, read: impl Fn(&'a str) -> I) -> Places
    where
        I: Iterator<Item = usize>,
    {
        let mut ends = 0;
        for place in places(starts) {
            for length in read(self.value.get(place..).unwrap_or_default()) {
                ends |= 1 << (place + length);
            }
        }
        ends
    }

    fn expect_at(&mut self, starts: Places, term: Term<'a>) {
        if let Some(expected) = &mut self.expected {
            places(starts).for_each(|place| expected.add(place, term));
        }
    }

    fn release_has_it(&mut self) -> bool {
        let is_last = self.eat(b'-');
        let rest = &self.grammar[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let digits = &rest[..end.unwrap_or(rest.len())];
        self.at += digits.len();
        let named = digits.parse::<Version>();
        match (self.xen, named) {
            (Some(xen), Ok(last)) if is_last => xen <= last,
            (Some(xen), Ok(first)) => first <= xen,
            _ => true,
        }
    }
}

fn places(all: Places) -> impl Iterator<Item = usize> {
    let mut left = all;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let place = left.trailing_zeros();
        left &= left - 1;
        // Fits: it is below 128.
        Some(place as usize)
    })
}

/// A grammar for people: `a?` as `[no-]a`, lists with dots, releases in words.
#[must_use]
pub fn describe(grammar: &str) -> String {
    let (grammar, _) = kept(grammar);
    let mut text = String::new();
    let mut word_at = 0;
    let mut lists = vec![];
    let mut letters = grammar.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '?' => text.insert_str(word_at, "[no-]"),
            '^' if letters.as_str().starts_with('-') => {
                letters.next();
                text.push_str(" up to ");
            }
            '^' => text.push_str(" since "),
            '{' => {
                lists.extend(letters.next());
                text.push('(');
            }
            '}' => {
                let separator = lists.pop().unwrap_or(',');
                text.push(')');
                text.push('[');
                text.push(separator);
                text.push_str("...]");
            }
            '|' => text.push_str(" | "),
            '\\' => text.extend(letters.next()),
            other => text.push(other),
        }
        if "{}()[]<>|".contains(letter) {
            word_at = text.len();
        }
    }
    text
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
