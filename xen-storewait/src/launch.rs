//! Starts a store, but only where none lives.
//!
//! A second store takes the socket of the first one away before it notices
//! anything: the first lives on, and nobody reaches it (`xenstored_core.c`,
//! `oxenstored`). So starts take turns by a lock, and each looks first.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};

use crate::facts::{below, find_store_process, read_if_there, signals_of_the_store};
use crate::greeting::greet;
use crate::lock::{Lock, close_inherited_lock};
use crate::perform::Output;
use crate::{Args, Deadline, Error, Places, Store, dry_run, started};

/// How long a store may take to answer through the kernel's device.
const DEVICE_PATIENCE: Duration = Duration::from_secs(2);

/// The same where none has ever signalled this domain.
const DEVICE_PATIENCE_IF_NEVER_HEARD: Duration = Duration::from_millis(200);

/// How long a store may take to answer on its socket. One that is stopped is
/// found by its process.
const SOCKET_PATIENCE: Duration = Duration::from_secs(2);

/// A sign that a store lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Living {
    /// A process of a store's executable.
    Process {
        /// Its number.
        pid: u32,
        /// Its executable.
        executable: PathBuf,
    },
    /// A process that was started as the store, of some other executable: a
    /// script, which may still become one.
    Started {
        /// Its number.
        pid: u32,
        /// Its executable.
        executable: PathBuf,
    },
    /// A valid reply on this socket or through this device.
    Reply(PathBuf),
}

impl Living {
    /// The sign in words.
    fn words(&self) -> String {
        match self {
            Self::Process { pid, executable } => {
                format!("a store lives: process {pid}, {}", executable.display())
            }
            Self::Started { pid, executable } => format!(
                "process {pid}, {}, was started as the store",
                executable.display()
            ),
            Self::Reply(path) => format!("a store lives: it answers on {}", path.display()),
        }
    }
}

/// What is started, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The daemon and its arguments.
    pub command: Vec<OsString>,
    /// Its limit of open files: each guest takes one.
    pub open_files: u64,
    /// How likely the kernel is to kill it when memory is short; -1000 never.
    pub oom_score_adj: i32,
}

impl Launch {
    /// From the arguments, and `/proc/sys/fs/nr_open` below their root.
    ///
    /// # Errors
    /// [`Error::BadSetting`].
    pub fn plan(args: &Args) -> Result<Self, Error> {
        let nr_open = read_nr_open(&args.root)?;
        Ok(Self {
            command: args.command.clone(),
            open_files: open_files(&args.max_open_fds, nr_open)?,
            oom_score_adj: oom_score_adj(&args.oom_mem_threshold)?,
        })
    }

    /// The same as a shell command, quoted.
    #[must_use]
    pub fn shell_command(&self) -> Vec<u8> {
        let limits = format!(
            "prlimit --nofile={} choom -n {} -- ",
            self.open_files, self.oom_score_adj
        );
        let command = dry_run::join(self.command.iter().map(|word| word.as_bytes()));
        [limits.as_bytes(), &command].concat()
    }

    /// Sets the limits and becomes the daemon. Returns only if that fails.
    fn start(&self, root: &Path) -> Result<(), Error> {
        let Some((daemon, arguments)) = self.command.split_first() else {
            return Ok(());
        };
        let program = daemon.to_string_lossy().into_owned();
        if let Some(source) = missing(daemon) {
            return Err(Error::NoProgram { program, source });
        }
        setrlimit(Resource::RLIMIT_NOFILE, self.open_files, self.open_files).map_err(|errno| {
            Error::system(format!("allow {} open files", self.open_files), errno)
        })?;
        let file = below(root, Path::new("/proc/self/oom_score_adj"));
        std::fs::write(&file, self.oom_score_adj.to_string())
            .map_err(|error| Error::system(format!("write {}", file.display()), error))?;
        let source = Command::new(daemon).args(arguments).exec();
        Err(match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Error::NoProgram { program, source }
            }
            _ => Error::system(format!("start {program}"), source),
        })
    }
}

