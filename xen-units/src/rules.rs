//! How a text is seen to have fallen into one of the [`traps`](crate::traps).

use crate::modules;
use crate::traps::{
    BLOCKS, DEATH_UNSEEN, DOMAINS_HIDDEN, DOMAINS_KILLED, FAILS_IN_GUEST, KILL_MODE_NONE,
    LIBVIRT_CONFLICT, NETWORK_ONLINE, NEVER_IN_DOM0, PIDFILE_READY, QEMU_DEFAULTS, QEMU_TYPE,
    SECOND_STORE, STORE_NOTIFY, STORE_RESTARTED, STORE_STOPPED, Trap, WATCHDOG_KILLED,
    WATCHDOG_REBOOTS,
};

/// Keys of a unit that have one value: the last that is given counts.
const SINGLE: [&str; 9] = [
    "killmode",
    "killsignal",
    "refusemanualstop",
    "remainafterexit",
    "restart",
    "sendsigkill",
    "timeoutsec",
    "timeoutstopsec",
    "type",
];

/// Words of one line, all of which it has. `a|b` is either of the two; what
/// has a `^` before it is where the line begins. Letters count the same in
/// both cases.
type Line = &'static [&'static str];

/// When a text has fallen into a trap: some line of it has all of the words,
/// for each of `has`; and no line has, for any of `lacks`.
struct Rule {
    trap: Trap,
    has: &'static [Line],
    lacks: &'static [Line],
}

const fn rule(trap: Trap, has: &'static [Line], lacks: &'static [Line]) -> Rule {
    Rule { trap, has, lacks }
}

const WATCHDOG: Line = &["^execstart=", "xenwatchdogd"];
const WATCHDOG_DISARMS: Line = &["^execstart=", "xenwatchdogd", " -x"];
const QEMU: Line = &["^execstart=", "-xen-attach"];
const QEMU_FORKS: Line = &["^execstart=", "-daemonize"];
const STORE: Line = &["^execstart=", "xenstored|launch-xenstore"];
const STORE_DAEMON: Line = &["^execstart=", "xenstored"];
const SCRIPT_WITH_STORE: Line = &["^execstart=", "init.d/xen start|init.d/xencommons start"];
const STAYS: Line = &["^remainafterexit=yes|^remainafterexit=true"];
const DOMAINS: Line = &["^execstart=", "xendomains"];
const TIME_ENOUGH: Line =
    &["^timeoutstopsec=infinity|^timeoutstopsec=0|^timeoutsec=infinity|^timeoutsec=0"];
/// What only a Dom0 runs. A guest may run `xl devd`, or an agent.
const IN_DOM0: Line = &[
    "^exec",
    "xenstored|launch-xenstore|xen-init-dom0|xenconsoled|-xen-attach|xendomains|init.d/xen",
];
const ONLINE: &str = "network-online.target";

const UNIT_RULES: [Rule; 22] = [
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
        &[WATCHDOG_DISARMS, &["^sendsigkill=no|^sendsigkill=false"]],
    ),
    rule(
        NETWORK_ONLINE,
        &[&["^after=", ONLINE]],
        &[&["^wants=|^requires=|^bindsto=", ONLINE]],
    ),
    rule(QEMU_TYPE, &[QEMU, QEMU_FORKS], &[&["^type=forking"]]),
    rule(QEMU_TYPE, &[QEMU, &["^type=forking"]], &[QEMU_FORKS]),
    rule(QEMU_DEFAULTS, &[QEMU], &[&["^execstart=", "-nodefaults"]]),
    rule(
        QEMU_DEFAULTS,
        &[QEMU],
        &[&["^execstart=", "-no-user-config"]],
    ),
    rule(
        NEVER_IN_DOM0,
        &[&["^conditionvirtualization=xen"], IN_DOM0],
        &[],
    ),
    rule(
        FAILS_IN_GUEST,
        &[&["^execstartpre=", "control_d"]],
        &[&["^conditionvirtualization=!xen"]],
    ),
    rule(DEATH_UNSEEN, &[STORE, STAYS], &[]),
    rule(DEATH_UNSEEN, &[SCRIPT_WITH_STORE, STAYS], &[]),
    rule(
        STORE_RESTARTED,
        &[STORE],
        &[&["^refusemanualstop=yes|^refusemanualstop=true"]],
    ),
    rule(
        STORE_RESTARTED,
        &[STORE, &["^restart=on|^restart=always"]],
        &[],
    ),
    rule(STORE_NOTIFY, &[STORE_DAEMON, &["^type=notify"]], &[]),
    rule(DOMAINS_KILLED, &[DOMAINS], &[TIME_ENOUGH]),
    rule(DOMAINS_KILLED, &[DOMAINS], &[&["^killmode=process"]]),
    rule(DOMAINS_HIDDEN, &[&["^execstart=-", "xendomains"]], &[]),
    rule(LIBVIRT_CONFLICT, &[&["^conflicts=", "libvirt"]], &[]),
    rule(
        LIBVIRT_CONFLICT,
        &[
            &["^conflicts=", "xendomains"],
            &["^execstart=", "libvirtd|virtxend"],
        ],
        &[],
    ),
    rule(KILL_MODE_NONE, &[&["^killmode=none"]], &[]),
    rule(BLOCKS, &[&["^exec", "xenstore-read -s"]], &[]),
    rule(PIDFILE_READY, &[&["^exec", "-f ", "xenstored.pid"]], &[]),
];

