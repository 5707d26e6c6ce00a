//! What the machine tells: Xen or not, which stores live, what they have done.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::Error;

/// The file names of the daemons' executables.
const DAEMONS: [&str; 2] = ["xenstored", "oxenstored"];

/// `path` as seen below `root`.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The content of a file, or `None` where there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(Error::system(format!("read {}", path.display()), error)),
    }
}

/// Which file has the name now. Its number alone may be given again to the
/// next one at once; a socket's modification time is that of its making.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let metadata = fs::metadata(path).ok()?;
    let (seconds, rest) = (metadata.mtime(), metadata.mtime_nsec());
    Some((metadata.dev(), metadata.ino(), seconds, rest))
}

/// `/proc/xen` is made only by a kernel that runs under Xen; one without
/// `CONFIG_XEN_COMPAT_XENFS` still has `/sys/hypervisor/type`.
#[must_use]
pub fn under_xen(root: &Path) -> bool {
    if below(root, Path::new("/proc/xen")).is_dir() {
        return true;
    }
    let kind = fs::read(below(root, Path::new("/sys/hypervisor/type")));
    kind.is_ok_and(|text| text.trim_ascii() == b"xen")
}

/// How often a store has signalled this domain since it was booted: the sum of
/// the counts of the interrupt named `xenbus` in `/proc/interrupts`. `None`
/// where there is no such interrupt.
#[must_use]
pub fn signals_of_the_store(interrupts: &str) -> Option<u64> {
    let mut sum = None;
    for line in interrupts.lines() {
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|number| number.ends_with(':')) {
            continue;
        }
        let mut counts: u64 = 0;
        let mut last = "";
        let mut counting = true;
        for word in words {
            match word.parse::<u64>() {
                Ok(count) if counting => counts = counts.saturating_add(count),
                _ => counting = false,
            }
            last = word;
        }
        if last == "xenbus" {
            sum = Some(counts.saturating_add(sum.unwrap_or(0)));
        }
    }
    sum
}

/// A process whose executable is a store's, other than this one.
///
/// # Errors
/// `/proc` cannot be listed.
pub fn find_store_process(root: &Path) -> Result<Option<(u32, PathBuf)>, Error> {
    let proc = below(root, Path::new("/proc"));
    let entries = match fs::read_dir(&proc) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::system(format!("list {}", proc.display()), error)),
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Kernel threads have none, zombies no longer.
        let executable = match fs::read_link(entry.path().join("exe")) {
            Ok(executable) => executable,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                name_of_roots(&entry.path())
            }
            Err(_) => continue,
        };
        if is_a_store(&executable) && pid != std::process::id() {
            return Ok(Some((pid, executable)));
        }
    }
    Ok(None)
}

/// The name of a process with capabilities that this one lacks, from its
/// `status` (proc(5)): the executable is hidden, also that of a zombie, which is
/// none. Anybody can give a process of his own any name.
fn name_of_roots(process: &Path) -> PathBuf {
    let status = fs::read(process.join("status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let field = |name| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)).unwrap_or("")
    };
    let is_dead = field("State:\t").starts_with(['Z', 'X', 'x']);
    let is_roots = field("Uid:\t").starts_with("0\t0\t");
    let name = if is_dead || !is_roots {
        ""
    } else {
        field("Name:\t")
    };
    PathBuf::from(name)
}

/// A package update leaves running daemons with ` (deleted)` at the end.
fn is_a_store(executable: &Path) -> bool {
    let name = executable.file_name().unwrap_or_default().as_bytes();
    let name = name.strip_suffix(b" (deleted)").unwrap_or(name);
    DAEMONS.iter().any(|daemon| daemon.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOM0: &str = "\
            CPU0       CPU1
  1:          0          9  xen-pirq    -ioapic-edge  i8042
 24:         17          0  xen-percpu    -virq      timer0
 48:        312          5   xen-dyn    -event     xenbus
 49:          2          0   xen-dyn    -event     evtchn:xenstored
NMI:          0          0   Non-maskable interrupts
";

    #[test]
    fn adds_up_the_counts_of_the_interrupt_named_xenbus() {
        assert_eq!(signals_of_the_store(DOM0), Some(317));
    }

    #[test]
    fn finds_zero_where_no_store_ever_signalled() {
        let quiet = DOM0.replace("312          5", "  0          0");
        assert_eq!(signals_of_the_store(&quiet), Some(0));
    }

    #[test]
    fn finds_no_interrupt_off_xen() {
        assert_eq!(signals_of_the_store(""), None);
        let bare = "  CPU0\n  9:  0  IO-APIC  9-fasteoi  acpi\nERR:  0\n";
        assert_eq!(signals_of_the_store(bare), None);
    }

    #[test]
    fn does_not_count_numbers_behind_the_name_of_the_chip() {
        let line = " 48:  3  xen-dyn  12  -event  xenbus\n";
        assert_eq!(signals_of_the_store(line), Some(3));
    }

    #[test]
    fn knows_a_store_by_the_name_of_its_executable() {
        assert!(is_a_store(Path::new("/usr/lib/xen-4.17/bin/xenstored")));
        assert!(is_a_store(Path::new("/usr/sbin/oxenstored (deleted)")));
        assert!(!is_a_store(Path::new("/usr/bin/xenstored-log")));
        assert!(!is_a_store(Path::new("/")));
    }
}
