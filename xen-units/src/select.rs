//! Which links a machine has, and which of them are started together.

use crate::Error;
use crate::chain;
use crate::cli::{Generate, Init};
use crate::machine::Machine;
use crate::model::{Name, Process, Service};
use crate::rivals;

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
            if self.wanted.contains(&Name::Watchdog) {
                let version = machine
                    .version
                    .map_or("of unknown version".to_owned(), |v| v.to_string());
                self.remarks.push(format!(
                    "xen-watchdog is left out: that of Xen {version} cannot stay in the foreground, \
                     and only its parent could disarm it (from 4.19 on it can)"
                ));
            }
            self.wanted.retain(|name| *name != Name::Watchdog);
        }
        Ok(self)
    }
}
