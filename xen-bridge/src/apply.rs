//! One request a step, no decisions; and the way back.

use nix::errno::Errno;

use crate::Error;
use crate::facts::{Interface, read_link};
use crate::netlink::{Connection, Failure, Outcome};
use crate::record::{Lock, Record};
use crate::request::{self, MAKE, Request};
use crate::step::{Change, Step};

/// What steps are done with: the kernel, the lock, and the bridge. It
/// remembers what it did, so that this can be taken back.
#[derive(Debug)]
pub struct Hands<'a> {
    /// The way to the kernel.
    pub connection: &'a mut Connection,
    lock: &'a Lock,
    bridge: Interface,
    done: Vec<Change>,
}

/// How a row of changes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All are done.
    Done,
    /// Somebody else did one of them in the meantime: look again.
    Overtaken,
}

impl<'a> Hands<'a> {
    /// Hands for one bridge; its number is 0 as long as it is not known.
    pub fn new(connection: &'a mut Connection, lock: &'a Lock, bridge: Interface) -> Self {
        Self {
            connection,
            lock,
            bridge,
            done: vec![],
        }
    }

    /// From here on it is this bridge.
    pub fn take_up(&mut self, bridge: Interface) {
        self.bridge = bridge;
    }

    /// Does the changes in order, and tells each to `done`.
    ///
    /// # Errors
    /// The failure of a step; what was done before it remains, until
    /// [`Hands::take_back`].
    pub fn perform(
        &mut self,
        changes: Vec<Change>,
        done: &mut dyn FnMut(&Step),
    ) -> Result<Ending, Error> {
        for change in changes {
            match self.apply(&change.step) {
                Ok(()) => {
                    done(&change.step);
                    self.done.push(change);
                }
                Err(error) if is_there_already(&change.step, &error) => {
                    if matches!(change.step, Step::Make { .. }) {
                        // It is somebody else's, and must not be taken for ours.
                        self.done.pop();
                        self.apply(&Step::Forget)?;
                    }
                    return Ok(Ending::Overtaken);
                }
                Err(error) => {
                    if may_have_happened(&change.step, &error) {
                        self.done.push(change);
                    }
                    return Err(error);
                }
            }
        }
        Ok(Ending::Done)
    }

    /// Takes back what was done, the last first, and as much as can be. Gives
    /// the error that is to be told.
    #[must_use]
    pub fn take_back(&mut self, cause: Error) -> Error {
        let mut failed = None;
        while let Some(change) = self.done.pop() {
            for undo in &change.undo {
                if failed.is_some() && *undo == Step::Forget {
                    // Something of ours is left: `down` can try again.
                    continue;
                }
                if let Err(error) = self.take_away(undo) {
                    failed = failed.or(Some(Box::new(error)));
                }
            }
        }
        match failed {
            None => cause,
            Some(undoing) => Error::HalfWay {
                cause: Box::new(cause),
                undoing,
            },
        }
    }

    /// Does one step; what it would take away may be gone already.
    ///
    /// # Errors
    /// As for [`Hands::apply`].
    pub fn take_away(&mut self, step: &Step) -> Result<(), Error> {
        self.apply(step).or_else(|error| {
            let gone = [Errno::ENODEV, Errno::EADDRNOTAVAIL];
            if gone.into_iter().any(|errno| is_refusal(&error, errno)) {
                return Ok(());
            }
            Err(error)
        })
    }

    /// Does one step.
    ///
    /// # Errors
    /// The kernel's refusal, in the words of the step.
    pub fn apply(&mut self, step: &Step) -> Result<(), Error> {
        let (message, flags) = match step {
            Step::Make { mac, settings } => (
                request::make_bridge(&self.bridge.name, *mac, settings),
                MAKE,
            ),
            // Also where the number was never learnt.
            Step::Remove => {
                let Interface { index, name } = &self.bridge;
                (request::remove_link(*index, name), 0)
            }
            Step::Intend(record) => return self.lock.write(record),
            Step::Keep(record) => {
                let ifindex = self.number(step)?;
                return self.lock.write(&Record {
                    ifindex,
                    ..record.clone()
                });
            }
            Step::Forget => return self.lock.forget(&self.bridge.name),
            Step::Set(settings) => (request::set_bridge(self.number(step)?, settings), 0),
            Step::SetMac(mac) => (request::set_mac(self.number(step)?, *mac), 0),
            Step::SetMtu(mtu) => (request::set_mtu(self.number(step)?, *mtu), 0),
            Step::SetUp(up) => (request::set_up(self.number(step)?, *up), 0),
            Step::AddPort(port) => (request::set_master(port.index, self.number(step)?), 0),
            Step::ReleasePort(port) => (request::set_master(port.index, 0), 0),
            Step::SetPortUp(port, up) => (request::set_up(port.index, *up), 0),
            Step::AddAddress(cidr) => (request::add_address(self.number(step)?, cidr), MAKE),
            Step::RemoveAddress(cidr) => (request::remove_address(self.number(step)?, cidr), 0),
        };
        self.change(step, message, flags)
    }

