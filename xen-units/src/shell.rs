//! A link's commands as statements of a POSIX shell, for the init systems that
//! run scripts. Each statement is one line, so that a template can repeat it.

use crate::folders::LOG_FOLDER;
use crate::model::{Lasts, Name, Peer, Process, Service, StopSignal};
use crate::settings::FILES;
use crate::template::{Holes, lines};
use crate::words::{Command, Word};

/// How a script ends early: a function returns, a program of its own exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// `return`.
    Function,
    /// `exit`.
    Program,
}

impl Leave {
    fn with(self, status: u8) -> String {
        match self {
            Self::Function => format!("return {status}"),
            Self::Program => format!("exit {status}"),
        }
    }

    /// With the status of the command before.
    fn same(self) -> &'static str {
        match self {
            Self::Function => "return",
            Self::Program => "exit",
        }
    }
}

/// Who else takes care of a daemon that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// A supervisor, whose child it stays.
    Supervisor,
    /// Nobody: it goes to the background.
    Nobody,
}

/// What stands before everything else: anywhere but in a Dom0 there is nothing
/// to do, and nothing to say. Bit 11 of the features tells a Dom0.
#[must_use]
pub fn guard(leave: Leave) -> Vec<String> {
    let quietly = leave.with(0);
    vec![
        format!("[ -d /proc/xen ] || {quietly}"),
        "features=$(cat /sys/hypervisor/properties/features 2>/dev/null)".to_owned(),
        format!("[ -z \"$features\" ] || [ $((0x$features >> 11 & 1)) = 1 ] || {quietly}"),
    ]
}

/// The settings' files, and what depends on them, for everything that is run.
#[must_use]
pub fn settings(service: &Service) -> Vec<String> {
    let files = FILES.join(" ");
    let mut lines = vec![
        "set -a".to_owned(),
        format!("for file in {files}; do if [ -r \"$file\" ]; then . \"$file\"; fi; done"),
    ];
    let fixed = service
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={}", shell_words::quote(value)));
    let defaults = service
        .defaults
        .iter()
        .map(|(name, value)| format!("{name}=\"${{{name}:-{value}}}\""));
    lines.extend(fixed.chain(defaults));
    lines.push("set +a".to_owned());
    lines
}

/// What has to be so before it is started, and what it is.
#[must_use]
pub fn start(service: &Service, keeper: Keeper, leave: Leave) -> Vec<String> {
    let mut lines = vec![];
    if service.process != Process::Once {
        lines.push("umask 077".to_owned());
        lines.extend(already(service, keeper, leave));
    }
    for command in &service.before_start {
        lines.extend(run(command, leave));
    }
    if service.process == Process::Once {
        for command in &service.start {
            lines.extend(run(command, leave));
        }
        return lines;
    }
    for command in &service.start {
        lines.extend(daemon(service, command, keeper, leave));
    }
    lines
}

/// A daemon that somebody else has started is left alone: there is one of each.
fn already(service: &Service, keeper: Keeper, leave: Leave) -> Option<String> {
    let quietly = leave.with(0);
    match (service.name, keeper) {
        (Name::Console, _) => Some(format!("pidof {} >/dev/null && {quietly}", service.program)),
        // Its starter looks for itself, and better.
        (Name::Store | Name::StoreWatch, Keeper::Supervisor) => None,
        _ => Some(format!("running && {quietly}")),
    }
}

