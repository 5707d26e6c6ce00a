//! The traps that units and init scripts of others fall into, each with what
//! comes of it and what mends it.

/// A trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// A short name, for a reader that filters.
    pub name: &'static str,
    /// What comes of it.
    pub reason: &'static str,
    /// What mends it.
    pub fix: &'static str,
}

const fn trap(name: &'static str, reason: &'static str, fix: &'static str) -> Trap {
    Trap { name, reason, fix }
}

pub(crate) const WATCHDOG_REBOOTS: Trap = trap(
    "watchdog-reboots",
    "a stop sends TERM, which arms the timer anew: the host reboots after 300 s",
    "send USR1 (KillSignal=SIGUSR1)",
);
pub(crate) const WATCHDOG_KILLED: Trap = trap(
    "watchdog-killed",
    "KILL after the stop timeout leaves the timer armed: the host reboots",
    "SendSIGKILL=no",
);
pub(crate) const NETWORK_ONLINE: Trap = trap(
    "network-online-unwanted",
    "After=network-online.target alone starts nothing: it is not waited for",
    "Wants=network-online.target too",
);
pub(crate) const QEMU_TYPE: Trap = trap(
    "qemu-type",
    "Type= does not fit: qemu goes to the background only with -daemonize",
    "Type=exec without -daemonize, or Type=forking with it",
);
pub(crate) const QEMU_DEFAULTS: Trap = trap(
    "qemu-defaults",
    "qemu reads its user configuration and makes default devices",
    "-nodefaults -no-user-config",
);
pub(crate) const NEVER_IN_DOM0: Trap = trap(
    "never-in-dom0",
    "ConditionVirtualization=xen is false in a Dom0: the unit is always skipped",
    "ConditionPathExists=/proc/xen and ConditionVirtualization=!xen",
);
pub(crate) const FAILS_IN_GUEST: Trap = trap(
    "fails-in-guest",
    "in a guest control_d is missing: the unit fails instead of being skipped",
    "ConditionVirtualization=!xen",
);
pub(crate) const DEATH_UNSEEN: Trap = trap(
    "store-death-unseen",
    "RemainAfterExit= keeps the unit active when the store daemon has died",
    "run the daemon in the foreground, Type=exec",
);
pub(crate) const STORE_RESTARTED: Trap = trap(
    "store-restarted",
    "a store that is started again is empty: it knows no guest",
    "Restart=no and RefuseManualStop=yes",
);
pub(crate) const STORE_NOTIFY: Trap = trap(
    "store-notify",
    "the daemon may be built without sd_notify: it then hangs to its timeout and is killed",
    "Type=exec, and a second unit that waits for an answer",
);
pub(crate) const DOMAINS_KILLED: Trap = trap(
    "domains-killed",
    "the stop has less time than a guest may take, and then its device model is killed",
    "TimeoutStopSec=infinity and KillMode=process",
);
pub(crate) const DOMAINS_HIDDEN: Trap = trap(
    "domains-failure-hidden",
    "a failed start of the domains counts as a good one",
    "let the status through",
);
pub(crate) const LIBVIRT_CONFLICT: Trap = trap(
    "libvirt-conflict",
    "starting libvirt stops every guest",
    "enable one of the two, without Conflicts=",
);
pub(crate) const KILL_MODE_NONE: Trap = trap(
    "kill-mode-none",
    "KillMode=none is no longer supported by systemd",
    "DefaultDependencies=no and RefuseManualStop=yes",
);
pub(crate) const PIDFILE_READY: Trap = trap(
    "pidfile-readiness",
    "the store's pidfile is there before its socket, and a stale one starts nothing",
    "wait for an answer (xen-storewait)",
);
pub(crate) const BLOCKS: Trap = trap(
    "blocks-past-its-timeout",
    "xenstore-read -s falls back to the kernel's device since Xen 4.15, and waits there for ever",
    "wait with a deadline (xen-storewait)",
);
pub(crate) const SECOND_STORE: Trap = trap(
    "second-store",
    "only a pidfile is looked at: a second store takes the first one's socket away",
    "start it where none answers (xen-storewait --launch)",
);
pub(crate) const STORE_STOPPED: Trap = trap(
    "store-stopped",
    "without the store no guest can be stopped, and the way down hangs",
    "leave it running",
);
pub(crate) const UNKNOWN_MODULE: Trap = trap(
    "unknown-module",
    "no kernel of today has that module",
    "leave it out (xen-modload knows what it is called now)",
);
pub(crate) const UNRELATED_MODULE: Trap = trap(
    "unrelated-module",
    "that is a network card's driver, and nothing of Xen's",
    "leave it out",
);
/// A setting that no script reads.
pub const IGNORED_SETTING: Trap = trap(
    "ignored-setting",
    "no script that reads this file uses it",
    "set it in /etc/default/xen-dom0 (xen-units import)",
);
