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

const WATCHDOG_REBOOTS: Trap = trap(
    "watchdog-reboots",
    "a stop sends TERM, which arms the timer anew: the host reboots after 300 s",
    "send USR1 (KillSignal=SIGUSR1)",
);
const WATCHDOG_KILLED: Trap = trap(
    "watchdog-killed",
    "KILL after the stop timeout leaves the timer armed: the host reboots",
    "SendSIGKILL=no",
);
const NETWORK_ONLINE: Trap = trap(
    "network-online-unwanted",
    "After=network-online.target alone starts nothing: it is not waited for",
    "Wants=network-online.target too",
);
const QEMU_TYPE: Trap = trap(
    "qemu-type",
    "Type= does not fit: qemu goes to the background only with -daemonize",
    "Type=exec without -daemonize, or Type=forking with it",
);
const QEMU_DEFAULTS: Trap = trap(
    "qemu-defaults",
    "qemu reads its user configuration and makes default devices",
    "-nodefaults -no-user-config",
);
const NEVER_IN_DOM0: Trap = trap(
    "never-in-dom0",
    "ConditionVirtualization=xen is false in a Dom0: the unit is always skipped",
    "ConditionPathExists=/proc/xen and ConditionVirtualization=!xen",
);
const FAILS_IN_GUEST: Trap = trap(
    "fails-in-guest",
    "in a guest control_d is missing: the unit fails instead of being skipped",
    "ConditionVirtualization=!xen",
);
const DEATH_UNSEEN: Trap = trap(
    "store-death-unseen",
    "RemainAfterExit= keeps the unit active when the store daemon has died",
    "run the daemon in the foreground, Type=exec",
);
const STORE_RESTARTED: Trap = trap(
    "store-restarted",
    "a store that is started again is empty: it knows no guest",
    "Restart=no and RefuseManualStop=yes",
);
const STORE_NOTIFY: Trap = trap(
    "store-notify",
    "the daemon may be built without sd_notify: it then hangs to its timeout and is killed",
    "Type=exec, and a second unit that waits for an answer",
);
const DOMAINS_KILLED: Trap = trap(
    "domains-killed",
    "the stop has less time than a guest may take, and then its device model is killed",
    "TimeoutStopSec=infinity and KillMode=process",
);
const DOMAINS_HIDDEN: Trap = trap(
    "domains-failure-hidden",
    "a failed start of the domains counts as a good one",
    "let the status through",
);
const LIBVIRT_CONFLICT: Trap = trap(
    "libvirt-conflict",
    "starting libvirt stops every guest",
    "enable one of the two, without Conflicts=",
);
const KILL_MODE_NONE: Trap = trap(
    "kill-mode-none",
    "KillMode=none is no longer supported by systemd",
    "DefaultDependencies=no and RefuseManualStop=yes",
);
const PIDFILE_READY: Trap = trap(
    "pidfile-readiness",
    "the store's pidfile is there before its socket, and a stale one starts nothing",
    "wait for an answer (xen-storewait)",
);
const SOCKET_OPTION: Trap = trap(
    "blocks-past-its-timeout",
    "xenstore-read -s falls back to the kernel's device since Xen 4.15, and waits there for ever",
    "wait with a deadline (xen-storewait)",
);
const SECOND_STORE: Trap = trap(
    "second-store",
    "only a pidfile is looked at: a second store takes the first one's socket away",
    "start it where none answers (xen-storewait --launch)",
);
const STORE_STOPPED: Trap = trap(
    "store-stopped",
    "without the store no guest can be stopped, and the way down hangs",
    "leave it running",
);
const UNKNOWN_MODULE: Trap = trap(
    "unknown-module",
    "no kernel of today has that module",
    "leave it out (xen-modload knows what it is called now)",
);
const UNRELATED_MODULE: Trap = trap(
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

/// Names that modules had before they were in Linux, or never.
const OLD_MODULES: [&str; 13] = [
    "evtchn",
    "gntdev",
    "netbk",
    "blkbk",
    "xen-scsibk",
    "usbbk",
    "pciback",
    "blktap",
    "blktap2",
    "cpufreq-xen",
    "xen-netblock",
    "xen-gnttalloc",
    "xen-usbback",
];

/// When a text has fallen into a trap: a line of it has all of the words, for
/// each of `has`; and no line has, for any of `lacks`. A word in front of which
/// a line begins has a `^`. Letters count the same in both cases.
struct Rule {
    trap: Trap,
    has: &'static [&'static [&'static str]],
    lacks: &'static [&'static [&'static str]],
}

type Lines = &'static [&'static [&'static str]];

const fn rule(trap: Trap, has: Lines, lacks: Lines) -> Rule {
    Rule { trap, has, lacks }
}

const WATCHDOG: &[&str] = &["^execstart=", "xenwatchdogd"];
const WATCHDOG_DISARMS: &[&str] = &["^execstart=", "xenwatchdogd", " -x"];
const QEMU: &[&str] = &["^execstart=", "-xen-attach"];
const STORE: &[&str] = &["^execstart=", "xenstored"];
const LAUNCH: &[&str] = &["^execstart=", "launch-xenstore"];
const DOMAINS: &[&str] = &["^execstart=", "xendomains"];
const ONLINE: &str = "network-online.target";

const UNIT_RULES: [Rule; 27] = [
    rule(
        WATCHDOG_REBOOTS,
        &[WATCHDOG],
        &[
            WATCHDOG_DISARMS,
            &["^killsignal=", "usr1"],
            &["^killsignal=10"],
        ],
    ),
    rule(
        WATCHDOG_KILLED,
        &[WATCHDOG],
        &[
            WATCHDOG_DISARMS,
            &["^sendsigkill=no"],
            &["^sendsigkill=false"],
        ],
    ),
    rule(
        NETWORK_ONLINE,
        &[&["^after=", ONLINE]],
        &[
            &["^wants=", ONLINE],
            &["^requires=", ONLINE],
            &["^bindsto=", ONLINE],
        ],
    ),
    rule(
        QEMU_TYPE,
        &[QEMU, &["^execstart=", "-daemonize"]],
        &[&["^type=forking"]],
    ),
    rule(
        QEMU_TYPE,
        &[QEMU, &["^type=forking"]],
        &[&["^execstart=", "-daemonize"]],
    ),
    rule(QEMU_DEFAULTS, &[QEMU], &[&["^execstart=", "-nodefaults"]]),
    rule(
        QEMU_DEFAULTS,
        &[QEMU],
        &[&["^execstart=", "-no-user-config"]],
    ),
    rule(
        NEVER_IN_DOM0,
        &[&["^conditionvirtualization=xen"]],
        &[&["^execstart=", "devd"]],
    ),
    rule(
        FAILS_IN_GUEST,
        &[&["^execstartpre=", "control_d"]],
        &[&["^conditionvirtualization=!xen"]],
    ),
    rule(DEATH_UNSEEN, &[STORE, &["^remainafterexit=yes"]], &[]),
    rule(DEATH_UNSEEN, &[STORE, &["^remainafterexit=true"]], &[]),
    rule(DEATH_UNSEEN, &[LAUNCH, &["^remainafterexit=yes"]], &[]),
    rule(DEATH_UNSEEN, &[LAUNCH, &["^remainafterexit=true"]], &[]),
    rule(
        STORE_RESTARTED,
        &[STORE],
        &[&["^refusemanualstop=yes"], &["^refusemanualstop=true"]],
    ),
    rule(
        STORE_RESTARTED,
        &[LAUNCH],
        &[&["^refusemanualstop=yes"], &["^refusemanualstop=true"]],
    ),
    rule(STORE_RESTARTED, &[STORE, &["^restart=on"]], &[]),
    rule(STORE_RESTARTED, &[STORE, &["^restart=always"]], &[]),
    rule(STORE_RESTARTED, &[LAUNCH, &["^restart=on"]], &[]),
    rule(STORE_RESTARTED, &[LAUNCH, &["^restart=always"]], &[]),
    rule(STORE_NOTIFY, &[STORE, &["^type=notify"]], &[]),
    rule(
        DOMAINS_KILLED,
        &[DOMAINS],
        &[&["^timeoutstopsec=infinity"], &["^timeoutstopsec=0"]],
    ),
    rule(DOMAINS_KILLED, &[DOMAINS], &[&["^killmode=process"]]),
    rule(DOMAINS_HIDDEN, &[&["^execstart=-", "xendomains"]], &[]),
    rule(LIBVIRT_CONFLICT, &[&["^conflicts=", "libvirt"]], &[]),
    rule(KILL_MODE_NONE, &[&["^killmode=none"]], &[]),
    rule(SOCKET_OPTION, &[&["^exec", "xenstore-read -s"]], &[]),
    rule(PIDFILE_READY, &[&["^exec", "-f ", "xenstored.pid"]], &[]),
];

const SCRIPT_RULES: [Rule; 20] = [
    rule(
        WATCHDOG_REBOOTS,
        &[&["xenwatchdogd"], &["kill"]],
        &[&["usr1"], &["xenwatchdogd", " -x"]],
    ),
    rule(
        WATCHDOG_REBOOTS,
        &[&["xenwatchdogd"], &["--stop"]],
        &[&["usr1"], &["xenwatchdogd", " -x"]],
    ),
    rule(PIDFILE_READY, &[&["test -f", "xenstore", "pid"]], &[]),
    rule(PIDFILE_READY, &[&["test -e", "xenstore", "pid"]], &[]),
    rule(PIDFILE_READY, &[&["[ -f", "xenstore", "pid"]], &[]),
    rule(
        PIDFILE_READY,
        &[&["[ -e", "xenstore", "pid"]],
        // A link made to it decides nothing.
        &[&["ln -s", "xenstored.pid"]],
    ),
    rule(PIDFILE_READY, &[&["! -f", "xenstore", "pid"]], &[]),
    rule(PIDFILE_READY, &[&["! -e", "xenstore", "pid"]], &[]),
    rule(SOCKET_OPTION, &[&["xenstore-read -s"]], &[]),
    rule(SOCKET_OPTION, &[&["xenstore-exists -s"]], &[]),
    rule(
        SECOND_STORE,
        &[&["start-stop-daemon", "--start", "xenstored"]],
        &[&["xen-storewait"]],
    ),
    rule(
        SECOND_STORE,
        &[&["[ -f", "xenstored.pid"]],
        &[&["xen-storewait"]],
    ),
    rule(
        SECOND_STORE,
        &[&["test -f", "xenstored.pid"]],
        &[&["xen-storewait"]],
    ),
    rule(STORE_STOPPED, &[&["killall", "xenstored"]], &[]),
    rule(STORE_STOPPED, &[&["killproc", "xenstored"]], &[]),
    rule(STORE_STOPPED, &[&["--stop", "xenstored"]], &[]),
    rule(QEMU_DEFAULTS, &[&["-xen-attach"]], &[&["-nodefaults"]]),
    rule(QEMU_DEFAULTS, &[&["-xen-attach"]], &[&["-no-user-config"]]),
    rule(
        DOMAINS_HIDDEN,
        &[&["xen list", "/dev/null"], &["exit 0"]],
        &[],
    ),
    rule(
        DOMAINS_HIDDEN,
        &[&["xl list", "/dev/null"], &["exit 0"]],
        &[],
    ),
];

/// What is wrong in a text, and in what of it.
pub type Found = Vec<(Trap, Option<String>)>;

/// The traps in a unit of systemd.
#[must_use]
pub fn in_unit(text: &str) -> Found {
    let lines = lines(text);
    by_rules(&UNIT_RULES, &lines)
}

/// The traps in a script.
#[must_use]
pub fn in_script(text: &str) -> Found {
    let lines = lines(text);
    let mut found = by_rules(&SCRIPT_RULES, &lines);
    for line in &lines {
        if has(line, "modprobe") {
            found.extend(in_modules(line));
        }
    }
    found
}

/// The lines, without notes, in small letters and without the blanks around
/// the first equals sign.
fn lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ").to_ascii_lowercase();
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with(['#', ';']))
        .map(|line| match line.split_once('=') {
            Some((key, value)) => [key.trim(), "=", value.trim()].concat(),
            None => line.to_owned(),
        })
        .collect()
}

fn by_rules(rules: &[Rule], lines: &[String]) -> Found {
    let is_there = |words: &&[&str]| lines.iter().any(|line| has_all(line, words));
    let is_so = |rule: &&Rule| rule.has.iter().all(is_there) && !rule.lacks.iter().any(is_there);
    rules
        .iter()
        .filter(is_so)
        .map(|rule| (rule.trap, None))
        .collect()
}

fn has_all(line: &str, words: &[&str]) -> bool {
    words.iter().all(|word| match word.strip_prefix('^') {
        Some(start) => line.starts_with(start),
        None => has(line, word),
    })
}

/// Kept in one place: a search is large, and would be copied to each use.
#[inline(never)]
fn has(line: &str, word: &str) -> bool {
    line.contains(word)
}

/// The traps in a list of modules: a file of modules-load.d, or a command line.
#[must_use]
pub fn in_modules(text: &str) -> Found {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut found = vec![];
    for word in lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || ";\"'".contains(c)))
    {
        let name = word.replace('_', "-");
        let trap = match name.as_str() {
            "netxen-nic" => UNRELATED_MODULE,
            name if OLD_MODULES.contains(&name) => UNKNOWN_MODULE,
            _ => continue,
        };
        found.push((trap, Some(word.to_owned())));
    }
    found
}
