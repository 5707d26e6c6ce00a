//! Everything beside units: what the kernel, udev, the network managers and
//! the initramfs have to be told.

use std::path::Path;

use crate::Error;
use crate::cli::Init;
use crate::folders::{self, LOG_FOLDER};
use crate::machine::{CONSOLE_LOGS_VARIABLE, Machine};
use crate::model::Name;
use crate::output::File;
use crate::select::Chain;
use crate::template::{self, Holes};

/// What an initramfs needs for xenfs, so that nothing waits for the real
/// root. It depends on xen-privcmd, which is taken along.
const EARLY_MODULES: [&str; 1] = ["xenfs"];

/// What disarms the watchdog while the host sleeps, where no systemd does.
const SLEEP_HOOKS: [&str; 2] = ["pm/sleep.d/50xen-dom0", "elogind/system-sleep/xen-dom0"];

const NETWORKD_FOLDERS: [&str; 4] = [
    "/etc/systemd/network",
    "/run/systemd/network",
    "/usr/lib/systemd/network",
    "/lib/systemd/network",
];

const NETWORK_MANAGER_FOLDERS: [&str; 5] = [
    "/etc/NetworkManager/system-connections",
    "/run/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
    "/etc/NetworkManager/conf.d",
    "/usr/lib/NetworkManager/conf.d",
];

/// The files for this machine, and a remark for each one that was left out.
///
/// # Errors
/// A setting or a file that cannot be followed.
pub fn files(
    machine: &Machine,
    init: Init,
    chain: &Chain,
    output: &Path,
) -> Result<(Vec<File>, Vec<String>), Error> {
    let mut files = vec![
        File::new(
            "modprobe.d/xen-dom0.conf",
            include_str!("files/modprobe.conf"),
        ),
        tmpfiles(machine),
    ];
    files.extend(initramfs(output));
    let (network, mut remarks) = network(machine)?;
    files.extend(network);
    let has_watchdog = chain
        .services
        .iter()
        .any(|link| link.name == Name::Watchdog);
    let hook = sleep_hook(init).filter(|_| has_watchdog);
    // logrotate reads an administrator's files only, and none twice for a log.
    if is_etc(output) {
        let names = machine.root.names(Path::new("/etc/logrotate.d"))?;
        match names
            .iter()
            .find(|name| name.starts_with("xen") && *name != "xen-dom0")
        {
            Some(name) => remarks.push(format!(
                "/etc/logrotate.d/{name}: rotates Xen's logs, so ours is left out"
            )),
            None => {
                if machine.console_logs().is_none() {
                    remarks.push(format!(
                        "{CONSOLE_LOGS_VARIABLE}: no plain absolute path, so that folder is \
                         neither made nor are its logs rotated"
                    ));
                }
                files.push(logrotate(machine));
            }
        }
        if let Some(text) = hook {
            files.extend(SLEEP_HOOKS.map(|path| File::new(path, &text).executable()));
        }
    } else {
        let mut left_out = vec!["logrotate.d/xen-dom0"];
        if hook.is_some() {
            left_out.extend(SLEEP_HOOKS);
        }
        let named = left_out.join(", ");
        remarks.push(format!("only below /etc, so left out: {named}"));
    }
    // Guests' own filters and other bridges' firewalls hang on it: only if asked.
    let is_off = machine.settings.get("XEN_BRIDGE_NETFILTER").is_some()
        && !machine.settings.is_on("XEN_BRIDGE_NETFILTER")?;
    if is_off {
        files.push(File::new(
            "udev/rules.d/90-xen-dom0-bridge.rules",
            include_str!("files/netfilter.rules"),
        ));
        files.push(File::new(
            "sysctl.d/xen-dom0-bridge.conf",
            include_str!("files/netfilter.sysctl"),
        ));
    }
    Ok((files, remarks))
}

/// The consoles' logs go by their names: a folder that a setting names may have
/// others' in it. Where they are among Xen's other logs they are rotated as those
/// are, for no log may be named twice.
fn logrotate(machine: &Machine) -> File {
    let logs = machine.console_logs().unwrap_or(LOG_FOLDER);
    let console = Holes::default()
        .with("LOGS", logs)
        .fill(include_str!("files/logrotate-console"));
    let console = template::lines(if logs == LOG_FOLDER { "" } else { &console });
    let holes = Holes::default().with("CONSOLE", console);
    let text = holes.fill(include_str!("files/logrotate"));
    File::new("logrotate.d/xen-dom0", text)
}

