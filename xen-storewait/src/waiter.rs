//! The waiting itself: tries, sleeps in between, and what was seen last.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};

use crate::facts::identity;
use crate::folders::Folders;
use crate::greeting::{self, Greeting, Progress};
use crate::ladder::Ladder;
use crate::link::{Connector, Link};
use crate::probe::Probe;
use crate::readiness::ONE_ANSWER;
use crate::{Deadline, Error, Places, Seen, Store};

/// How long an answer is awaited before the folder is watched as well: a store
/// that is there answers sooner.
const USUAL_ANSWER: Duration = Duration::from_millis(100);

/// How long the device may take to tell more of a socket that refuses, where
/// no time was given. It opens whether or not a store lives, so not long.
const ONE_PROBE: Duration = Duration::from_millis(400);

/// So often a socket refuses before the kernel's device is asked whether a
/// store lives all the same. Between bind(2) and listen(2) of a store that is
/// just starting it refuses, too.
const REFUSALS_BEFORE_PROBE: u32 = 4;

enum Watching {
    NotYet,
    Yes(Box<Folders>),
    /// The kernel gives no watch; look from time to time.
    Impossible,
}

/// One wait for a store.
pub(crate) struct Waiter<'a> {
    places: &'a Places,
    paths: &'a [PathBuf],
    deadline: Deadline,
    once: bool,
    connector: Connector,
    folders: Watching,
    ladder: Ladder,
    refusals: u32,
    probe: Probe,
    seen: Seen,
}

impl<'a> Waiter<'a> {
    pub(crate) fn new(places: &'a Places, deadline: Deadline) -> Self {
        let once = deadline.given().is_zero();
        Self {
            places,
            paths: if places.through_device {
                &places.devices
            } else {
                &places.sockets
            },
            deadline: if once {
                Deadline::after(ONE_ANSWER)
            } else {
                deadline
            },
            once,
            connector: Connector::default(),
            folders: Watching::NotYet,
            ladder: Ladder::default(),
            refusals: 0,
            probe: Probe::NotYet,
            seen: Seen::Nothing(PathBuf::new(), true),
        }
    }

    /// The connection on which a store answered, or `None` at the deadline.
    pub(crate) fn wait(&mut self) -> Result<Option<Store>, Error> {
        loop {
            if let Some((link, path)) = self.open()? {
                if let Some(store) = self.hear(Store::over(link, &path)) {
                    return Ok(Some(store));
                }
            }
            if self.once {
                self.ask_device_once();
                return Ok(None);
            }
            if self.deadline.passed() {
                return Ok(None);
            }
            self.rest();
            if self.deadline.passed() {
                // No time for another try: what was seen stands.
                return Ok(None);
            }
        }
    }

    /// Tries each path once. The first that opens is taken.
    fn open(&mut self) -> Result<Option<(Link, PathBuf)>, Error> {
        let mut seen = None;
        for (index, path) in self.paths.iter().enumerate() {
            if matches!(&self.folders, Watching::Yes(folders) if !folders.is_worth_a_try(index)) {
                continue;
            }
            let link = if self.places.through_device {
                Link::open_device(path)
            } else {
                self.connector.connect(path, self.deadline)
            };
            match link {
                Ok(link) => return Ok(Some((link, path.clone()))),
                Err(errno @ (Errno::EACCES | Errno::EPERM)) => {
                    let doing = if self.places.through_device {
                        "open"
                    } else {
                        "connect to"
                    };
                    return Err(Error::system(format!("{doing} {}", path.display()), errno));
                }
                Err(Errno::ENAMETOOLONG) => {
                    let why = format!("{}: too long for a socket", path.display());
                    return Err(Error::Usage(why));
                }
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(Errno::ECONNREFUSED) => seen = Some(Seen::Stale(path.clone())),
                // Interrupted: this process was stopped (^Z) and goes on.
                Err(Errno::EAGAIN | Errno::EINTR) => {
                    seen = Some(Seen::NotAccepting(path.clone()));
                }
                Err(errno) => seen = Some(Seen::Unusable(path.clone(), errno.into())),
            }
        }
        match seen {
            Some(Seen::Stale(_)) => self.refusals = self.refusals.saturating_add(1),
            _ => self.forget_refusals(),
        }
        let first = self.paths.first().cloned().unwrap_or_default();
        self.seen = seen.unwrap_or(Seen::Nothing(first, true));
        Ok(None)
    }

    /// What the device told belongs to the socket that refused.
    fn forget_refusals(&mut self) {
        self.refusals = 0;
        self.probe = Probe::NotYet;
    }

