//! Names: those that a Dom0 needs, those of long ago, and those meant by
//! mistake.

use crate::pattern::underscored;

/// What a Dom0 needs, in loading order.
pub const DOM0_SET: [&str; 13] = [
    "xen-evtchn",
    "xen-gntdev",
    "xen-gntalloc",
    "xen-privcmd",
    "xenfs",
    "xen-blkback",
    "xen-netback",
    "xen-pciback",
    "xen-scsiback",
    "xen-acpi-processor",
    "xen_wdt",
    "tun",
    "loop",
];

/// Those of the Dom0 set without which no toolstack works.
pub const REQUIRED: [&str; 3] = ["xen-evtchn", "xen-gntdev", "xen-privcmd"];

/// Loop devices that are there from the start: guests' disk images were given
/// by name long before `/dev/loop-control`.
pub const LOOP_OPTIONS: &str = "max_loop=64";

/// What a name of long ago is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Successor {
    /// This module.
    Module(&'static str),
    /// No module: in words.
    Words(&'static str),
}

impl Successor {
    /// What it is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Module(name) | Self::Words(name) => name,
        }
    }
}

/// Names of the Linux 2.6.18 port and of drivers that never came into Linux.
const OBSOLETE: [(&str, Successor); 13] = [
    ("evtchn", Successor::Module("xen-evtchn")),
    ("gntdev", Successor::Module("xen-gntdev")),
    ("netbk", Successor::Module("xen-netback")),
    ("blkbk", Successor::Module("xen-blkback")),
    ("xen_scsibk", Successor::Module("xen-scsiback")),
    ("scsibk", Successor::Module("xen-scsiback")),
    ("pciback", Successor::Module("xen-pciback")),
    ("cpufreq_xen", Successor::Module("xen-acpi-processor")),
    ("usbbk", Successor::Words("qemu's USB backend")),
    ("xen_usbback", Successor::Words("qemu's USB backend")),
    ("blktap", Successor::Words("qemu's disk backend")),
    ("blktap2", Successor::Words("qemu's disk backend")),
    ("xen_balloon", Successor::Words("a part of the kernel")),
];

/// Mistakes that were shipped.
const TYPOS: [(&str, &str); 2] = [
    ("xen_netblock", "xen-netback"),
    ("xen_gnttalloc", "xen-gntalloc"),
];

/// Modules of Linux that a kernel may lack: their names are no mistakes.
const GENUINE: [&str; 5] = [
    "xen_pcifront",
    "xen_netfront",
    "xen_blkfront",
    "xen_scsifront",
    "pvcalls_back",
];

/// Loaded by mistake since 2012.
const UNRELATED: [(&str, &str); 1] = [(
    "netxen_nic",
    "a NetXen network card's driver, nothing to do with Xen",
)];

/// The successor of an obsolete name.
#[must_use]
pub fn successor(name: &str) -> Option<Successor> {
    find(&OBSOLETE, name)
}

/// What to say of a module that has nothing to do with Xen.
#[must_use]
pub fn unrelated(name: &str) -> Option<&'static str> {
    find(&UNRELATED, name)
}

/// One of [`REQUIRED`], by its name of today or of long ago.
#[must_use]
pub fn is_required(name: &str) -> bool {
    let today = match successor(name) {
        Some(Successor::Module(today)) => today,
        _ => name,
    };
    REQUIRED.map(underscored).contains(&underscored(today))
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let name = underscored(name);
    table
        .iter()
        .find(|(entry, _)| *entry == name)
        .map(|(_, value)| *value)
}

/// What was meant by a name that no module has: a known mistake, or the
/// nearest of the names that there are.
#[must_use]
pub fn meant(name: &str, existing: &[String]) -> Option<String> {
    if let Some(right) = find(&TYPOS, name) {
        return Some(right.to_owned());
    }
    let name = underscored(name);
    let genuine = DOM0_SET.map(underscored).contains(&name) || GENUINE.contains(&name.as_str());
    if genuine || name.contains(':') {
        return None;
    }
    // One letter wrong in a short name, two in a long one.
    let allowed = match name.len() {
        0..4 => return None,
        4..9 => 1,
        _ => 2,
    };
    let ours = DOM0_SET.map(underscored);
    existing
        .iter()
        .map(|other| (distance(&name, other, allowed), other))
        .filter(|(distance, _)| *distance <= allowed)
        // Of two that are as near, one that a Dom0 needs is likelier.
        .min_by_key(|(distance, other)| (*distance, !ours.contains(other)))
        .map(|(_, other)| spelled(other))
}

/// The spelling that people know: `xen-netback`, not `xen_netback`.
fn spelled(module: &str) -> String {
    let known = DOM0_SET.iter().find(|name| underscored(name) == module);
    known.map_or_else(|| module.to_owned(), |name| (*name).to_owned())
}

/// How many letters are wrong, missing, too many or swapped with their
/// neighbour (optimal string alignment); above `limit` it is only told to be so.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn existing() -> Vec<String> {
        ["xen_netback", "xen_pciback", "xen_blkback", "tun", "bridge"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn counts_letters() {
        assert_eq!(distance("bridge", "bridge", 2), 0);
        assert_eq!(distance("bridge", "brigde", 2), 1);
        assert_eq!(distance("bridge", "brdge", 2), 1);
        assert_eq!(distance("", "ab", 2), 2);
        assert_eq!(distance("abc", "xyz", 3), 3);
    }

    #[test]
    fn suggests_the_nearest_name_and_the_known_mistakes() {
        assert_eq!(meant("xen-netblock", &[]).unwrap(), "xen-netback");
        assert_eq!(meant("xen_gnttalloc", &[]).unwrap(), "xen-gntalloc");
        assert_eq!(meant("xen-netbakc", &existing()).unwrap(), "xen-netback");
        assert_eq!(meant("brigde", &existing()).unwrap(), "bridge");
    }

    #[test]
    fn suggests_nothing_for_a_module_that_is_only_absent() {
        // Two letters from xen-pciback, and still no mistake.
        assert_eq!(meant("xen-scsiback", &existing()), None);
        assert_eq!(meant("nosuchmodule", &existing()), None);
        assert_eq!(meant("tum", &existing()), None);
    }

    #[test]
    fn every_name_of_the_system_replaced_is_known() {
        for name in [
            "evtchn",
            "gntdev",
            "netbk",
            "blkbk",
            "xen-scsibk",
            "pciback",
        ] {
            assert!(matches!(successor(name), Some(Successor::Module(_))));
        }
        for name in ["usbbk", "blktap2"] {
            assert!(matches!(successor(name), Some(Successor::Words(_))));
        }
        assert!(unrelated("netxen-nic").is_some());
        assert_eq!(successor("xen-evtchn"), None);
    }
}