    fn change(&mut self, step: &Step, message: Request, flags: u16) -> Result<(), Error> {
        self.connection
            .change(message, flags)
            .map_err(|failure| explain(step, &self.bridge.name, failure))
    }

    /// The kernel numbers a bridge that it makes, and only says how when asked.
    fn number(&mut self, step: &Step) -> Result<u32, Error> {
        if self.bridge.index == 0 {
            let name = &self.bridge.name;
            let link = read_link(self.connection, name)?;
            let link = link.ok_or_else(|| Error::system(step.doing(name), Errno::ENODEV))?;
            self.bridge.index = link.index;
        }
        Ok(self.bridge.index)
    }
}

fn explain(step: &Step, bridge: &str, failure: Failure) -> Error {
    if !failure.is(Errno::EOPNOTSUPP) {
        return Error::netlink(step.doing(bridge), failure);
    }
    match step {
        // An unknown kind of link is explained, this setting is not.
        Step::Make { settings, .. } | Step::Set(settings)
            if settings.vlan_filtering.is_some() && failure.text.is_none() =>
        {
            Error::NoVlanFiltering(bridge.to_owned())
        }
        Step::Make { .. } => Error::NoBridges(bridge.to_owned()),
        // Some drivers forbid it, those of wireless stations among them.
        Step::AddPort(port) => Error::UnfitPort {
            port: port.name.clone(),
            why: failure.to_string(),
        },
        _ => Error::netlink(step.doing(bridge), failure),
    }
}

fn is_refusal(error: &Error, errno: Errno) -> bool {
    match error {
        Error::Netlink { failure, .. } => failure.outcome == Outcome::Refused && failure.is(errno),
        _ => false,
    }
}

fn is_there_already(step: &Step, error: &Error) -> bool {
    matches!(step, Step::Make { .. } | Step::AddAddress(_)) && is_refusal(error, Errno::EEXIST)
}

/// The step failed, but the kernel may have done it, or a part of it.
fn may_have_happened(step: &Step, error: &Error) -> bool {
    match (step, error) {
        // Of several settings, those before the refused one are set; but who
        // may not set one sets none.
        (Step::Set(_), Error::Netlink { failure, .. }) if error.exit_status() != 4 => {
            failure.outcome != Outcome::NotSent
        }
        (_, Error::Netlink { failure, .. }) => failure.outcome == Outcome::Unknown,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Settings;

    fn not_supported(step: &Step, text: Option<&str>) -> Error {
        let failure = Failure {
            outcome: Outcome::Refused,
            source: Errno::EOPNOTSUPP.into(),
            text: text.map(str::to_owned),
        };
        explain(step, "xenbr0", failure)
    }

    #[test]
    fn tells_apart_what_a_kernel_lacks() {
        let make = |vlan_filtering| Step::Make {
            mac: None,
            settings: Settings {
                vlan_filtering,
                ..Settings::default()
            },
        };
        let port = Interface {
            index: 3,
            name: "wlan0".to_owned(),
        };
        for (step, text, expected, status) in [
            (
                make(None),
                None,
                "make bridge xenbr0: this kernel has no bridges (CONFIG_BRIDGE)",
                5,
            ),
            (
                make(Some(true)),
                Some("Unknown device type"),
                "make bridge xenbr0: this kernel has no bridges (CONFIG_BRIDGE)",
                5,
            ),
            (
                make(Some(true)),
                None,
                "bridge xenbr0: this kernel has no VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)",
                5,
            ),
            (
                Step::AddPort(port),
                Some("Device does not allow enslaving to a bridge"),
                "port wlan0: Operation not supported (os error 95): \
                 Device does not allow enslaving to a bridge",
                6,
            ),
        ] {
            let error = not_supported(&step, text);
            assert_eq!(
                (error.to_string().as_str(), error.exit_status()),
                (expected, status)
            );
        }
    }
}
