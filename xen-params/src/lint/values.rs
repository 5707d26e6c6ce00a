//! The value of one option.

use super::Linter;
use crate::finding::Code;
use crate::grammar::{self, Memory, Vcpus, parse_boolean, parse_integer, parse_size};
use crate::line::Word;
use crate::table::{Entry, Parser};

impl<'a> Linter<'a> {
    pub(super) fn value(&mut self, word: &Word<'a>, entry: &Entry, negated: bool) {
        let value = word.value().unwrap_or_default();
        match entry.parser {
            Parser::Boolean => {
                if let Err(what) = parse_boolean(value) {
                    self.error(word, Code::BadValue, what);
                } else if negated && !value.is_empty() {
                    let what = format!("no- and ={value} are two answers; Xen takes them together");
                    self.warning(word, Code::Contradiction, what);
                }
            }
            Parser::Integer | Parser::Size if value.is_empty() => {
                self.warning(word, Code::NoEffect, "without a value Xen takes it for 0");
            }
            Parser::Integer => match parse_integer(value) {
                Ok(integer) if integer.octal => self.octal(word, &integer.to_string()),
                Ok(_) => {}
                Err(what) => self.error(word, Code::BadValue, what),
            },
            Parser::Size => match parse_size(value) {
                Ok(size) => self.size(word, size),
                Err(what) => self.error(word, Code::BadValue, what),
            },
            Parser::Custom if negated && !value.is_empty() => {
                self.error(word, Code::BadValue, "takes no value after no-");
            }
            Parser::Custom => self.custom(word, entry, if negated { "no" } else { value }),
            Parser::Text | Parser::Ignored => self.text(word, entry, value),
        }
        if negated && matches!(entry.parser, Parser::Integer | Parser::Size | Parser::Text) {
            let what = format!("Xen ignores the no- before {}", entry.name);
            self.warning(word, Code::NoEffect, what);
        }
    }

    /// Kept as it is by Xen's parser, and looked at later or never.
    fn text(&mut self, word: &Word<'_>, entry: &Entry, value: &str) {
        match grammar::check(entry.syntax, value, self.target.xen) {
            Ok(_) => {}
            Err(_) if value.is_empty() => {
                self.warning(word, Code::NoEffect, "has no effect without a value");
            }
            Err(what) if entry.parser == Parser::Ignored => {
                self.warning(word, Code::BadValue, what);
            }
            Err(what) => self.error(word, Code::BadValue, what),
        }
    }

    fn size(&mut self, word: &Word<'_>, size: grammar::Size) {
        if size.octal {
            self.octal(word, &size.to_string());
        } else if !size.has_suffix && size.bytes != 0 {
            self.kib(word, size.bytes >> 10);
        }
    }

    fn kib(&mut self, word: &Word<'_>, number: u64) {
        let what = format!("{number} without a suffix is {number} KiB (for MiB write {number}M)");
        self.warning(word, Code::Kib, what);
    }

    fn octal(&mut self, word: &Word<'_>, meaning: &str) {
        let what = format!("the leading 0 makes the number octal: {meaning}");
        self.warning(word, Code::Octal, what);
    }

    fn custom(&mut self, word: &Word<'a>, entry: &Entry, value: &str) {
        match entry.name {
            "dom0_mem" => match Memory::parse(value, self.target.arch) {
                Ok(memory) => {
                    for size in memory.amounts.iter().filter_map(|amount| amount.size) {
                        self.size(word, size);
                    }
                    self.memory.push((*word, memory));
                }
                Err(what) => self.error(word, Code::BadValue, what),
            },
            "dom0_max_vcpus" => {
                if let Err(what) = Vcpus::parse(value, self.target.arch) {
                    self.error(word, Code::BadValue, what);
                }
            }
            _ => match grammar::check(entry.syntax, value, self.target.xen) {
                Ok(fits) => {
                    if let Some(number) = fits.kib {
                        self.kib(word, number);
                    }
                }
                Err(what) => self.error(word, Code::BadValue, what),
            },
        }
        // An index, as in ivrs_ioapic[4]=00:14.0.
        if entry.name.ends_with('[') {
            let index = &word.key()[entry.name.len()..];
            if index
                .strip_suffix(']')
                .map(parse_integer)
                .is_none_or(|i| i.is_err())
            {
                let what = format!("a number and ] must follow {}", entry.name);
                self.error(word, Code::BadValue, what);
            }
        }
    }
}
