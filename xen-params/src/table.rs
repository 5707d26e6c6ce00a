//! The options that Xen knows, read from `options.tsv` beside this file.
//!
//! The table is data: a new release of Xen is a few changed lines there. It is
//! packed into the program by `build.rs`.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use crate::names::{allowed, closest, letters_of, may_be_like};
use crate::target::as_optional_text;
use crate::{Arch, Target, Version};

/// How Xen reads the value of an option (`xen/include/xen/param.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parser {
    /// Yes or no; a bare name is yes.
    Boolean,
    /// A whole number: decimal, `0x` or, after a leading `0`, octal.
    Integer,
    /// A number with a suffix, in KiB where there is none.
    Size,
    /// Kept as it is, and read later.
    Text,
    /// A function of its own.
    Custom,
    /// Taken and thrown away, or read before the rest by the boot code.
    Ignored,
}

impl Parser {
    /// The word of the table's column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Size => "size",
            Self::Text => "string",
            Self::Custom => "custom",
            Self::Ignored => "ignore",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Boolean,
            Self::Integer,
            Self::Size,
            Self::Text,
            Self::Custom,
            Self::Ignored,
        ];
        all.into_iter().find(|parser| parser.name() == name)
    }
}

/// One row: an option, as one kind of machine reads it. A name may have more
/// than one row. As JSON it is one object; its keys are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The name; one that ends in `[` takes an index, as in `ivrs_ioapic[4]=`.
    pub name: &'static str,
    /// The machines that have it, in the words of Xen's own manual; empty: all.
    pub machines: &'static str,
    /// How the value is read.
    pub parser: Parser,
    /// It can be changed later, by `xl set-parameters`.
    pub runtime: bool,
    /// The release that brought it; `None`: 4.15 or before.
    #[serde(serialize_with = "as_optional_text")]
    pub first: Option<Version>,
    /// The last release that has it; `None`: it is still there.
    #[serde(serialize_with = "as_optional_text")]
    pub last: Option<Version>,
    /// What may stand for the value, in the notation of `grammar::check`;
    /// empty where `parser` says it.
    pub syntax: &'static str,
    /// What holds where it is not given; empty where that is not told.
    pub default: &'static str,
    /// One line on what it does.
    pub about: &'static str,
}

impl Serialize for Parser {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl Entry {
    fn parse(row: &'static str) -> Option<Self> {
        let mut fields = row.split('\t');
        let mut next = || fields.next();
        Some(Self {
            name: next()?,
            machines: next()?,
            parser: Parser::from_name(next()?)?,
            runtime: next()? == "runtime",
            first: version(next()?)?,
            last: version(next()?)?,
            syntax: next()?.trim(),
            default: next()?,
            about: next()?,
        })
    }

    /// A machine of that kind has it.
    #[must_use]
    pub fn on(&self, arch: Arch) -> bool {
        let kind = self.machines.split(['/', ' ']).next().unwrap_or_default();
        match kind {
            "" => true,
            "x86" | "intel" | "amd" => arch == Arch::X86_64,
            "arm" | "arm64" => arch == Arch::Aarch64,
            _ => false,
        }
    }

    /// That release has it; every one where none is named.
    #[must_use]
    pub fn at(&self, xen: Option<Version>) -> bool {
        xen.is_none_or(|xen| {
            self.first.is_none_or(|first| first <= xen) && self.last.is_none_or(|last| xen <= last)
        })
    }

    /// What to write today instead, where `about` ends in `(now ...)`.
    #[must_use]
    pub fn now(&self) -> Option<&'static str> {
        let (_, now) = self.about.split_once("(now ")?;
        now.strip_suffix(')')
    }

    /// The releases that have it, in words; `None` where all do.
    #[must_use]
    pub fn releases(&self) -> Option<String> {
        match (self.first, self.last) {
            (None, None) => None,
            (Some(first), None) => Some(format!("since Xen {first}")),
            (None, Some(last)) => Some(format!("up to Xen {last}")),
            (Some(first), Some(last)) => Some(format!("Xen {first} to {last}")),
        }
    }
}

/// An empty field says nothing; anything else must be a version.
fn version(field: &str) -> Option<Option<Version>> {
    if field.is_empty() {
        return Some(None);
    }
    field.parse().ok().map(Some)
}

/// `options.tsv`, as the build has packed it.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/options"));

static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let unpacked = miniz_oxide::inflate::decompress_to_vec(PACKED).unwrap_or_default();
    let text = String::from_utf8(unpacked).unwrap_or_default();
    // It is read once, and there until the program ends.
    rows(text.leak()).filter_map(Entry::parse).collect()
});

/// The rows of the file, without comments and the headings.
fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|row| !row.starts_with('#')).skip(1)
}

/// Every row, sorted by name: the file is.
#[must_use]
pub fn table() -> &'static [Entry] {
    &TABLE
}

/// The name as it stands on a line: with an index where it takes one.
pub(crate) fn written(name: &str) -> Cow<'_, str> {
    if name.ends_with('[') {
        format!("{name}N]=").into()
    } else {
        name.into()
    }
}

/// Some machine and some release has it.
pub(crate) fn is_option(name: &str) -> bool {
    rows_of(name).next().is_some()
}

/// The rows of one option, in the file's order.
pub(crate) fn rows_of(name: &str) -> impl Iterator<Item = &'static Entry> {
    let begin = TABLE.partition_point(|entry| entry.name < name);
    TABLE[begin..]
        .iter()
        .take_while(move |entry| entry.name == name)
}

