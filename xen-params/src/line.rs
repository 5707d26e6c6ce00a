//! A command line as Xen cuts it up (`xen/common/kernel.c`).

use std::fmt;

/// The bytes that Xen keeps of one option; it cuts off the rest without a word.
pub const OPTION_MAX: usize = 127;

/// The bytes that Xen keeps of the whole line for `xl info`.
pub const LINE_MAX: usize = 1023;

/// The bytes that Xen hands on of the Dom0 kernel's line: `MAX_GUEST_CMDLINE`,
/// but for the end.
pub const LINUX_MAX: usize = 1023;

/// What is wrong with a kernel's line of that length.
pub(crate) fn too_long_for_linux(length: usize) -> Option<String> {
    (length > LINUX_MAX)
        .then(|| format!("the line has {length} bytes; Xen hands {LINUX_MAX} on to Dom0's kernel"))
}

/// The word that ends Xen's part: what follows is the Dom0 kernel's.
pub const END: &str = "--";

/// One option of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// Where it begins, in bytes.
    pub at: usize,
    /// As it stands there.
    pub text: &'a str,
}

impl<'a> Word<'a> {
    /// What stands before the first `=`.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.text.split_once('=').map_or(self.text, |(key, _)| key)
    }

    /// What stands after the first `=`; `None` where there is none.
    #[must_use]
    pub fn value(&self) -> Option<&'a str> {
        self.text.split_once('=').map(|(_, value)| value)
    }
}

/// The options of a text. Only a space separates them; a tab does not.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_space = |byte: &u8| *byte == b' ';
        // Options are short: looking at each byte is the quickest here.
        let left = text.as_bytes().get(at..)?;
        let begin = at + left.iter().position(|byte| !is_space(byte))?;
        let left = &text.as_bytes()[begin..];
        at = left
            .iter()
            .position(is_space)
            .map_or(text.len(), |end| begin + end);
        let text = &text[begin..at];
        Some(Word { at: begin, text })
    })
}

/// The last option of a text; an empty one where it has none.
pub(crate) fn last_word(text: &str) -> Word<'_> {
    let text = text.trim_end_matches(' ');
    let at = text.rfind(' ').map_or(0, |space| space + 1);
    Word {
        at,
        text: &text[at..],
    }
}

/// What GRUB's scripts put first.
const PLACEHOLDER: &str = "placeholder";

/// What they put last where firmware is UEFI.
const UNDER_EFI: [&str; 2] = ["no-real-mode", "edd=off"];

/// The options without what GRUB's scripts put around them (`20_linux_xen`).
pub(crate) fn without_grub_s_own<'a>(words: impl Iterator<Item = Word<'a>>) -> Vec<Word<'a>> {
    let mut own: Vec<Word<'_>> = words.collect();
    let is_of_grub = own.first().is_some_and(|word| word.text == PLACEHOLDER);
    let ends_so = |own: &[Word<'_>]| own.iter().map(|word| word.text).eq(UNDER_EFI);
    let end = own.len().saturating_sub(UNDER_EFI.len());
    if is_of_grub && ends_so(&own[end..]) {
        own.truncate(end);
    }
    own.retain(|word| word.text != PLACEHOLDER);
    own
}

/// The options in their order, without superfluous spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    options: Vec<String>,
}

impl Line {
    /// The options of a text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut line = Self::default();
        line.add(text);
        line
    }

    /// Adds the options of a text at the end.
    pub fn add(&mut self, text: &str) {
        self.options
            .extend(words(text).map(|word| word.text.to_owned()));
    }

    /// Takes the options of that name away.
    pub(crate) fn leave_out(&mut self, name: &str) {
        self.options
            .retain(|text| Word { at: 0, text }.key() != name);
    }

    /// The options.
    pub fn words(&self) -> impl Iterator<Item = Word<'_>> {
        let mut at = 0;
        self.options.iter().map(move |text| {
            let begin = at;
            at += text.len() + 1;
            Word { at: begin, text }
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.options.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_space_separates() {
        let found: Vec<Word<'_>> = words("  a=1  b\tc ").collect();
        assert_eq!(
            found,
            [
                Word { at: 2, text: "a=1" },
                Word {
                    at: 7,
                    text: "b\tc"
                }
            ]
        );
    }

    #[test]
    fn the_first_equals_sign_ends_the_name() {
        let word = words("dom0=pvh,verbose=1").next().unwrap();
        assert_eq!((word.key(), word.value()), ("dom0", Some("pvh,verbose=1")));
        let word = words("noreboot").next().unwrap();
        assert_eq!((word.key(), word.value()), ("noreboot", None));
    }

    #[test]
    fn what_grub_puts_around_a_line_is_told_apart() {
        let own = |text| -> Vec<&str> {
            let own = without_grub_s_own(words(text)).into_iter();
            own.map(|word| word.text).collect()
        };
        assert_eq!(
            own("placeholder a edd=off no-real-mode edd=off"),
            ["a", "edd=off"]
        );
        assert_eq!(own("placeholder no-real-mode edd=off"), [""; 0]);
        assert_eq!(own("placeholder edd=off"), ["edd=off"]);
        // Whoever writes them without GRUB means them.
        assert_eq!(
            own("a no-real-mode edd=off"),
            ["a", "no-real-mode", "edd=off"]
        );
        assert_eq!(own(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_line_taken_apart_and_put_together_is_the_same(
            words in prop::collection::vec("[^ ]{1,40}", 0..20)
        ) {
            let text = words.join(" ");
            prop_assert_eq!(Line::parse(&text).to_string(), text);
        }

        #[test]
        fn words_stand_where_they_say(text in "( |.){0,80}") {
            for word in words(&text) {
                prop_assert_eq!(&text[word.at..word.at + word.text.len()], word.text);
            }
            let last = words(&text).last();
            prop_assert_eq!(last_word(&text), last.unwrap_or(Word { at: 0, text: "" }));
        }
    }
}
