//! Which links a machine has, and which of them are started together.

use std::path::Path;

use crate::Error;
use crate::chain;
use crate::cli::Init;
use crate::machine::Machine;
use crate::model::{Name, Peer, Process, Service};
use crate::rivals;
use crate::root::Root;
use crate::settings::{OWN_FILE, Settings, assignments};
use crate::shell;
use crate::value;

/// The flags' variables, which may be in our settings file too.
const DOMAINS: &str = "XEN_UNITS_DOMAINS";
const WATCHDOG: &str = "XEN_UNITS_WATCHDOG";

/// What the caller has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// Domains also where libvirt starts its own.
    pub domains: bool,
    /// The watchdog with the rest.
    pub watchdog: bool,
}

impl Choices {
    /// What the flags and their variables say, and where neither does, the file.
    ///
    /// # Errors
    /// As [`Self::of_file`].
    pub fn chosen(domains: bool, watchdog: bool, root: &Root) -> Result<Self, Error> {
        let file = Self::of_file(root)?;
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Ok(Self {
            domains: domains || (file.domains && !is_set(DOMAINS)),
            watchdog: watchdog || (file.watchdog && !is_set(WATCHDOG)),
        })
    }

    /// What our settings file says, by the names of the flags' variables. They
    /// are no settings of a daemon's, and go to none.
    ///
    /// # Errors
    /// A file that cannot be read, and what is neither yes nor no.
    pub fn of_file(root: &Root) -> Result<Self, Error> {
        let bytes = root.read_bytes(Path::new(OWN_FILE))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut pairs = assignments(&text);
        pairs.retain(|(name, _)| [DOMAINS, WATCHDOG].contains(&name.as_str()));
        let pair = |(name, value): (String, String)| Some((name, value::meant(&value)?));
        let settings: Settings = pairs.into_iter().filter_map(pair).collect();
        Ok(Self {
            domains: settings.is_on(DOMAINS)?,
            watchdog: settings.is_on(WATCHDOG)?,
        })
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
    /// Why a link was left out that nobody has asked for.
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
        let libvirt = machine.libvirt()?;
        for name in Name::ALL {
            chain.add(name, machine, choices, libvirt.as_deref())?;
        }
        chain.want_what_is_there();
        Ok(chain)
    }

    /// Those of these links that can be had, each problem noted.
    pub fn as_far_as_it_goes(
        names: &[Name],
        machine: &Machine,
        choices: Choices,
        problems: &mut Vec<Error>,
    ) -> Self {
        let mut chain = Self::default();
        let libvirt = machine.libvirt().unwrap_or_else(|error| {
            problems.push(error);
            None
        });
        for name in names {
            if let Err(error) = chain.add(*name, machine, choices, libvirt.as_deref()) {
                problems.push(Error::LeftOut(name.as_str(), Box::new(error)));
            }
        }
        // In boot order, what one needs is before it. The watch over the store
        // needs none, but to be told that there is none.
        let mut there: Vec<Name> = vec![];
        for service in std::mem::take(&mut chain.services) {
            let mut needs = shell::links(&service.requires);
            if service.name == Name::StoreWatch {
                needs.push(Name::StoreReady.as_str());
            }
            needs.retain(|need| !there.iter().any(|name| name.as_str() == *need));
            if let Some(need) = needs.first() {
                let name = service.name.as_str();
                chain
                    .remarks
                    .push(format!("{name} is left out: it needs {need}"));
                continue;
            }
            there.push(service.name);
            chain.services.push(service);
        }
        chain.wanted.retain(|name| there.contains(name));
        chain.want_what_is_there();
        chain
    }

    fn add(
        &mut self,
        name: Name,
        machine: &Machine,
        choices: Choices,
        libvirt: Option<&str>,
    ) -> Result<(), Error> {
        if let (Name::Domains, Some(unit), false) = (name, libvirt, choices.domains) {
            self.remarks.push(format!(
                "xen-domains is left out: {unit} is enabled and starts domains itself (--domains)"
            ));
            return Ok(());
        }
        let is_asked_for = match name {
            Name::Qemu => machine.settings.get("QEMU_XEN").is_some(),
            Name::Watchdog => choices.watchdog || machine.settings.get("XENWATCHDOGD").is_some(),
            Name::Domains => choices.domains,
            _ => true,
        };
        let service = match chain::service(name, machine) {
            Err(Error::NotInstalled { tool, .. }) if !is_asked_for => {
                let name = name.as_str();
                let what = format!("{name} is left out: {tool} is not installed");
                self.absent.push(what);
                return Ok(());
            }
            result => result?,
        };
        if name != Name::Watchdog || choices.watchdog {
            self.wanted.push(name);
        }
        self.services.push(service);
        Ok(())
    }

    /// An order towards a link that is not there is harmless; to want it would
    /// be an error in every boot's log.
    fn want_what_is_there(&mut self) {
        let present: Vec<Name> = self.services.iter().map(|service| service.name).collect();
        for service in &mut self.services {
            service.keep_wants_among(&present);
        }
    }

    /// With a store that takes its sockets from systemd. Wanted by nobody else,
    /// they come with it.
    #[must_use]
    pub fn with_store_socket(mut self) -> Self {
        for service in &mut self.services {
            if service.name == Name::Store {
                service.after.push(Peer::StoreSocket);
                service.requires.push(Peer::StoreSocket);
            }
        }
        self
    }

    /// Without what cannot be had under that init system. A supervisor has to
    /// be the watchdog's parent to send it the right signal, and before 4.19
    /// that one always goes to the background.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn for_init(
        mut self,
        init: Init,
        machine: &Machine,
        choices: Choices,
    ) -> Result<Self, Error> {
        if init != Init::Systemd && !choices.domains && self.wanted.contains(&Name::Domains) {
            let link = rivals::link_of(&machine.root, "libvirtd")?;
            if let Some(link) = link {
                self.services
                    .retain(|service| service.name != Name::Domains);
                self.wanted.retain(|name| *name != Name::Domains);
                self.remarks.push(format!(
                    "xen-domains is left out: libvirtd is enabled ({link}) and starts domains \
                     itself (--domains)"
                ));
            }
        }
        let supervises = matches!(init, Init::Runit | Init::S6 | Init::Dinit);
        let forks = |service: &Service| service.process == Process::Forks;
        if supervises && self.services.iter().any(forks) {
            self.services.retain(|service| !forks(service));
            let version = machine
                .version
                .map_or("of unknown version".to_owned(), |v| v.to_string());
            let said = if self.wanted.contains(&Name::Watchdog) {
                &mut self.remarks
            } else {
                &mut self.absent
            };
            said.push(format!(
                "xen-watchdog is left out: that of Xen {version} cannot stay in the foreground, \
                 and only its parent could disarm it (from 4.19 on it can)"
            ));
            self.wanted.retain(|name| *name != Name::Watchdog);
        }
        Ok(self)
    }
}
