//! The chain in systemd's words.

use crate::Error;
use crate::machine::Machine;
use crate::model::{Lasts, Limits, Name, Peer, Process, Restart, Seconds, Service, StopSignal};
use crate::select::Chain;
use crate::settings::FILES;
use crate::store;
use crate::template::{self, Holes};
use crate::words::{Command, Word};

/// The unit that stands for the whole chain.
pub const TARGET: &str = "xen-dom0.target";

const TARGET_TEMPLATE: &str = include_str!("systemd/xen-dom0.target");

/// The unit of the sockets of a store daemon that makes none itself, for Xen
/// before 4.8.
pub const SOCKET: &str = "xen-store.socket";

/// Its text.
pub const STORE_SOCKET: &str = include_str!("systemd/xen-store.socket");

const SANDBOX: &str = include_str!("systemd/sandbox");
const BORNE: &str = include_str!("systemd/borne");

/// What one unit alone has at its end: its sandbox, or who wants it.
fn own(name: Name) -> &'static str {
    match name {
        Name::Modload => include_str!("systemd/xen-modload.own"),
        Name::Mountfs => include_str!("systemd/xen-mountfs.own"),
        Name::StoreReady => include_str!("systemd/xen-store-ready.own"),
        Name::StoreWatch => include_str!("systemd/xen-store-watch.own"),
        Name::Watchdog => include_str!("systemd/xen-watchdog.own"),
        Name::Bridge => include_str!("systemd/xen-bridge.own"),
        Name::Store | Name::Console => include_str!("systemd/daemon.own"),
        Name::Qemu => include_str!("systemd/xen-qemu.own"),
        Name::Domains => "",
    }
}

/// The files that are no link's own, by their path below the units' folder: a
/// unit for one domain, what disarms the watchdog while the host sleeps, and
/// the PATH that the Xen package's own udev rules need.
///
/// # Errors
/// A folder that cannot be read.
pub fn others(machine: &Machine, chain: &Chain) -> Result<Vec<(&'static str, String)>, Error> {
    let storewait = store::wait(machine, &[]);
    let holes = Holes::default()
        .with("SETTINGS", settings())
        .with("STOREWAIT", Some(line(&storewait)))
        .with("DISKS", joined(&[Peer::RemoteDisks, Peer::GuestStorage]));
    let has = |name: Name| chain.services.iter().any(|service| service.name == name);
    let mut files = vec![];
    if has(Name::StoreReady) {
        let domain = holes.fill(include_str!("systemd/xen-domain@.service"));
        files.push(("xen-domain@.service", domain));
    }
    if has(Name::Watchdog) {
        let holes = Holes::default().with("SANDBOX", template::lines(SANDBOX));
        let sleep = holes.fill(include_str!("systemd/xen-watchdog-sleep.service"));
        let wants = include_str!("systemd/sleep.target.conf").to_owned();
        files.push(("xen-watchdog-sleep.service", sleep));
        files.push(("sleep.target.d/xen-dom0.conf", wants));
    }
    if let Some(rules) = machine.udev_rules()? {
        let holes = Holes::default().with("RULES", Some(rules));
        let path = holes.fill(include_str!("systemd/udevd.conf"));
        files.push(("systemd-udevd.service.d/xen-dom0.conf", path));
    }
    Ok(files)
}

/// The unit's file name.
#[must_use]
pub fn unit_name(name: Name) -> String {
    format!("{}.service", name.as_str())
}

/// The text of a service's unit.
#[must_use]
pub fn unit(service: &Service) -> String {
    let note = match service.name {
        Name::Bridge => include_str!("systemd/bridge.note"),
        _ => "",
    };
    let own = Holes::default()
        .with("SANDBOX", template::lines(SANDBOX))
        .with("BORNE", template::lines(BORNE))
        .fill(own(service.name));
    let holes = Holes::default()
        .with("DESCRIPTION", service.name.description())
        .with("NOTE", template::lines(note))
        .with("OWN", template::lines(&own))
        .with("LASTS", &lasts(service.lasts)[..])
        .with("AFTER", joined(&service.after))
        .with("BEFORE", joined(&service.before))
        .with("WANTS", joined(&service.wants))
        .with("REQUIRES", joined(&service.requires))
        .with("PROCESS", process(service.process))
        .with("SETTINGS", settings())
        .with("ENVIRONMENT", environment(service))
        .with("CONDITION", condition(service))
        .with("BEFORE_START", lines(&service.before_start))
        .with("START", start(service))
        .with("AFTER_START", after_start(service))
        .with("RELOAD", lines(&service.reload))
        .with("STOP", lines(&service.stop))
        .with("AFTER_STOP", after_stop(service))
        .with("STOP_SIGNAL", &stop_signal(service.stop_signal)[..])
        .with("RESTART", restart(service.restart))
        .with("LIMITS", limits(&service.limits));
    let text = holes.fill(include_str!("systemd/service"));
    text.trim_end().to_owned() + "\n"
}

/// The settings' files, each read if it is there.
fn settings() -> Vec<String> {
    FILES.iter().map(|file| format!("-{file}")).collect()
}

