//! Everything is written, for one init system.

use std::io::Write;
use std::path::Path;

use crate::chain;
use crate::cli::{Generate, Init};
use crate::extras;
use crate::machine::Machine;
use crate::model::{Name, Service};
use crate::output::{self, File};
use crate::rivals;
use crate::systemd;
use crate::{Error, XenVersion};

/// What the caller has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// Domains also where libvirt starts its own.
    pub domains: bool,
    /// The watchdog with the rest.
    pub watchdog: bool,
}

impl From<&Generate> for Choices {
    fn from(args: &Generate) -> Self {
        Self {
            domains: args.domains,
            watchdog: args.watchdog,
        }
    }
}

/// The links of one machine's chain, and what there is to say about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The links, in boot order.
    pub services: Vec<Service>,
    /// Those that are started together; the others only if somebody enables them.
    pub wanted: Vec<Name>,
    /// Why a link was left out.
    pub remarks: Vec<String>,
    /// Links that were left out as their program is not there.
    pub absent: Vec<String>,
}

impl Chain {
    /// The chain for this machine. Without a store and a console there is
    /// none; the rest is there where the Xen package has its part.
    ///
    /// # Errors
    /// [`Error::NotInstalled`], and a setting that cannot be followed.
    pub fn of(machine: &Machine, choices: Choices) -> Result<Self, Error> {
        let mut chain = Self::default();
        let libvirt = machine.libvirt()?.filter(|_| !choices.domains);
        for name in Name::ALL {
            if let (Name::Domains, Some(unit)) = (name, &libvirt) {
                chain.remarks.push(format!(
                    "xen-domains is left out: {unit} is enabled and starts domains itself (--domains)"
                ));
                continue;
            }
            let is_asked_for = match name {
                Name::Qemu => machine.settings.get("QEMU_XEN").is_some(),
                Name::Watchdog => {
                    choices.watchdog || machine.settings.get("XENWATCHDOGD").is_some()
                }
                Name::Domains => choices.domains,
                _ => true,
            };
            let service = match chain::service(name, machine) {
                Err(Error::NotInstalled { tool, .. }) if !is_asked_for => {
                    let name = name.as_str();
                    let what = format!("{name} is left out: {tool} is not installed");
                    chain.absent.push(what);
                    continue;
                }
                result => result?,
            };
            if name != Name::Watchdog || choices.watchdog {
                chain.wanted.push(name);
            }
            chain.services.push(service);
        }
        // An order towards a link that is not there is harmless; to want it
        // would be an error in every boot's log.
        let present: Vec<Name> = chain.services.iter().map(|service| service.name).collect();
        for service in &mut chain.services {
            service.keep_wants_among(&present);
        }
        Ok(chain)
    }
}

/// Writes what `generate` was asked for.
///
/// # Errors
/// Every [`Error`].
pub fn generate(args: &Generate, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let machine = args.place.machine_with(crate::lasting())?;
    if !machine.root.contains(&args.output) {
        let what = format!("--output {}: not below --root", args.output.display());
        return Err(Error::Usage(what));
    }
    if args.store_socket {
        require_own_socket(&machine)?;
    }
    let chain = Chain::of(&machine, args.into())?;
    let (extras, network_remarks) = extras::files(&machine, &args.output)?;
    let mut files = match args.init {
        Init::Systemd => units(&chain, args.store_socket),
    };
    files.extend(extras);
    let folder = machine.root.below(&args.output);
    let mut found = vec![];
    for file in files {
        let file = file.below(&folder);
        let is = output::look(&file)?;
        found.push((file, is));
    }
    let steps = output::plan(found, args.force)?;
    let rivals = rivals::remark(&machine.root)?;
    let absent = chain.absent.iter().filter(|_| args.verbose);
    let remarks = chain.remarks.iter().chain(absent);
    for remark in remarks.chain(&network_remarks).chain(&rivals) {
        // Said for the reader's sake; what is done does not depend on it.
        let _ = writeln!(err, "xen-units: {remark}");
    }
    for step in &steps {
        if args.dry_run {
            writeln!(out, "{}", step.command())
                .map_err(|source| Error::system("write to standard output", source))?;
            continue;
        }
        output::apply(step)?;
        if args.verbose {
            let _ = writeln!(err, "xen-units: {}", step.done());
        }
    }
    out.flush()
        .map_err(|source| Error::system("write to standard output", source))
}

/// As a systemd generator in a Dom0: the units go to this folder, and are
/// enabled there.
///
/// # Errors
/// Every [`Error`].
pub fn generator(machine: &Machine, folder: &Path) -> Result<(), Error> {
    let chain = Chain::of(machine, Choices::default())?;
    for file in units(&chain, false) {
        let name = file.path.file_name().unwrap_or_default();
        let path = folder.join(name);
        output::apply(&output::Step::Write(File { path, ..file }))?;
    }
    enable(folder)
}

fn enable(folder: &Path) -> Result<(), Error> {
    let wants = folder.join("multi-user.target.wants");
    let link = wants.join(systemd::TARGET);
    let failed = |error| Error::system(format!("link {}", link.display()), error);
    std::fs::create_dir_all(&wants).map_err(failed)?;
    let target = Path::new("..").join(systemd::TARGET);
    match std::os::unix::fs::symlink(&target, &link) {
        Err(_) if std::fs::read_link(&link).is_ok_and(|found| found == target) => Ok(()),
        result => result.map_err(failed),
    }
}

fn units(chain: &Chain, store_socket: bool) -> Vec<File> {
    let folder = Path::new("systemd/system");
    let mut files = vec![File::new(
        folder.join(systemd::TARGET),
        systemd::target(&chain.wanted),
    )];
    for service in &chain.services {
        files.push(File::new(
            folder.join(systemd::unit_name(service.name)),
            systemd::unit(service),
        ));
    }
    if store_socket {
        files.push(File::new(
            folder.join("xen-store.socket"),
            systemd::STORE_SOCKET,
        ));
    }
    files
}

fn require_own_socket(machine: &Machine) -> Result<(), Error> {
    let version = machine.version;
    match version {
        Some(old) if old < XenVersion::OWN_SOCKET => Ok(()),
        _ => Err(Error::OwnSocket { version }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::is_dom0;
    use crate::root::Root;
    use std::fs;

    #[test]
    fn enables_what_it_writes_as_a_generator() {
        let root = Root::new(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/roots/debian-12"
        )));
        let machine = Machine::read(root, None, "/usr/bin".into(), std::iter::empty()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            generator(&machine, folder.path()).unwrap();
        }
        let link = folder
            .path()
            .join("multi-user.target.wants/xen-dom0.target");
        let target = fs::read_to_string(link).unwrap();
        assert!(target.contains("xen-store.service"));
        assert!(!target.contains("xen-watchdog"));
        let store = fs::read_to_string(folder.path().join("xen-store.service")).unwrap();
        assert!(store.contains("/usr/lib/xen-4.17/bin/oxenstored"));
    }

    #[test]
    fn knows_a_dom0_by_its_features() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert!(!is_dom0(&root));
        fs::create_dir_all(folder.path().join("proc/xen")).unwrap();
        let features = folder.path().join("sys/hypervisor/properties/features");
        fs::create_dir_all(features.parent().unwrap()).unwrap();
        for (text, expected) in [("00002705\n", false), ("00002f05\n", true), ("?", false)] {
            fs::write(&features, text).unwrap();
            assert_eq!(is_dom0(&root), expected, "{text}");
        }
    }
}