/// The rows of one option, the one that holds best for the target first.
#[must_use]
pub fn find(name: &str, target: &Target) -> Vec<&'static Entry> {
    let mut found: Vec<&Entry> = rows_of(name).collect();
    // A row for one kind of machine says more than the one for all.
    let rank = |entry: &Entry| {
        (
            !entry.on(target.arch),
            !entry.at(target.xen),
            entry.machines.is_empty(),
        )
    };
    if let Some(best) = (0..found.len()).min_by_key(|at| rank(found[*at])) {
        found.swap(0, best);
    }
    found
}

/// The rows by the length of the name, each with its letters: they are asked for
/// again for each unknown one.
static BY_LENGTH: LazyLock<Vec<(&'static Entry, u32)>> = LazyLock::new(|| {
    let all = TABLE.iter().map(|entry| (entry, letters_of(entry.name)));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(entry, _)| entry.name.len());
    all
});

/// The option of the target whose name is most like `name`, if any is alike.
#[must_use]
pub fn nearest(name: &str, target: &Target) -> Option<&'static str> {
    let (may_be_like, apart) = (may_be_like(name), allowed(name));
    let begin = BY_LENGTH.partition_point(|(entry, _)| entry.name.len() + apart < name.len());
    let names = BY_LENGTH[begin..]
        .iter()
        .take_while(|(entry, _)| entry.name.len() <= name.len() + apart)
        .filter(|(_, letters)| may_be_like(*letters))
        .map(|(entry, _)| {
            let counts = || entry.on(target.arch) && entry.at(target.xen);
            (entry.name, counts)
        });
    closest(name, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NAME_MAX;

    fn x86(xen: Option<&str>) -> Target {
        Target {
            arch: Arch::X86_64,
            xen: xen.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn every_row_of_the_file_is_an_entry_that_says_what_it_does() {
        assert_eq!(rows(include_str!("options.tsv")).count(), 232);
        assert_eq!(table().len(), 232);
        for entry in table() {
            assert!(!entry.about.is_empty(), "{}", entry.name);
            assert!(entry.about.len() <= 100, "{}", entry.name);
            assert!(entry.about.is_ascii(), "{}", entry.name);
        }
    }

    #[test]
    fn the_table_is_sorted_and_holds_what_can_stand_in_a_line() {
        assert!(table().windows(2).all(|pair| pair[0].name <= pair[1].name));
        for entry in table() {
            assert!(!entry.name.contains([' ', '=', '\t']), "{}", entry.name);
            assert!(entry.name.len() <= NAME_MAX, "{}", entry.name);
            assert!(entry.first.is_none() || entry.last.is_none() || entry.first <= entry.last);
        }
    }

    #[test]
    fn machines_are_told_apart() {
        let on = |name: &str, arch| table().iter().any(|e| e.name == name && e.on(arch));
        for name in ["ept", "cpuid_mask_ecx", "dbgp", "vga", "crashkernel", "gdb"] {
            assert!(on(name, Arch::X86_64) && !on(name, Arch::Aarch64), "{name}");
        }
        for name in ["sched", "loglvl", "xsm", "iommu", "debug_stack_lines"] {
            assert!(on(name, Arch::X86_64) && on(name, Arch::Aarch64), "{name}");
        }
        assert!(on("vpid", Arch::X86_64) && !on("vpid", Arch::Aarch64));
        assert!(on("dit", Arch::X86_64) && !on("dit", Arch::Aarch64));
        assert!(on("dtuart", Arch::Aarch64) && !on("dtuart", Arch::X86_64));
        assert!(!on("xenheap_megabytes", Arch::Aarch64));
        assert!(on("dom0_mem", Arch::X86_64) && on("dom0_mem", Arch::Aarch64));
    }

    #[test]
    fn releases_bound_what_is_known() {
        let wallclock = &find("wallclock", &x86(None))[0];
        assert!(!wallclock.at("4.17".parse().ok()) && wallclock.at("4.20".parse().ok()));
        let gdb = &find("gdb", &x86(None))[0];
        assert!(gdb.at("4.18".parse().ok()) && !gdb.at("4.19".parse().ok()));
        assert!(wallclock.at(None) && gdb.at(None));
    }

    proptest::proptest! {
        #[test]
        fn no_name_that_is_alike_is_passed_over(row in 0..232_usize, cut in 0..5_usize, more in "[a-z_-]{0,3}") {
            let target = x86(None);
            let name: String = table()[row].name.chars().skip(cut).collect();
            let name = name + &more;
            let rows = table().iter().map(|entry| {
                (entry.name, || entry.on(target.arch))
            });
            proptest::prop_assert_eq!(nearest(&name, &target), closest(&name, rows));
        }
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        let target = x86(None);
        assert_eq!(nearest("dom0-mem", &target), Some("dom0_mem"));
        assert_eq!(nearest("dmo0_mem", &target), Some("dom0_mem"));
        assert_eq!(nearest("IOMMU", &target), Some("iommu"));
        assert_eq!(nearest("logvl", &target), Some("loglvl"));
        assert_eq!(nearest("spec_ctrl", &target), Some("spec-ctrl"));
        assert_eq!(nearest("root", &target), None);
        assert_eq!(nearest("", &target), None);
        assert_eq!(nearest("wallclok", &x86(Some("4.17"))), None);
    }
}