/// The text of the unit for all of these.
#[must_use]
pub fn target(wanted: &[Name]) -> String {
    let units: Vec<String> = wanted.iter().map(|name| unit_name(*name)).collect();
    let holes = Holes::default().with("LINKS", Some(units.join(" ")));
    holes.fill(TARGET_TEMPLATE)
}

fn joined(peers: &[Peer]) -> Option<String> {
    let units: Vec<String> = peers.iter().map(|peer| units_of(*peer)).collect();
    Some(units.join(" ")).filter(|text| !text.is_empty())
}

/// The names that distributions give to it, all of them: an order towards a
/// unit that is not there means nothing.
fn units_of(peer: Peer) -> String {
    match peer {
        Peer::Link(name) => unit_name(name),
        Peer::SystemReady => "sysinit.target".to_owned(),
        Peer::KernelReady => "local-fs.target systemd-sysctl.service systemd-modules-load.service \
             systemd-tmpfiles-setup.service systemd-udevd.service"
            .to_owned(),
        Peer::NetworkClients => "networking.service systemd-networkd.service \
             NetworkManager.service dhcpcd.service connman.service"
            .to_owned(),
        Peer::NetworkOnline => "network-online.target".to_owned(),
        Peer::DhcpServers => "dhcpd.service dhcpd4.service isc-dhcp-server.service \
             kea-dhcp4.service kea-dhcp4-server.service dnsmasq.service"
            .to_owned(),
        Peer::RemoteDisks => "remote-fs.target".to_owned(),
        // Not every one of these is ordered towards that target (drbd). A server
        // of NFS is none of them: its statd is after nss-lookup.target, dnsmasq
        // is before that, and after the domains.
        Peer::GuestStorage => "drbd.service iscsi.service open-iscsi.service \
             openvswitch-switch.service"
            .to_owned(),
        Peer::Libvirt => "libvirtd.service virtxend.service libvirt-guests.service".to_owned(),
        Peer::StoreSocket => SOCKET.to_owned(),
    }
}

/// Without the default dependencies there is no conflict with
/// shutdown.target. sysinit.target is only wanted: it has that conflict
/// itself, and what requires it is stopped with it.
fn lasts(lasts: Lasts) -> Vec<&'static str> {
    let past_shutdown = ["DefaultDependencies=no", "IgnoreOnIsolate=yes"];
    match lasts {
        Lasts::UntilStopped => vec![],
        Lasts::PastShutdown => past_shutdown.to_vec(),
        Lasts::Always => [&past_shutdown[..], &["RefuseManualStop=yes"]].concat(),
    }
}

fn process(process: Process) -> Vec<String> {
    match process {
        Process::Once => vec!["Type=oneshot".into(), "RemainAfterExit=yes".into()],
        Process::Foreground => vec!["Type=exec".into()],
        Process::Forks => vec!["Type=forking".into()],
        Process::Notifies { watchdog_s } => vec![
            "Type=notify".into(),
            "NotifyAccess=main".into(),
            format!("WatchdogSec={watchdog_s}"),
        ],
    }
}

/// The service's own variables. A setting's default is not among them: an
/// empty line in a file would beat it, and means that nothing is set.
fn environment(service: &Service) -> Vec<String> {
    let assign =
        |(name, value): &(&str, String)| escape_specifiers(&quote(&format!("{name}={value}")));
    service.environment.iter().map(assign).collect()
}

fn lines(commands: &[Command]) -> Vec<String> {
    commands.iter().map(line).collect()
}

/// The lines that start it, with the settings that must not be empty.
fn start(service: &Service) -> Vec<String> {
    let export = |(name, value): &(&str, &str)| format!("export {name}=\"${{{name}:-{value}}}\"; ");
    let exports: String = service.defaults.iter().map(export).collect();
    let line = |command: &Command| line_after(&exports, command);
    service.start.iter().map(line).collect()
}

fn line(command: &Command) -> String {
    line_after("", command)
}

fn line_after(exports: &str, command: &Command) -> String {
    let has_default = command.words.iter().any(|word| match word {
        Word::Text(_) => false,
        Word::Value { default, .. } | Word::List { default, .. } => !default.is_empty(),
    });
    let words: Vec<String> = match command.words.split_first() {
        Some((program, arguments)) if has_default || !exports.is_empty() => {
            with_defaults(exports, program, arguments)
        }
        _ => command.words.iter().map(word).collect(),
    };
    let prefix = if command.must_succeed { "" } else { "-" };
    format!("{prefix}{}", words.join(" "))
}

/// systemd knows no default for a variable that is empty, so a shell fills it
/// in, and the daemon takes its place. Lists are split by systemd all the
/// same, which minds quotes: the shell gets them as its arguments.
fn with_defaults(exports: &str, program: &Word, arguments: &[Word]) -> Vec<String> {
    let mut start = exports.to_owned();
    let mut line = "exec \"$0\"".to_owned();
    let mut lists = vec![];
    for argument in arguments {
        let text = match argument {
            Word::Text(text) => shell_words::quote(text).into_owned(),
            Word::Value {
                before,
                name,
                default,
            } => format!("\"{before}${{{name}:-{default}}}\""),
            Word::List { default, .. } => {
                if !default.is_empty() {
                    start += &format!("[ $# -gt 0 ] || set -- {default}; ");
                }
                lists.push(word(argument));
                "\"$@\"".to_owned()
            }
        };
        line.extend([" ", &text]);
    }
    let mut words = vec![
        "/bin/sh".to_owned(),
        "-c".to_owned(),
        script(&(start + &line)),
    ];
    words.push(word(program));
    words.extend(lists);
    words
}

