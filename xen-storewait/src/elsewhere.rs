//! A wait through the kernel's device, by a process of its own.
//!
//! For WATCH and UNWATCH the kernel itself speaks to the store, and the caller
//! sleeps until there is an answer: no deadline wakes it, and no signal either
//! (`xs_talkv`, `drivers/xen/xenbus/xenbus_xs.c`). So the watch is set by this
//! program started again, and who keeps the deadline does not depend on it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use crate::{Deadline, Error, seconds};

/// How a wait ended.
pub(crate) enum Ended {
    Met,
    /// What was seen last, in words.
    NotYet(String),
    /// The watch could not be set by the deadline.
    Unanswered,
}

/// Waits for a condition of `--wait`.
pub(crate) fn wait(root: &Path, condition: &OsStr, deadline: Deadline) -> Result<Ended, Error> {
    let failed = |source| Error::system("start another process for the watch", source);
    let program = env::current_exe().map_err(failed)?;
    let mut wait = OsString::from("--wait=");
    wait.push(condition);
    let mut child = Command::new(program)
        .arg("--root")
        .arg(root)
        .args(["--device", "--tell", "--timeout"])
        .arg(seconds::print(deadline.left()))
        .arg(wait)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut told = vec![];
    let ended = match child.stdout.take() {
        Some(mut stdout) => listen(&mut stdout, &mut told, deadline)
            .map_err(|source| Error::system("hear of the watch", source))?,
        None => true,
    };
    if ended {
        return how_it_ended(child);
    }
    // In the kernel's hands it stays until the store answers; nobody waits.
    let _ = child.kill();
    Ok(match last_line(&told) {
        Some(seen) => Ended::NotYet(seen),
        None => Ended::Unanswered,
    })
}

/// What the other process does first: not outlive the one that waits.
pub(crate) fn end_with_the_parent() {
    // Else it ends at its deadline.
    let _ = set_pdeathsig(Signal::SIGKILL);
}

/// Hears what it tells until it ends (`true`) or the deadline is there.
fn listen(stdout: &mut ChildStdout, told: &mut Vec<u8>, deadline: Deadline) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    while !deadline.passed() {
        let mut descriptors = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        match deadline.poll(&mut descriptors) {
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let count = stdout.read(&mut buffer)?;
        if count == 0 {
            return Ok(true);
        }
        // The last whole line, and what has come of the next one.
        let ends = |told: &[u8]| told.iter().rposition(|byte| *byte == b'\n');
        told.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if let Some(start) = ends(told).and_then(|end| ends(told.get(..end)?)) {
            told.drain(..=start);
        }
    }
    Ok(false)
}

fn last_line(told: &[u8]) -> Option<String> {
    let end = told.iter().rposition(|byte| *byte == b'\n')?;
    Some(String::from_utf8_lossy(told.get(..end)?).into_owned())
}

fn how_it_ended(child: Child) -> Result<Ended, Error> {
    let output = child
        .wait_with_output()
        .map_err(|source| Error::system("wait for the watch", source))?;
    if output.status.success() {
        return Ok(Ended::Met);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let what = said.trim_end().trim_start_matches("xen-storewait: ");
    Err(Error::Elsewhere {
        what: if what.is_empty() {
            format!("the watch ended: {}", output.status)
        } else {
            what.to_owned()
        },
        status: output.status.code().and_then(|code| code.try_into().ok()),
    })
}
