//! The command lines that a `limine.conf` holds.

use crate::carried::{Carried, Side};
use crate::finding::{Code, Finding, Severity};
use crate::table::is_option;

/// An entry, as far as it is read.
#[derive(Default)]
struct Entry {
    is_multiboot: bool,
    is_xen: bool,
    line: Option<(usize, String)>,
    /// What the first module is given: that is the kernel.
    linux: Option<(usize, String)>,
}

/// It has an entry and says how that is started.
pub(crate) fn is_limine_conf(text: &str) -> bool {
    text.lines().any(|line| line.starts_with('/'))
        && text
            .lines()
            .filter_map(option)
            .any(|(name, _)| name == "protocol")
}

/// The lines of the entries by which Xen is started. Those that start
/// `xen.efi` have none: its lines stand in its `xen.cfg`.
pub(crate) fn limine_conf(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    let mut entry = Entry::default();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('/') {
            found.extend(std::mem::take(&mut entry).lines());
            continue;
        }
        let Some((name, value)) = option(line) else {
            continue;
        };
        let here = || Some((at + 1, value.to_owned()));
        match name.as_str() {
            "protocol" => entry.is_multiboot = value.starts_with("multiboot"),
            "path" | "kernel_path" => {
                let file = value.rsplit('/').next().unwrap_or_default();
                entry.is_xen = file.starts_with("xen");
            }
            "cmdline" | "kernel_cmdline" => entry.line = here(),
            "module_string" | "module_cmdline" if entry.linux.is_none() => entry.linux = here(),
            _ => {}
        }
    }
    found.extend(entry.lines());
    found
}

impl Entry {
    fn lines(self) -> Vec<Carried> {
        if !self.is_multiboot || !self.is_xen {
            return vec![];
        }
        let xen = self.line.map(|line| carried(Side::Xen, line));
        let linux = self.linux.map(|line| carried(Side::Linux, line));
        xen.into_iter().chain(linux).collect()
    }
}

/// `name: value`; names are known in capitals too.
fn option(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim_matches([' ', '\t', '\r']);
    Some((name.trim().to_ascii_lowercase(), value))
}

/// Xen drops the first word of both lines: it expects a file's name there of
/// every boot loader but GRUB.
fn carried(side: Side, (number, value): (usize, String)) -> Carried {
    let (first, rest) = value.split_once(' ').unwrap_or((&value, ""));
    let mut carried = Carried::new(number, side, rest.trim_start_matches(' '));
    let name = first.split('=').next().unwrap_or_default();
    let is_lost = match side {
        Side::Xen => name != "placeholder" && is_option(name.trim_start_matches("no-")),
        Side::Linux => first.contains('='),
    };
    if !is_lost {
        return carried;
    }
    carried.tell(Finding {
        severity: Severity::Error,
        code: Code::Uncarried,
        at: 0,
        word: first.to_owned(),
        what: "Xen drops the first word that Limine hands on: placeholder must stand before it"
            .into(),
    });
    carried
}