fn daemon(service: &Service, command: &Command, keeper: Keeper, leave: Leave) -> Vec<String> {
    let (mut lines, line) = split(command);
    let spare = service
        .limits
        .oom_score_adj
        .map(|adjust| format!("echo {adjust} >/proc/self/oom_score_adj"));
    let writes_none = matches!(service.name, Name::Console | Name::StoreWatch);
    let pid_file = service.pid_file.filter(|_| writes_none);
    if keeper == Keeper::Supervisor {
        lines.extend(spare);
        // It keeps its number when it takes the script's place.
        lines.extend(pid_file.map(|file| format!("echo \"$$\" >{file}")));
        lines.push(format!("exec {line}"));
        return lines;
    }
    let log = format!("{LOG_FOLDER}/{}.log", service.name.as_str());
    if service.name == Name::Watchdog {
        // Without -F it goes to the background by itself, once it has its timer.
        let line = line.replace(" -F", "");
        let spare = spare.unwrap_or_else(|| ":".to_owned());
        lines.push(format!("({spare}; exec {line}) || {}", leave.same()));
        return lines;
    }
    lines.push(format!("setsid {line} </dev/null >>{log} 2>&1 &"));
    lines.push("pid=$!".to_owned());
    lines.extend(pid_file.map(|file| format!("echo \"$pid\" >{file}")));
    // One that has ended already says with what.
    lines.push("sleep 0.3".to_owned());
    lines.push("[ -n \"$(readlink \"/proc/$pid/exe\")\" ] || wait \"$pid\"".to_owned());
    lines
}

/// The function that tells whether the daemon runs, and sets `pid`; none where
/// there is no daemon.
#[must_use]
pub fn running(service: &Service) -> Vec<String> {
    let program = service.program;
    match (service.process, service.pid_file) {
        (Process::Once, _) => vec![],
        (_, None) => function("running", [format!("pid=$(pidof {program})")]),
        (_, Some(file)) => function(
            "running",
            [
                format!("{{ read -r pid _ <{file}; }} 2>/dev/null || return 1"),
                "program=$(readlink \"/proc/$pid/exe\" 2>/dev/null) || return 1".to_owned(),
                "program=${program%' (deleted)'}".to_owned(),
                format!("case ${{program##*/}} in {program}) return 0 ;; esac"),
                "return 1".to_owned(),
            ],
        ),
    }
}

/// The lines of a function.
pub fn function(name: &str, body: impl IntoIterator<Item = String>) -> Vec<String> {
    let body = body.into_iter().map(|line| format!("\t{line}"));
    let start = [format!("{name}() {{")];
    start
        .into_iter()
        .chain(body)
        .chain(["}".to_owned()])
        .collect()
}

/// What stops it. A signal is sent once, and never KILL. A start off Xen has
/// done well, so its stop comes, and has nothing to wait for.
#[must_use]
pub fn stop(service: &Service, leave: Leave) -> Vec<String> {
    let name = service.name.as_str();
    if service.lasts == Lasts::Always {
        let mut lines = guard(leave);
        let why = "never stopped: what uses it could not go on";
        lines.push(format!("echo \"{name}: {why}\" >&2"));
        lines.push(leave.with(1));
        return lines;
    }
    if !service.stop.is_empty() {
        return all(service, &service.stop, leave);
    }
    if service.process == Process::Once {
        return vec![":".to_owned()];
    }
    let signal = match service.stop_signal {
        StopSignal::Term => "TERM",
        StopSignal::Usr1Only => "USR1",
    };
    let mut lines = vec![
        format!("running || {}", leave.with(0)),
        // More than one process, where it has no pidfile.
        format!("for each in $pid; do kill -{signal} \"$each\"; done"),
        "tries=0".to_owned(),
        "while running && [ \"$tries\" -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done"
            .to_owned(),
        format!(
            "if running; then echo \"{name}: process $pid does not end\" >&2; {}; fi",
            leave.with(1)
        ),
    ];
    lines.extend(service.pid_file.map(|file| format!("rm -f {file}")));
    lines
}

