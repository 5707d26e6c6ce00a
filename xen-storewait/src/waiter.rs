//! The waiting itself: tries, sleeps in between, and what was seen last.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollFd;

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

/// How long a store that comes at the very end may take to answer.
const LAST_TRY: Duration = Duration::from_millis(20);

/// So often a socket refuses before the kernel's device is asked whether a
/// store lives all the same. Between bind(2) and listen(2) of a store that is
/// just starting it refuses, too.
const REFUSALS_BEFORE_PROBE: u32 = 4;

/// One wait for a store.
pub(crate) struct Waiter<'a> {
    places: &'a Places,
    paths: &'a [PathBuf],
    deadline: Deadline,
    once: bool,
    connector: Connector,
    /// `None` until they are worth watching.
    folders: Option<Folders>,
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
            folders: None,
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
                return self.last_try();
            }
        }
    }

    /// Before it is said that nobody is there: who slept longer than asked for
    /// (stopped by a signal) may have missed the store. What was seen of one
    /// that listens stands.
    fn last_try(&mut self) -> Result<Option<Store>, Error> {
        if !matches!(self.seen, Seen::Nothing(..) | Seen::Stale(_)) {
            return Ok(None);
        }
        self.deadline = Deadline::after(LAST_TRY);
        let opened = self.open()?;
        Ok(opened.and_then(|(link, path)| self.hear(Store::over(link, &path))))
    }

    /// Tries each path once. The first that opens is taken. That one is not
    /// permitted tells more than what was seen at the others.
    fn open(&mut self) -> Result<Option<(Link, PathBuf)>, Error> {
        let mut seen = None;
        let mut not_permitted = None;
        for (index, path) in self.paths.iter().enumerate() {
            let folders = self.folders.as_ref();
            if folders.is_some_and(|folders| !folders.is_worth_a_try(index)) {
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
                    let doing = format!("{doing} {}", path.display());
                    not_permitted.get_or_insert(Error::system(doing, errno));
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
                Err(Errno::ENOTTY) if self.places.through_device => {
                    seen = Some(Seen::NoDevice(path.clone()));
                }
                Err(errno) => seen = Some(Seen::Unusable(path.clone(), errno.into())),
            }
        }
        if let Some(error) = not_permitted {
            return Err(error);
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
        let mut ladder = Ladder::default();
        loop {
            let is_unwatched = self.folders.is_none();
            let until = match &self.folders {
                None => self.deadline.or_sooner(USUAL_ANSWER),
                Some(folders) if folders.are_reliable() => self.deadline,
                Some(_) => self.deadline.or_sooner(ladder.step()),
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
            let is_time_to_look = until.passed();
            if is_unwatched && is_time_to_look {
                self.watch_folders();
            }
            if (self.changed(woken) || is_time_to_look) && identity(&path) != mark {
                // Another store has made a socket of its own by now.
                self.seen = Seen::Silent(path, greeting.pending());
                self.ladder.reset();
                return None;
            }
        }
    }

    /// Sleeps until it is worth another try.
    fn rest(&mut self) {
        if self.folders.is_none() {
            // It may have come while the watches were set: no sleep this time.
            self.watch_folders();
            return;
        }
        if self.refusals >= REFUSALS_BEFORE_PROBE && !self.places.through_device {
            self.probe.ask(&self.places.devices, self.deadline);
        }
        let is_watched = self.folders.as_ref().is_some_and(Folders::are_reliable);
        let until = match self.seen {
            Seen::Nothing(..) if is_watched => self.deadline,
            _ => self.deadline.or_sooner(self.ladder.step()),
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
        self.folders = Some(Folders::new(self.paths, &self.places.root));
    }

    /// Whether something on the way to a path is not as it was. The watches
    /// are set anew then.
    fn changed(&mut self, woken: Woken) -> bool {
        let Some(folders) = &mut self.folders else {
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
        let of_folders = self.folders.as_ref().map(Folders::descriptors);
        let [folders, mounts] = of_folders.unwrap_or_default();
        let each = [
            greeting.map(Greeting::descriptor),
            probe.map(Greeting::descriptor),
            folders,
            mounts,
        ];
        let is_there = each.each_ref().map(Option::is_some);
        let mut descriptors: Vec<PollFd<'_>> = each.into_iter().flatten().collect();
        if until.poll(&mut descriptors).is_err() {
            // Interrupted: the caller looks at the clock and comes again.
            return Woken::default();
        }
        let mut woken = descriptors.iter().map(|one| one.any().unwrap_or(true));
        let [greeting, probe, folders, mounts] =
            is_there.map(|there| there && woken.next().unwrap_or(false));
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