/// A shell's script as one word, in the quotes that read better.
fn script(text: &str) -> String {
    let text = escape_specifiers(&text.replace('$', "$$"));
    if text.contains(['\'', '\\']) {
        quote(&text)
    } else {
        format!("'{text}'")
    }
}

fn word(word: &Word) -> String {
    match word {
        Word::Text(text) => escape_specifiers(&quote(&text.replace('$', "$$"))),
        Word::Value { before, name, .. } => format!("{before}${{{name}}}"),
        Word::List { name, .. } => format!("${name}"),
    }
}

/// As systemd reads words (systemd.syntax(7)).
fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%$".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn escape_specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// Where somebody else has started the daemon, the unit is skipped. pidof is
/// not everywhere; what a user has named like it does not count.
fn condition(service: &Service) -> Option<String> {
    let test = match (service.name, service.pid_file) {
        (Name::Console, _) => {
            "for p in /proc/[0-9]*/comm; do [ -O \"$p\" ] && read -r n <\"$p\" && \
             [ \"$n\" = xenconsoled ] && exit 1; done 2>/dev/null; exit 0"
                .to_owned()
        }
        (Name::Qemu, Some(file)) => format!(
            "{{ read -r p <{file} && read -r n <\"/proc/$p/comm\" && \
             case $n in *qemu*) exit 1 ;; esac; }} 2>/dev/null; exit 0"
        ),
        _ => return None,
    };
    Some(format!("/bin/sh -c {}", script(&test)))
}

/// xenconsoled writes its pidfile only when it goes to the background
/// (tools/console/daemon/main.c), and scripts of others look for it.
fn after_start(service: &Service) -> Vec<String> {
    let mut commands = lines(&service.after_start);
    if let (Name::Console, Some(file)) = (service.name, service.pid_file) {
        commands.push(format!("-/bin/sh -c 'echo $MAINPID >{file}'"));
    }
    commands
}

fn after_stop(service: &Service) -> Vec<String> {
    let mut commands = lines(&service.after_stop);
    if let (Name::Console, Some(file)) = (service.name, service.pid_file) {
        // Skipped is an end too, and then the file is somebody else's.
        let test = format!("[ \"$SERVICE_RESULT\" = exec-condition ] || rm -f {file}");
        commands.push(format!("-/bin/sh -c {}", script(&test)));
    }
    commands
}

fn stop_signal(signal: StopSignal) -> Vec<&'static str> {
    match signal {
        StopSignal::Term => vec![],
        StopSignal::Usr1Only => vec!["KillSignal=SIGUSR1", "SendSIGKILL=no"],
    }
}

fn restart(restart: Restart) -> Vec<String> {
    match restart {
        Restart::Never => vec!["Restart=no".into()],
        Restart::OnFailure { after_s } => {
            vec!["Restart=on-failure".into(), format!("RestartSec={after_s}")]
        }
    }
}

fn limits(limits: &Limits) -> Vec<String> {
    let seconds = |limit: Seconds| match limit {
        Seconds::Count(count) => count.to_string(),
        Seconds::Unlimited => "infinity".to_owned(),
    };
    let mut lines = vec![];
    if let Some(limit) = limits.start_s {
        lines.push(format!("TimeoutStartSec={}", seconds(limit)));
    }
    if let Some(limit) = limits.stop_s {
        lines.push(format!("TimeoutStopSec={}", seconds(limit)));
    }
    if let Some(adjust) = limits.oom_score_adj {
        lines.push(format!("OOMScoreAdjust={adjust}"));
    }
    if limits.spares_children {
        lines.push("KillMode=process".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_systemd_would_take_apart() {
        let command = Command::new(["/opt/my xen/bin/x", "100%", "a$b", "", "say \"hi\""]);
        assert_eq!(
            line(&command),
            r#""/opt/my xen/bin/x" 100%% a$$b "" "say \"hi\"""#
        );
    }

    #[test]
    fn names_settings_and_leaves_their_values_to_systemd() {
        let command = Command::new(["/x"])
            .with(Word::Value {
                before: "--log=",
                name: "XENCONSOLED_TRACE",
                default: "none",
            })
            .list("XENCONSOLED_ARGS", "")
            .may_fail();
        assert_eq!(
            line(&command),
            r#"-/bin/sh -c 'exec "$$0" "--log=$${XENCONSOLED_TRACE:-none}" "$$@"' /x $XENCONSOLED_ARGS"#
        );
        let plain = Command::new(["/x"]).list("XENSTORED_ARGS", "");
        assert_eq!(line(&plain), "/x $XENSTORED_ARGS");
    }
}