/// Why there is no such program, for a name that exec(3) would not find.
fn missing(daemon: &OsStr) -> Option<io::Error> {
    if daemon.as_bytes().contains(&b'/') {
        let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        let error = std::fs::metadata(daemon).err();
        return error.filter(|error| absent.contains(&error.kind()));
    }
    // Without a PATH the C library has one of its own.
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).any(|folder| folder.join(daemon).exists());
    (!found).then(|| Errno::ENOENT.into())
}

/// Starts the store that the arguments name, unless one lives, or one has died
/// since the boot: the kernel's drivers have their watches in that one, and
/// would see no guest of another.
///
/// # Errors
/// [`Error::Locked`], [`Error::BadSetting`], [`Error::Lost`],
/// [`Error::NoProgram`] and [`Error::System`].
pub(crate) fn launch(
    args: &Args,
    deadline: Deadline,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    if args.command.first().is_some_and(|daemon| daemon.is_empty()) {
        let why = "--launch: the name of the daemon is empty".to_owned();
        return Err(Error::Usage(why));
    }
    let plan = Launch::plan(args)?;
    let _lock = if args.dry_run || args.locked {
        None
    } else {
        Some(Lock::take(&args.root, deadline)?)
    };
    if let Some(living) = find_living(&args.places(), args.force)? {
        output.remark(&living.words());
        return Ok(());
    }
    let heard = signals(&args.root)?.is_some_and(|count| count > 0);
    if heard && !args.force {
        return Err(Error::Lost);
    }
    if args.dry_run {
        return output.line(&plan.shell_command());
    }
    if args.locked {
        close_inherited_lock(&args.root);
    }
    // The lock ends with this program: the kernel closes it when the daemon's
    // executable has taken its place, and from then on the next start finds
    // the process, by its executable or by what was written down.
    started::record(&args.root)?;
    let asked: Result<u64, _> = args.max_open_fds.parse();
    if let Some(asked) = asked.ok().filter(|asked| *asked > plan.open_files) {
        let allowed = plan.open_files;
        // A lost remark is no reason to have no store.
        let _ = writeln!(
            output.err,
            "xen-storewait: the daemon may open {allowed} files (fs.nr_open), not {asked}"
        );
    }
    plan.start(&args.root)
}

/// Looks for a living store, the quick ways first. With `force` a process that
/// was started as one counts for some seconds only.
///
/// # Errors
/// The socket or `/proc` is not to be looked at.
pub fn find_living(places: &Places, force: bool) -> Result<Option<Living>, Error> {
    if let Some(living) = find_process(&places.root, force)? {
        return Ok(Some(living));
    }
    if let Some(path) = find_answering(places)? {
        return Ok(Some(Living::Reply(path)));
    }
    // That took time, and not everybody who starts a store heeds the lock.
    find_process(&places.root, force)
}

fn find_process(root: &Path, force: bool) -> Result<Option<Living>, Error> {
    if let Some((pid, executable)) = find_store_process(root)? {
        return Ok(Some(Living::Process { pid, executable }));
    }
    let started = started::find(root, force)?;
    Ok(started.map(|(pid, executable)| Living::Started { pid, executable }))
}

/// The socket or the device through which a store answers.
fn find_answering(places: &Places) -> Result<Option<PathBuf>, Error> {
    for path in &places.sockets {
        let deadline = Deadline::after(SOCKET_PATIENCE);
        match Store::connect(path, deadline) {
            Ok(mut store) => {
                if greet(&mut store, deadline).is_ok() {
                    return Ok(Some(path.clone()));
                }
            }
            Err(error) if error.exit_status() == 4 => return Err(error),
            Err(_) => {}
        }
    }
    let signals = signals(&places.root)?;
    for path in &places.devices {
        match Store::open_device(path) {
            Ok(mut store) => {
                let deadline = Deadline::after(device_patience(signals));
                let living = greet(&mut store, deadline).is_ok();
                // The second path leads to the same device.
                return Ok(living.then(|| path.clone()));
            }
            Err(error) if error.exit_status() == 4 => return Err(error),
            Err(_) => {}
        }
    }
    Ok(None)
}

