//! The command lines that an `extlinux.conf` or `syslinux.cfg` holds, where
//! `mboot.c32` starts Xen: `APPEND xen.gz ... --- vmlinuz ... --- initramfs`.

use crate::carried::{Carried, Side};

/// What parts the files that `mboot.c32` loads, each with its words.
const NEXT: &str = "---";

/// It has an entry and what is given to that.
pub(crate) fn is_extlinux_conf(text: &str) -> bool {
    let has = |name: &str| text.lines().any(|line| value(line, name).is_some());
    has("label") && has("append")
}

/// The lines of the entries by which Xen is started.
pub(crate) fn extlinux_conf(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = value(line, "append")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        let mut parts = words.split(|word| *word == NEXT);
        let (Some([xen, line @ ..]), Some(kernel)) = (parts.next(), parts.next()) else {
            continue;
        };
        if xen
            .rsplit('/')
            .next()
            .is_some_and(|file| file.starts_with("xen"))
        {
            found.push(Carried::new(at + 1, Side::Xen, line.join(" ")));
            let linux = kernel.iter().skip(1).copied().collect::<Vec<_>>();
            found.push(Carried::new(at + 1, Side::Linux, linux.join(" ")));
        }
    }
    found
}

/// What follows a name, which may be in capitals.
fn value<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    let (name, value) = line.trim().split_once([' ', '\t'])?;
    name.eq_ignore_ascii_case(wanted).then_some(value)
}
