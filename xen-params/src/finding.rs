//! A remark on an option of a line.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Xen ignores it, or refuses the value.
    Error,
    /// Xen takes it, but hardly as it was meant.
    Warning,
    /// Something to think of.
    Hint,
}

/// What kind of thing it is. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The line is longer than Xen keeps.
    LineTooLong,
    /// An option is longer than Xen keeps.
    OptionTooLong,
    /// A tab or another control character, which separates nothing.
    ControlCharacter,
    /// `--` ends Xen's part.
    EndOfXen,
    /// Not in the table.
    Unknown,
    /// Linux's, on the hypervisor's line.
    LinuxOption,
    /// The hypervisor's, on Linux's line.
    XenOption,
    /// Gone in a later release, or to be said in another way.
    Obsolete,
    /// Only on other machines.
    OtherMachine,
    /// Not in this release.
    OtherRelease,
    /// Not what the option takes.
    BadValue,
    /// One part takes back the other.
    Contradiction,
    /// A size without a suffix.
    Kib,
    /// A leading zero.
    Octal,
    /// Has no effect as it is written.
    NoEffect,
    /// A later one wins.
    Duplicate,
    /// `dom0_mem` without `max:`.
    NoMaximum,
    /// Another option must stand beside it.
    Incomplete,
    /// Not in every build of the release.
    BuildDependent,
    /// What the file that carries it would not hand on.
    Uncarried,
}

impl Code {
    /// No version of Xen could take such a line, so nothing can force it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::LineTooLong | Self::OptionTooLong | Self::ControlCharacter | Self::EndOfXen
        )
    }
}

/// One remark on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub code: Code,
    /// Where the option begins, in bytes.
    pub at: usize,
    /// The option.
    pub word: String,
    /// What is wrong with it.
    pub what: Cow<'static, str>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Visible(&self.word), self.what)
    }
}

/// A text whose control characters are written so that they can be seen, and do
/// nothing to a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(char::is_control) {
            let (plain, after) = rest.split_at(at);
            let mut letters = after.chars();
            f.write_str(plain)?;
            if let Some(letter) = letters.next() {
                write!(f, "{}", letter.escape_default())?;
            }
            rest = letters.as_str();
        }
        f.write_str(rest)
    }
}