/// How often a store has signalled this domain since it was booted.
fn signals(root: &Path) -> Result<Option<u64>, Error> {
    let interrupts = read_if_there(&below(root, Path::new("/proc/interrupts")))?;
    let interrupts = interrupts.unwrap_or_default();
    Ok(signals_of_the_store(&String::from_utf8_lossy(&interrupts)))
}

/// How long to wait for an answer through the device, by how often a store
/// has signalled this domain since it was booted. Without such a count it may
/// have, so the full time is given.
fn device_patience(signals: Option<u64>) -> Duration {
    match signals {
        Some(0) => DEVICE_PATIENCE_IF_NEVER_HEARD,
        _ => DEVICE_PATIENCE,
    }
}

fn read_nr_open(root: &Path) -> Result<u64, Error> {
    let path = below(root, Path::new("/proc/sys/fs/nr_open"));
    let content = read_if_there(&path)?.ok_or_else(|| {
        let doing = format!("read {}", path.display());
        Error::system(doing, Errno::ENOENT)
    })?;
    let text = String::from_utf8_lossy(&content);
    text.trim().parse().map_err(|_| Error::BadSetting {
        what: format!("{}: {:?} is no number", path.display(), text.trim()),
    })
}

/// No more than the kernel allows any process, which is `unlimited`.
fn open_files(setting: &str, nr_open: u64) -> Result<u64, Error> {
    if setting == "unlimited" {
        return Ok(nr_open);
    }
    let bad = |why: &str| Error::BadSetting {
        what: format!("--max-open-fds (XENSTORED_MAX_OPEN_FDS) {setting:?}: {why}"),
    };
    let number: u64 = setting
        .parse()
        .map_err(|_| bad("a number or \"unlimited\" expected"))?;
    if number == 0 {
        return Err(bad("at least 1 expected"));
    }
    Ok(number.min(nr_open))
}

/// The threshold is the part of all memory, in percent, that the store may
/// take before the kernel counts it at all.
fn oom_score_adj(setting: &str) -> Result<i32, Error> {
    let percent: Option<i32> = setting.parse().ok();
    percent
        .filter(|percent| (0..=100).contains(percent))
        .map(|percent| -10 * percent)
        .ok_or_else(|| Error::BadSetting {
            what: format!(
                "--oom-mem-threshold (XENSTORED_OOM_MEM_THRESHOLD) {setting:?}: \
                 a percentage from 0 to 100 expected"
            ),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_long_for_the_device_unless_no_store_was_ever_heard() {
        assert_eq!(device_patience(None), Duration::from_secs(2));
        assert_eq!(device_patience(Some(1)), Duration::from_secs(2));
        assert_eq!(device_patience(Some(0)), Duration::from_millis(200));
    }

    #[test]
    fn takes_as_many_open_files_as_the_kernel_allows() {
        assert_eq!(open_files("unlimited", 1_048_576).unwrap(), 1_048_576);
        assert_eq!(open_files("4096", 1_048_576).unwrap(), 4096);
        assert_eq!(open_files("1048577", 1_048_576).unwrap(), 1_048_576);
        for bad in ["0", "-1", "many", ""] {
            assert_eq!(open_files(bad, 1_048_576).unwrap_err().exit_status(), 6);
        }
    }

    #[test]
    fn turns_the_threshold_into_the_kernels_score() {
        assert_eq!(oom_score_adj("50").unwrap(), -500);
        assert_eq!(oom_score_adj("100").unwrap(), -1000);
        assert_eq!(oom_score_adj("0").unwrap(), 0);
        for bad in ["101", "-1", "half"] {
            assert_eq!(oom_score_adj(bad).unwrap_err().exit_status(), 6);
        }
    }

    #[test]
    fn is_a_shell_command_with_its_words_quoted() {
        let launch = Launch {
            command: ["/usr/sbin/xenstored", "--no-fork", "a b"]
                .map(OsString::from)
                .to_vec(),
            open_files: 4096,
            oom_score_adj: -500,
        };
        assert_eq!(
            launch.shell_command(),
            b"prlimit --nofile=4096 choom -n -500 -- /usr/sbin/xenstored --no-fork 'a b'"
        );
    }
}