    /// Waits for the answer on a connection. `None`: there comes none, or the
    /// path leads elsewhere by now.
    fn hear(&mut self, store: Store) -> Option<Store> {
        self.forget_refusals();
        let path = store.path().to_path_buf();
        let mark = identity(&path);
        let mut greeting = match Greeting::send(store, self.deadline) {
            Ok(greeting) => greeting,
            Err(fault) => {
                self.seen = greeting::seen(&path, fault);
                return None;
            }
        };
        let connected = Instant::now();
        loop {
            let is_unwatched = matches!(self.folders, Watching::NotYet);
            let until = if is_unwatched {
                self.deadline.or_sooner(USUAL_ANSWER)
            } else {
                self.deadline
            };
            let woken = self.sleep(Some(&greeting), until);
            if woken.greeting {
                match greeting.advance() {
                    Ok(Progress::Answered(store)) => return Some(store),
                    Ok(Progress::Waiting(same)) => greeting = same,
                    Err(fault) => {
                        self.seen = greeting::seen(&path, fault);
                        return None;
                    }
                }
            }
            if self.deadline.passed() {
                // A wrong answer tells more than the beginning of another wait.
                let is_known = matches!(self.seen, Seen::Wrong(..) | Seen::Closed(_));
                if !is_known || connected.elapsed() >= ONE_ANSWER {
                    self.seen = Seen::Silent(path, greeting.pending());
                }
                return None;
            }
            let is_watched_now = is_unwatched && until.passed();
            if is_watched_now {
                self.watch_folders();
            }
            if (is_watched_now || self.changed(woken)) && identity(&path) != mark {
                // Another store has made a socket of its own by now.
                self.seen = Seen::Silent(path, greeting.pending());
                self.ladder.reset();
                return None;
            }
        }
    }

    /// Sleeps until it is worth another try.
    fn rest(&mut self) {
        if matches!(self.folders, Watching::NotYet) {
            // It may have come while the watches were set: no sleep this time.
            self.watch_folders();
            return;
        }
        self.watch_folders();
        if self.refusals >= REFUSALS_BEFORE_PROBE && !self.places.through_device {
            self.probe.ask(&self.places.devices, self.deadline);
        }
        let watched = matches!(&self.folders, Watching::Yes(folders) if folders.are_reliable());
        let until = match self.seen {
            Seen::Nothing(..) if watched => self.deadline,
            _ if watched => self.deadline.or_sooner(self.ladder.step()),
            _ => self.deadline.or_sooner(self.ladder.step_unwatched()),
        };
        while !until.passed() {
            let woken = self.sleep(None, until);
            if self.changed(woken) {
                self.ladder.reset();
                return;
            }
        }
    }

    fn watch_folders(&mut self) {
        if matches!(self.folders, Watching::NotYet) {
            self.folders = Folders::new(self.paths, &self.places.root)
                .map_or(Watching::Impossible, |folders| {
                    Watching::Yes(Box::new(folders))
                });
        }
    }

    /// Whether something on the way to a path is not as it was. The watches
    /// are set anew then.
    fn changed(&mut self, woken: Woken) -> bool {
        let Watching::Yes(folders) = &mut self.folders else {
            return false;
        };
        let changed = woken.folders && folders.changes();
        if changed || woken.mounts {
            folders.arm();
        }
        changed || woken.mounts
    }

    /// For a single try: with what is left of its time.
    fn ask_device_once(&mut self) {
        let until = self.deadline.or_sooner(ONE_PROBE);
        if matches!(self.seen, Seen::Stale(_)) {
            self.probe.ask(&self.places.devices, until);
        }
        while self.probe.asked().is_some() && !until.passed() {
            self.sleep(None, until);
        }
    }

    /// What was there instead of a store.
    pub(crate) fn last_seen(self) -> Seen {
        match (self.seen, self.probe) {
            (Seen::Stale(socket), Probe::Answered(device)) => Seen::Replaced { socket, device },
            (Seen::Stale(path), _) => Seen::refusal_of(&path),
            (Seen::Nothing(path, _), _) => Seen::nothing_at(&path),
            (seen, _) => seen,
        }
    }

    /// One poll(2) for everything that may wake us. What the device answers is
    /// taken at once, whoever sleeps: left there it would wake each sleep.
    fn sleep(&mut self, greeting: Option<&Greeting>, until: Deadline) -> Woken {
        let probe = self.probe.asked();
        let links = [greeting, probe].into_iter().flatten();
        let mut descriptors: Vec<PollFd<'_>> = links
            .map(|greeting| PollFd::new(greeting.link().as_fd(), PollFlags::POLLIN))
            .collect();
        if let Watching::Yes(folders) = &self.folders {
            descriptors.extend(folders.descriptors());
        }
        if until.poll(&mut descriptors).is_err() {
            // Interrupted: the caller looks at the clock and comes again.
            return Woken::default();
        }
        let mut woken = descriptors.iter().map(|one| one.any().unwrap_or(true));
        let mut next_if = |there: bool| there && woken.next().unwrap_or(false);
        let greeting = next_if(greeting.is_some());
        let probe = next_if(probe.is_some());
        let (folders, mounts) = (next_if(true), next_if(true));
        if probe {
            self.probe.hear();
        }
        Woken {
            greeting,
            folders,
            mounts,
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Woken {
    greeting: bool,
    folders: bool,
    mounts: bool,
}
