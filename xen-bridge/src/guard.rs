//! A change that somebody watches over: this program started again, in a
//! session of its own, which puts everything back if this one dies or nobody
//! confirms in time.

use std::ffi::{CStr, CString};
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::Error;
use crate::events::wait_for;
use crate::files::{Lock, remove};
use crate::journal::{self, Journal};
use crate::netlink::Connection;

/// What is said to the watcher: the lock is let go of.
pub(crate) const LET_GO: u8 = b'l';
/// What the watcher says.
pub(crate) const ARMED: u8 = b'a';
/// The change was confirmed.
pub(crate) const CONFIRMED: u8 = b'c';
/// Everything was put back.
pub(crate) const PUT_BACK: u8 = b'r';
/// Somebody else put everything back.
pub(crate) const RESTORED: u8 = b'o';
/// How long a watcher may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A journal, and somebody who watches over it.
#[derive(Debug)]
pub struct Guard<'a> {
    lock: &'a Lock,
    journal: Journal,
    /// The line to the watcher. When it is closed before the journal is gone,
    /// the watcher puts everything back.
    watcher: UnixStream,
}

impl<'a> Guard<'a> {
    /// Writes the journal and has it watched over. Until then nothing is to
    /// be changed.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn arm(lock: &'a Lock, journal: Journal) -> Result<Self, Error> {
        journal.write(lock)?;
        let path = journal::path(lock.root(), &journal.name);
        let written = fs::metadata(&path)
            .map_err(|error| Error::system(format!("look at {}", path.display()), error))?;
        let place = journal::meeting(lock.root(), &journal.name, &written);
        let met = meet(&place, &journal.name);
        // Whether met or not, it is in nobody's way.
        let _ = fs::remove_file(&place);
        match met {
            Ok(watcher) => Ok(Self {
                lock,
                journal,
                watcher,
            }),
            Err(error) => {
                journal::remove_as(lock.root(), &journal.name, false)?;
                Err(Error::system("arm the watcher", error))
            }
        }
    }

    /// The change stays.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn commit(self) -> Result<(), Error> {
        journal::remove_as(self.lock.root(), &self.journal.name, false)
    }

    /// Puts everything back now. Gives the error that is to be told.
    #[must_use]
    pub fn put_back(self, connection: &mut Connection, cause: Error) -> Error {
        let undoing = match self.journal.put_back(connection, self.lock) {
            Ok(lost) => lost.into_iter().next(),
            Err(error) => Some(error),
        };
        match undoing {
            None => cause,
            Some(undoing) => Error::HalfWay {
                cause: Box::new(cause),
                undoing: Box::new(undoing),
            },
        }
    }

    /// Goes on with what is to be gone through whatever happens
    /// ([`Journal::onward`]). Gives the error that is to be told: what stopped
    /// it may have stopped it again.
    #[must_use]
    pub fn go_on(self, connection: &mut Connection, cause: Error) -> Error {
        match self.journal.put_back(connection, self.lock) {
            Ok(lost) => match lost.into_iter().next() {
                Some(lost) => Error::NotGivenBack(Box::new(lost)),
                None => cause,
            },
            Err(error) => error,
        }
    }

    /// The line to the watcher, which hears that the lock is about to be
    /// given up: from then on it is others who have it.
    #[must_use]
    pub fn into_watcher(mut self) -> UnixStream {
        say(Some(&mut self.watcher), LET_GO);
        self.watcher
    }
}

/// Starts a watcher, and waits until it says that it watches.
fn meet(place: &Path, name: &str) -> std::io::Result<UnixStream> {
    remove(place).map_err(|error| std::io::Error::other(error.to_string()))?;
    let listener = UnixListener::bind(place)?;
    fs::set_permissions(place, Permissions::from_mode(0o600))?;
    start(name)?;
    let ready = wait_for(&[listener.as_fd()], Instant::now() + PATIENCE);
    if !ready.is_ok_and(|ready| ready == [true]) {
        return Err(Errno::ETIMEDOUT.into());
    }
    let (mut watcher, _) = listener.accept()?;
    watcher.set_read_timeout(Some(PATIENCE))?;
    let mut word = [0];
    watcher.read_exact(&mut word)?;
    match word {
        [ARMED] => Ok(watcher),
        _ => Err(Errno::EPROTO.into()),
    }
}

/// Under systemd as a unit of its own, which outlives the session and the
/// service that asked; else as a process of its own.
fn start(name: &str) -> std::io::Result<()> {
    let name = CString::new(name)?;
    if is_under_systemd() {
        let program = std::env::current_exe()?;
        let program = CString::new(program.into_os_string().into_encoded_bytes())?;
        let words = [
            c"systemd-run",
            c"--quiet",
            c"--collect",
            // Early in the boot a unit would wait for what waits for this.
            c"--no-block",
            c"--property=DefaultDependencies=no",
            c"--property=Restart=on-failure",
            c"--property=OOMScoreAdjust=-1000",
            c"--",
            &program,
            c"watch",
            c"--",
            &name,
        ];
        let ended = spawn(c"/usr/bin/systemd-run", &words).and_then(|pid| waitpid(pid, None));
        if matches!(ended, Ok(WaitStatus::Exited(_, 0))) {
            return Ok(());
        }
    }
    spawn(c"/proc/self/exe", &[c"xen-bridge", c"watch", c"--", &name])?;
    Ok(())
}

/// Starts a program with nothing to read and nowhere to write. (The standard
/// library's way is twenty kilobytes more.)
fn spawn(program: &CStr, words: &[&CStr]) -> nix::Result<Pid> {
    let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut files = PosixSpawnFileActions::init()?;
    for descriptor in 0..=2 {
        files.add_dup2(nothing.as_raw_fd(), descriptor)?;
    }
    let settings = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
    posix_spawn(program, &files, &PosixSpawnAttr::init()?, words, &settings)
}

/// systemd runs, and its units have this process' network and files.
fn is_under_systemd() -> bool {
    let same = |kind: &str| {
        let inode = |pid: &str| fs::metadata(format!("/proc/{pid}/ns/{kind}")).map(|it| it.ino());
        matches!((inode("1"), inode("self")), (Ok(theirs), Ok(ours)) if theirs == ours)
    };
    Path::new("/run/systemd/system").is_dir() && same("net")
}

/// Says one word on the line, if anybody is left to hear it.
pub(crate) fn say(line: Option<&mut UnixStream>, word: u8) {
    if let Some(line) = line {
        let _ = line.write_all(&[word]);
    }
}