/// What says whether it is up: 0 yes, 3 no, 4 that cannot be told (LSB).
#[must_use]
pub fn report(service: &Service) -> Vec<String> {
    let name = service.name.as_str();
    let unknown = vec![
        format!("echo \"{name}: leaves nothing to look at\""),
        "return 4".to_owned(),
    ];
    let stopped = [format!("echo \"{name}: stopped\""), "return 3".to_owned()];
    let yes = match (&service.test, service.process) {
        (Some(test), _) => {
            let (words, line) = split(test);
            let mut lines = [settings(service), words].concat();
            lines.push(format!(
                "if {line} >/dev/null 2>&1; then echo \"{name}: up\"; return 0; fi"
            ));
            lines
        }
        (None, Process::Once) => return unknown,
        (None, _) => vec![format!(
            "if running; then echo \"{name}: running, process $pid\"; return 0; fi"
        )],
    };
    yes.into_iter().chain(stopped).collect()
}

/// A command that runs to its end, and ends the script where it fails.
pub fn run(command: &Command, leave: Leave) -> Vec<String> {
    let (mut lines, line) = split(command);
    lines.push(if command.must_succeed {
        format!("{line} || {}", leave.same())
    } else {
        line
    });
    lines
}

/// The command line, and what makes the words of a list before it: a shell
/// that splits a variable takes no notice of the quotes in it.
fn split(command: &Command) -> (Vec<String>, String) {
    let mut before = vec![];
    let mut words = vec![];
    for word in &command.words {
        words.push(match word {
            Word::Text(text) => shell_words::quote(text).into_owned(),
            Word::Value {
                before,
                name,
                default,
            } => format!("\"{before}${{{name}:-{default}}}\""),
            Word::List { name, default } => {
                before.push(format!("eval \"set -- ${{{name}:-{default}}}\""));
                "\"$@\"".to_owned()
            }
        });
    }
    (before, words.join(" "))
}

/// Waits for what shows that it is there, and goes on without it after 30 s.
#[must_use]
pub fn wait_for(service: &Service) -> Vec<String> {
    let Some(test) = &service.test else {
        return vec![];
    };
    let (mut lines, line) = split(test);
    lines.push("tries=0".to_owned());
    lines.push(format!(
        "until {line} >/dev/null 2>&1 || [ \"$tries\" -ge 30 ]; do tries=$((tries + 1)); sleep 1; done"
    ));
    lines
}

/// The functions that an init script has, whatever init system runs it.
#[must_use]
pub fn functions(service: &Service, folders: &[String]) -> Vec<String> {
    let holes = holes(service, folders, Keeper::Nobody, Leave::Function)
        .with("STOP", stop(service, Leave::Function))
        .with("REPORT", report(service));
    lines(&holes.fill(include_str!("shell/functions")))
}

/// What fills the holes that every script has.
pub fn holes(service: &Service, folders: &[String], keeper: Keeper, leave: Leave) -> Holes {
    Holes::default()
        .with("DESCRIPTION", service.name.description())
        .with("RUNNING", running(service))
        .with("GUARD", guard(leave))
        .with("SETTINGS", settings(service))
        .with("FOLDERS", folders_of(service, folders))
        .with("START", start(service, keeper, leave))
}

/// The commands that make the folders, with the first link that needs them:
/// where no systemd is, nothing reads tmpfiles.d.
#[must_use]
pub fn folders_of<'a>(service: &Service, folders: &'a [String]) -> &'a [String] {
    match service.name {
        Name::Mountfs => folders,
        _ => &[],
    }
}

/// What brings it up to date while it is up, if anything does.
#[must_use]
pub fn reload(service: &Service, leave: Leave) -> Vec<String> {
    match &service.reload[..] {
        [] => vec![],
        commands => all(service, commands, leave),
    }
}

/// Commands with all that they need, and none off Xen.
fn all(service: &Service, commands: &[Command], leave: Leave) -> Vec<String> {
    let commands = commands.iter().flat_map(|command| run(command, leave));
    let before = [guard(leave), settings(service)].concat();
    before.into_iter().chain(commands).collect()
}

/// The links that it has in one of its lists.
pub fn links(peers: &[Peer]) -> Vec<&'static str> {
    let link = |peer: &Peer| match peer {
        Peer::Link(name) => Some(name.as_str()),
        _ => None,
    };
    peers.iter().filter_map(link).collect()
}
