//! Which process was started as the store.
//!
//! A daemon that is a script, or is started by one, is no store by its
//! executable yet when the lock is free again. So the process that becomes it
//! is written down before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::facts::{below, read_if_there};

/// Holds the number of the process and, since numbers are given again, the
/// moment of its start. Not the lock file itself: shells empty that.
const RECORD: &str = "/run/xen-storewait.started";

/// How long a script may take to become the store that it is to start.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// Writes down that this process becomes the store. The caller holds the lock.
pub(crate) fn record(root: &Path) -> Result<(), Error> {
    let pid = std::process::id();
    // Without /proc nobody could look it up.
    let Some(moment) = start_of(root, pid) else {
        return Ok(());
    };
    let path = below(root, Path::new(RECORD));
    let unfinished = path.with_extension("new");
    fs::write(&unfinished, format!("{pid} {moment}\n"))
        .and_then(|()| fs::rename(&unfinished, &path))
        .map_err(|error| Error::system(format!("write {}", path.display()), error))
}

/// The process that was started as the store, if it lives, and what it runs
/// by now; other than this one. With `just_now` only while it may still be on
/// its way to become the store: a script can live on without one.
pub(crate) fn find(root: &Path, just_now: bool) -> Result<Option<(u32, PathBuf)>, Error> {
    let path = below(root, Path::new(RECORD));
    if just_now && !is_young(&path) {
        return Ok(None);
    }
    let record = read_if_there(&path)?.unwrap_or_default();
    let record = String::from_utf8_lossy(&record);
    let known = record.trim().split_once(' ');
    let Some((pid, moment)) = known.and_then(|(pid, moment)| Some((pid.parse().ok()?, moment)))
    else {
        return Ok(None);
    };
    if pid == std::process::id() || start_of(root, pid).as_deref() != Some(moment) {
        return Ok(None);
    }
    let executable = fs::read_link(below(root, Path::new(&format!("/proc/{pid}/exe"))));
    // Whoever has fewer capabilities than that process may not read it.
    let executable = executable.unwrap_or_else(|_| PathBuf::from("hidden"));
    Ok(Some((pid, executable)))
}

fn is_young(record: &Path) -> bool {
    let written = fs::metadata(record).and_then(|metadata| metadata.modified());
    // Where the clock was set back since, nobody knows.
    written.is_ok_and(|written| written.elapsed().map_or(true, |age| age < ON_ITS_WAY))
}

/// When a process that lives was started, in ticks since the boot: the 22nd
/// field of its `stat` (proc(5)). The second is its name, which may hold
/// anything.
fn start_of(root: &Path, pid: u32) -> Option<String> {
    let stat = fs::read(below(root, Path::new(&format!("/proc/{pid}/stat")))).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, after_the_name) = stat.rsplit_once(") ")?;
    let is_dead = after_the_name.starts_with(['Z', 'X', 'x']);
    let moment = after_the_name.split(' ').nth(19)?;
    (!is_dead).then(|| moment.to_owned())
}
