//! The chain as data, in no init system's words.
//!
//! A [`Service`] says what has to be true before it, what is run, when it is
//! ready and how it may be stopped. Writers such as [`crate::systemd`] put
//! that into the words of an init system; `xen-units command` prints what is
//! run, for a script that has none.

use crate::Error;
use crate::words::Command;

/// The links of the chain, in boot order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The kernel modules.
    Modload,
    /// xenfs on `/proc/xen`.
    Mountfs,
    /// The store daemon.
    Store,
    /// The store answers, and domain 0 is in it.
    StoreReady,
    /// Notices a store that has died or fallen silent.
    StoreWatch,
    /// The console daemon.
    Console,
    /// The disk backend of domain 0.
    Qemu,
    /// Reboots the host when domain 0 hangs.
    Watchdog,
    /// The guests' bridge.
    Bridge,
    /// The guests.
    Domains,
}

impl Name {
    /// Every name, in boot order.
    pub const ALL: [Self; 10] = [
        Self::Modload,
        Self::Mountfs,
        Self::Store,
        Self::StoreReady,
        Self::StoreWatch,
        Self::Console,
        Self::Qemu,
        Self::Watchdog,
        Self::Bridge,
        Self::Domains,
    ];

    /// The name as every init system is to know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modload => "xen-modload",
            Self::Mountfs => "xen-mountfs",
            Self::Store => "xen-store",
            Self::StoreReady => "xen-store-ready",
            Self::StoreWatch => "xen-store-watch",
            Self::Console => "xen-console",
            Self::Qemu => "xen-qemu",
            Self::Watchdog => "xen-watchdog",
            Self::Bridge => "xen-bridge",
            Self::Domains => "xen-domains",
        }
    }

    /// What it makes true, in a few words.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Modload => "Xen kernel modules",
            Self::Mountfs => "xenfs on /proc/xen",
            Self::Store => "Xen store daemon",
            Self::StoreReady => "Xen store with domain 0 in it",
            Self::StoreWatch => "Watch over the Xen store",
            Self::Console => "Xen console daemon",
            Self::Qemu => "Xen disk backend of domain 0",
            Self::Watchdog => "Xen watchdog daemon",
            Self::Bridge => "Xen network bridge",
            Self::Domains => "Xen domains",
        }
    }

    /// The name that has this text.
    ///
    /// # Errors
    /// [`Error::NoSuchService`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| Error::NoSuchService(text.to_owned()))
    }
}

/// Something to be ordered against: a link of the chain, or what an init
/// system or a distribution has and calls by its own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A link of this chain.
    Link(Name),
    /// Local file systems, modules, sysctl, udev: early boot is over.
    SystemReady,
    /// The part of that which a bridge needs.
    KernelReady,
    /// The clients and managers that put an address on a bridge.
    NetworkClients,
    /// The network can be used.
    NetworkOnline,
    /// The servers that give guests their addresses.
    DhcpServers,
    /// Disks that come over the network.
    RemoteDisks,
    /// What guests' disks and interfaces may be on, by packages of others.
    GuestStorage,
    /// libvirt, which talks to the store as xl does.
    Libvirt,
    /// Sockets that systemd makes for the store.
    StoreSocket,
}

/// How its process runs, which is also how it is known to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Runs to its end; ready when it has ended well. True ever after.
    Once,
    /// Stays in the foreground; ready when it runs.
    Foreground,
    /// Goes to the background by itself, without a pidfile.
    Forks,
    /// Stays in the foreground and says when it is ready, and after that that
    /// it still lives, at least this often.
    Notifies {
        /// The longest silence, in seconds.
        watchdog_s: u32,
    },
}

/// The signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// TERM, and KILL where that does not help.
    Term,
    /// USR1 and never anything else: KILL would leave a timer armed.
    Usr1Only,
}

/// What happens when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It stays ended, and that is a failure.
    Never,
    /// After a failure it is started again.
    OnFailure {
        /// The pause before that, in seconds.
        after_s: u32,
    },
}

/// Who may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Anybody, and the way down stops it in order.
    UntilStopped,
    /// Only somebody by hand: the way down leaves it alone.
    PastShutdown,
    /// Nobody.
    Always,
}

/// How long it may take, and what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Seconds to get ready; `None` is the init system's own limit.
    pub start_s: Option<Seconds>,
    /// Seconds to end; `None` is the init system's own limit.
    pub stop_s: Option<Seconds>,
    /// `oom_score_adj`, where it is not the usual one (proc(5)).
    pub oom_score_adj: Option<i16>,
    /// What it has started lives on when it is stopped.
    pub spares_children: bool,
}

/// A time that may have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seconds {
    /// So many seconds.
    Count(u32),
    /// As long as it takes.
    Unlimited,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Name,
    /// What comes before it, if it comes at all.
    pub after: Vec<Peer>,
    /// What comes after it, if it comes at all.
    pub before: Vec<Peer>,
    /// What is started with it.
    pub wants: Vec<Peer>,
    /// What is started with it, and without which it is not started.
    pub requires: Vec<Peer>,
    /// Variables that its processes get, on top of the settings.
    pub environment: Vec<(&'static str, String)>,
    /// Settings that its processes get with this value where they are not set,
    /// or empty.
    pub defaults: Vec<(&'static str, &'static str)>,
    /// Run before it, to their end.
    pub before_start: Vec<Command>,
    /// What it is. More than one only where each runs to its end.
    pub start: Vec<Command>,
    /// Run after the start.
    pub after_start: Vec<Command>,
    /// Run to bring it up to date while it is up.
    pub reload: Vec<Command>,
    /// Run to stop it, where a signal is not the way.
    pub stop: Vec<Command>,
    /// Run when it has ended.
    pub after_stop: Vec<Command>,
    /// How it runs and is known to be ready.
    pub process: Process,
    /// The pidfile that scripts of others look at.
    pub pid_file: Option<&'static str>,
    /// What its program's file may be called, as a shell's pattern.
    pub program: &'static str,
    /// Run to see whether it is still true, where that can be seen.
    pub test: Option<Command>,
    /// The signal that ends it.
    pub stop_signal: StopSignal,
    /// What happens when it ends by itself.
    pub restart: Restart,
    /// Who may stop it.
    pub lasts: Lasts,
    /// Time and memory.
    pub limits: Limits,
}

impl Service {
    /// A link that runs one command to its end and asks nothing special.
    #[must_use]
    pub fn once(name: Name, start: Vec<Command>) -> Self {
        Self {
            name,
            after: vec![],
            before: vec![],
            wants: vec![],
            requires: vec![],
            environment: vec![],
            defaults: vec![],
            before_start: vec![],
            start,
            after_start: vec![],
            reload: vec![],
            stop: vec![],
            after_stop: vec![],
            process: Process::Once,
            pid_file: None,
            program: "",
            test: None,
            stop_signal: StopSignal::Term,
            restart: Restart::Never,
            lasts: Lasts::UntilStopped,
            limits: Limits::default(),
        }
    }

    /// A link that is a daemon in the foreground.
    #[must_use]
    pub fn daemon(name: Name, start: Command) -> Self {
        Self {
            process: Process::Foreground,
            ..Self::once(name, vec![start])
        }
    }

    /// Wants no link of the chain but these.
    pub fn keep_wants_among(&mut self, present: &[Name]) {
        self.wants.retain(|peer| match peer {
            Peer::Link(name) => present.contains(name),
            _ => true,
        });
    }
}
