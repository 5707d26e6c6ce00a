//! The watcher: it puts a change right if whoever made it dies, or nobody
//! confirms it in time.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, setsid};

use crate::Error;
use crate::events::wait_for;
use crate::files::{Lock, try_lock};
use crate::guard::{ARMED, CONFIRMED, LET_GO, PUT_BACK, RESTORED, say};
use crate::journal::{self, Pending, is_at, pending};
use crate::netlink::Connection;
use crate::signals::Signals;

/// How long whoever makes the change may go on with it after its time.
const GRACE: Duration = Duration::from_secs(1);

/// Watches over the journal of that bridge until it is gone.
///
/// # Errors
/// There is none, or not everything could be put back.
pub fn watch(root: &Path, name: &str) -> Result<(), Error> {
    // Already so where a unit starts it.
    let _ = setsid();
    let signals = Signals::block()?;
    let _ = std::env::set_current_dir("/");
    // Not everybody may.
    let _ = fs::write("/proc/self/oom_score_adj", "-1000");
    let path = journal::path(root, name);
    let failed = |error: std::io::Error| Error::system(format!("watch {}", path.display()), error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    // Another watches over it, or it is gone and this one came too late.
    if !try_lock(&file).map_err(failed)? || !is_at(&path, &file) {
        return Ok(());
    }
    let Some(Pending { journal, .. }) = pending(root, name)? else {
        return Ok(());
    };
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
        .map_err(|errno| failed(errno.into()))?;
    let kinds = AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_DELETE_SELF;
    changes
        .add_watch(&path, kinds)
        .map_err(|errno| failed(errno.into()))?;
    let deadline = Instant::now() + Duration::from_secs(journal.seconds.into());
    // Nobody there: whoever made the change is dead already.
    let place = journal::meeting(root, name, &file.metadata().map_err(failed)?);
    let mut line = UnixStream::connect(place).ok();
    say(line.as_mut(), ARMED);
    let mut has_let_go = false;
    while let Some(partner) = line.as_ref() {
        let files = [changes.as_fd(), signals.as_fd(), partner.as_fd()];
        let ready = wait_for(&files, deadline)?;
        if ready.first() == Some(&true) {
            // What happened is looked at, not believed.
            let _ = changes.read_events();
            if let Some(word) = verdict(&path, &file) {
                say(line.as_mut(), word);
                return Ok(());
            }
            continue;
        }
        // In time only if somebody asked to stop, or the other end is dead.
        let told = ready.get(2) == Some(&true);
        let is_dead = told && hear(partner) != Some(LET_GO);
        has_let_go |= told && !is_dead;
        let at_deadline = !ready.contains(&true);
        if is_dead || at_deadline || signals.taken().is_some() {
            break;
        }
    }
    let lock = take_lock(root, line.as_ref().filter(|_| !has_let_go))?;
    let word = match pending(root, name)?.filter(|_| is_at(&path, &file)) {
        // Confirmed, or put back, while this waited for the lock.
        None => verdict(&path, &file).unwrap_or(CONFIRMED),
        Some(Pending { journal, .. }) => {
            journal.put_back(&mut Connection::open()?, &lock)?;
            PUT_BACK
        }
    };
    say(line.as_mut(), word);
    Ok(())
}

/// The lock. A partner has it until it says otherwise, and is ended if it does
/// not let go of it: it was stopped, or waits for what never comes.
fn take_lock(root: &Path, partner: Option<&UnixStream>) -> Result<Lock, Error> {
    let Some(partner) = partner else {
        return Lock::take(root);
    };
    if let Some(lock) = Lock::take_if_free(root)? {
        return Ok(lock);
    }
    // The kernel knows no time after which to give up waiting for a lock.
    if wait_for(&[partner.as_fd()], Instant::now() + GRACE)? == [false] {
        end(partner);
    }
    Lock::take(root)
}

/// Ends the process at the other end. It has that end open, and nobody else
/// has: as long as it is open, the number is still that process'.
fn end(partner: &UnixStream) {
    let Ok(pid) = getsockopt(partner, PeerCredentials).map(|it| it.pid()) else {
        return;
    };
    let closed = wait_for(&[partner.as_fd()], Instant::now());
    // 0 where its number is not known here, which to kill(2) is our own group.
    if pid > 0 && closed.is_ok_and(|closed| closed == [false]) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// What became of the journal; `None`: it is still there.
fn verdict(path: &Path, file: &File) -> Option<u8> {
    // Who puts everything back empties it before it is removed.
    let is_empty = file.metadata().is_ok_and(|it| it.len() == 0);
    match (is_empty, is_at(path, file)) {
        (true, _) => Some(RESTORED),
        (false, false) => Some(CONFIRMED),
        (false, true) => None,
    }
}

/// What the watcher said last; `None`: it died.
pub(crate) fn hear(mut line: &UnixStream) -> Option<u8> {
    let mut word = [0];
    line.read_exact(&mut word).ok()?;
    Some(word[0])
}