/// What disarms the watchdog, in the init system's own words; systemd has a unit
/// for it.
fn sleep_hook(init: Init) -> Option<String> {
    let [is_up, stop, start] = match init {
        Init::Systemd => return None,
        Init::Sysvinit | Init::Openrc => [
            "/etc/init.d/xen-watchdog status",
            "/etc/init.d/xen-watchdog stop",
            "/etc/init.d/xen-watchdog start",
        ],
        Init::Runit => [
            "sv status xen-watchdog | grep '^run:'",
            "sv stop xen-watchdog",
            "sv start xen-watchdog",
        ],
        Init::S6 => [
            "s6-rc -a list | grep -x xen-watchdog",
            "s6-rc -d change xen-watchdog",
            "s6-rc -u change xen-watchdog",
        ],
        Init::Dinit => [
            "dinitctl is-started xen-watchdog",
            "dinitctl stop xen-watchdog",
            "dinitctl start xen-watchdog",
        ],
    };
    let holes = Holes::default()
        .with("IS_UP", is_up)
        .with("STOP", stop)
        .with("START", start);
    Some(holes.fill(include_str!("files/sleep-hook")))
}

fn tmpfiles(machine: &Machine) -> File {
    let entries = folders::entries(machine);
    let lines: Vec<String> = entries.iter().map(folders::Entry::tmpfiles).collect();
    let holes = Holes::default().with("ENTRIES", lines);
    let text = holes.fill(include_str!("files/tmpfiles.conf"));
    File::new("tmpfiles.d/xen-dom0.conf", text)
}

/// dracut and initramfs-tools have other places for an administrator's files
/// than for a package's.
fn initramfs(output: &Path) -> Vec<File> {
    let holes = Holes::default()
        .with("MODULES", Some(EARLY_MODULES.join(" ")))
        .with("MODULE", &EARLY_MODULES[..]);
    let dracut = holes.fill(include_str!("files/dracut.conf"));
    if is_etc(output) {
        let hook = holes.fill(include_str!("files/initramfs-hook"));
        return vec![
            File::new("dracut.conf.d/xen-dom0.conf", dracut),
            File::new("initramfs-tools/hooks/xen-dom0", hook).executable(),
        ];
    }
    let list = holes.fill(include_str!("files/initramfs-modules"));
    vec![
        File::new("dracut/dracut.conf.d/xen-dom0.conf", dracut),
        File::new("initramfs-tools/modules.d/xen-dom0", list),
    ]
}

/// Whether an administrator's files are meant, not a package's.
fn is_etc(output: &Path) -> bool {
    output.file_name().is_some_and(|name| name == "etc")
}

/// A manager is kept off the bridge, unless somebody has told it to have it.
fn network(machine: &Machine) -> Result<(Vec<File>, Vec<String>), Error> {
    let bridge = machine.bridge()?;
    let holes = Holes::default().with("BRIDGE", bridge);
    let mut files = vec![File::new(
        "systemd/network/70-xen-dom0.link",
        holes.fill(include_str!("files/bridge.link")),
    )];
    let mut remarks = vec![];
    let managers: [(&str, &[&str], &str, &str); 2] = [
        (
            "systemd-networkd",
            &NETWORKD_FOLDERS,
            "systemd/network/10-xen-dom0.network",
            include_str!("files/unmanaged.network"),
        ),
        (
            "NetworkManager",
            &NETWORK_MANAGER_FOLDERS,
            "NetworkManager/conf.d/xen-dom0.conf",
            include_str!("files/NetworkManager.conf"),
        ),
    ];
    for (manager, folders, path, template) in managers {
        match machine.mention(folders, bridge)? {
            Some(file) => remarks.push(format!(
                "{file}: gives {bridge} to {manager}, so nothing keeps it off"
            )),
            None => files.push(File::new(path, holes.fill(template))),
        }
    }
    Ok((files, remarks))
}
