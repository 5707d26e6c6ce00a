//! Modules that are asked for by names that no kernel has.

use crate::rules::{Found, has};
use crate::traps::{UNKNOWN_MODULE, UNRELATED_MODULE};

/// Names that modules had before they were in Linux, or never; nf-conntrack-ipv4
/// is part of nf-conntrack since 4.19, and COLO's two never came in.
const OLD: [&str; 16] = [
    "evtchn",
    "gntdev",
    "netbk",
    "blkbk",
    "xen-scsibk",
    "usbbk",
    "pciback",
    "blktap",
    "blktap2",
    "cpufreq-xen",
    "xen-netblock",
    "xen-gnttalloc",
    "xen-usbback",
    "nf-conntrack-ipv4",
    "xt-pmycolo",
    "xt-seccolo",
];

/// The traps in a list of modules: a file of modules-load.d, or a command line.
#[must_use]
pub fn in_list(text: &str) -> Found {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut found = vec![];
    for word in lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || ";\"'".contains(c)))
    {
        let name = word.replace('_', "-");
        let trap = match name.as_str() {
            "netxen-nic" => UNRELATED_MODULE,
            name if OLD.contains(&name) => UNKNOWN_MODULE,
            _ => continue,
        };
        found.push((trap, Some(word.to_owned())));
    }
    found
}

/// The traps in what a script loads, by the script's lines in small letters:
/// what it names to modprobe, and the lists that it goes through.
pub(crate) fn in_script(lines: &[String]) -> Found {
    let mut found = vec![];
    let mut is_by_name = false;
    for line in lines.iter().filter(|line| has(line, "modprobe")) {
        is_by_name |= has(line, "$");
        found.extend(in_list(line));
    }
    if is_by_name {
        for line in lines.iter().filter(|line| line.starts_with("for ")) {
            found.extend(in_list(line));
        }
        found.extend(in_settings(&lines.join("\n")));
    }
    found
}

/// The traps in the lists that are the values of settings.
pub(crate) fn in_settings(text: &str) -> Found {
    let text = text.to_ascii_lowercase();
    let mut found = vec![];
    for (at, key) in text.match_indices("modules=") {
        let is_comment = text[..at]
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim_start().starts_with('#'));
        let value = &text[at + key.len()..];
        let list = match value.chars().next() {
            // It may go over several lines.
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
            _ => value.split_whitespace().next(),
        };
        if let (Some(list), false) = (list, is_comment) {
            found.extend(in_list(list));
        }
    }
    found
}