const SCRIPT_RULES: [Rule; 12] = [
    rule(
        WATCHDOG_REBOOTS,
        &[&["xenwatchdogd"], &["kill|--stop"]],
        &[&["usr1"], &["xenwatchdogd", " -x"]],
    ),
    // What OpenRC and dinit start of themselves they send TERM.
    rule(
        WATCHDOG_REBOOTS,
        &[&["^command=", "xenwatchdogd"]],
        &[&["usr1"], &["^command", " -x|=-x|\"-x"]],
    ),
    // So do runit and s6, and their script is the daemon by then.
    rule(
        WATCHDOG_REBOOTS,
        &[&["^exec ", "xenwatchdogd"]],
        &[&["usr1"], &["xenwatchdogd", " -x"]],
    ),
    rule(
        PIDFILE_READY,
        &[&["test -f|test -e|[ -f|! -f|! -e", "xenstore", "pid"]],
        &[],
    ),
    rule(
        PIDFILE_READY,
        &[&["[ -e", "xenstore", "pid"]],
        // A link made to it decides nothing.
        &[&["ln -s", "xenstored.pid"]],
    ),
    rule(BLOCKS, &[&["xenstore-read -s|xenstore-exists -s"]], &[]),
    rule(
        SECOND_STORE,
        &[&["start-stop-daemon", "--start", "xenstored"]],
        &[&["xen-storewait"]],
    ),
    rule(
        SECOND_STORE,
        &[&["[ -f|test -f", "xenstored.pid"]],
        &[&["xen-storewait"]],
    ),
    rule(
        STORE_STOPPED,
        &[&["killall|killproc|--stop", "xenstored"]],
        &[],
    ),
    rule(QEMU_DEFAULTS, &[&["-xen-attach"]], &[&["-nodefaults"]]),
    rule(QEMU_DEFAULTS, &[&["-xen-attach"]], &[&["-no-user-config"]]),
    rule(
        DOMAINS_HIDDEN,
        &[&["xen list|xl list", "/dev/null"], &["exit 0"]],
        &[],
    ),
];

/// What is wrong in a text, and in what of it.
pub type Found = Vec<(Trap, Option<String>)>;

/// The traps in a unit of systemd, with what its drop-ins add. Only those that
/// have to do with Xen are judged.
#[must_use]
pub fn in_unit(name: &str, text: &str) -> Found {
    let lines = in_force(lines(text));
    let names_xen = |line: &String| {
        let is_it = ["exec", "conflicts="]
            .iter()
            .any(|key| line.starts_with(key));
        is_it && (has(line, "xen") || has(line, "/xl "))
    };
    if has(name, "xen") || lines.iter().any(names_xen) {
        by_rules(&UNIT_RULES, &lines)
    } else {
        vec![]
    }
}

/// The lines that count: the last of a key that has one value, and of the
/// others those after an empty one (systemd.unit(5)).
fn in_force(lines: Vec<String>) -> Vec<String> {
    let mut left: Vec<String> = vec![];
    for line in lines {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        if value.is_empty() || SINGLE.contains(&key) {
            left.retain(|other| other.split_once('=').is_none_or(|(known, _)| known != key));
        }
        left.push(line);
    }
    left
}

/// The traps in a script, with what its supervisor has beside it.
#[must_use]
pub fn in_script(text: &str) -> Found {
    let lines = lines(text);
    let mut found = by_rules(&SCRIPT_RULES, &lines);
    found.extend(modules::in_script(&lines));
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
    let is_there = |words: &Line| lines.iter().any(|line| has_all(line, words));
    let is_so = |rule: &&Rule| rule.has.iter().all(is_there) && !rule.lacks.iter().any(is_there);
    rules
        .iter()
        .filter(is_so)
        .map(|rule| (rule.trap, None))
        .collect()
}

fn has_all(line: &str, words: Line) -> bool {
    let is_there = |word: &str| match word.strip_prefix('^') {
        Some(start) => line.starts_with(start),
        None => has(line, word),
    };
    words.iter().all(|word| word.split('|').any(is_there))
}

/// Kept in one place: a search is large, and would be copied to each use.
#[inline(never)]
pub(crate) fn has(line: &str, word: &str) -> bool {
    line.contains(word)
}
