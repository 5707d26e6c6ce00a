//! One request a step, no decisions; and the way back.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::Error;
use crate::events::{Events, LINKS};
use crate::facts::Interface;
use crate::files::Lock;
use crate::lookups::read_link;
use crate::netlink::{Connection, Failure, Outcome};
use crate::record::Record;
use crate::settings::VLAN_FILTERING;
use crate::signals::Signals;
use crate::step::{Change, Step};

/// How long a bridge may take to notice its port's carrier.
const AWAIT: Duration = Duration::from_secs(3);

/// What steps are done with: the kernel, the lock, and the bridge. It
/// remembers what it did, so that this can be taken back.
#[derive(Debug)]
pub struct Hands<'a> {
    /// The way to the kernel.
    pub connection: &'a mut Connection,
    lock: &'a Lock,
    bridge: Interface,
    signals: Option<&'a Signals>,
    deadline: Option<Instant>,
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
            signals: None,
            deadline: None,
            done: vec![],
        }
    }

    /// Stops between two steps when such a signal came.
    #[must_use]
    pub fn heeding(self, signals: &'a Signals) -> Self {
        Self {
            signals: Some(signals),
            ..self
        }
    }

    /// Waits for no carrier any longer than until then, when all is put back.
    #[must_use]
    pub fn until(self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// The bridge's number, which the kernel is asked for if need be.
    ///
    /// # Errors
    /// It is gone.
    pub fn bridge_number(&mut self) -> Result<u32, Error> {
        self.number(&Step::SetUp(true))
    }

    /// Nothing was done, or all of it was taken back.
    #[must_use]
    pub fn has_done_nothing(&self) -> bool {
        self.done.is_empty()
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
            if let Some(signal) = self.signals.and_then(Signals::taken) {
                return Err(Error::Interrupted(signal));
            }
            let result = match &change.step {
                // It may have gone along with another, or be there.
                Step::Take(..) | Step::Give(..) => self.take_away(&change.step),
                step => self.apply(step),
            };
            match result {
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
            // Gone, or back, already.
            let so = [
                Errno::ENODEV,
                Errno::EADDRNOTAVAIL,
                Errno::ENOENT,
                Errno::ESRCH,
                Errno::EEXIST,
            ];
            let is_so = so.into_iter().any(|errno| is_refusal(&error, errno));
            // A kernel without it does not switch it off either.
            let is_so = is_so || self.is_set_so(step);
            // The setting of a bridge that is gone.
            let is_gone = match &error {
                Error::System { source, .. } => source.kind() == io::ErrorKind::NotFound,
                _ => false,
            };
            if is_so || is_gone { Ok(()) } else { Err(error) }
        })
    }

    /// It is a setting that the bridge has.
    fn is_set_so(&mut self, step: &Step) -> bool {
        let Some(settings) = step.settings() else {
            return false;
        };
        let link = read_link(self.connection, &self.bridge.name);
        let link = link.ok().flatten();
        link.is_some_and(|link| link.bridge.settings.differing(&settings).is_empty())
    }

    /// Does one step.
    ///
    /// # Errors
    /// The kernel's refusal, in the words of the step.
    pub fn apply(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Intend(record) => return self.lock.write(record),
            Step::Keep(record) => {
                let ifindex = self.number(step)?;
                return self.lock.write(&Record {
                    ifindex,
                    ..record.clone()
                });
            }
            Step::Forget => return self.lock.forget(&self.bridge.name),
            Step::Await => return self.await_bridge(),
            Step::HeedRouters(accept) => {
                let folder = Path::new("/proc/sys/net/ipv6/conf").join(&self.bridge.name);
                return fs::write(folder.join("accept_ra"), accept.to_string())
                    .map_err(|error| Error::system(step.doing(&self.bridge.name), error));
            }
            _ => {}
        }
        let request = match step.request(&self.bridge) {
            None => {
                self.number(step)?;
                step.request(&self.bridge)
            }
            request => request,
        };
        let Some((message, flags)) = request else {
            return Ok(());
        };
        self.connection
            .change(message, flags)
            .map_err(|failure| explain(step, &self.bridge.name, failure))
    }

    /// Until what is sent through the bridge is no longer thrown away. If that
    /// takes too long there is nothing better than to go on.
    fn await_bridge(&mut self) -> Result<(), Error> {
        let events = Events::open(LINKS)?;
        let longest = Instant::now() + AWAIT;
        let deadline = self.deadline.map_or(longest, |it| it.min(longest));
        loop {
            let link = read_link(self.connection, &self.bridge.name)?;
            if link.is_none_or(|link| link.running) || !events.wait(deadline)? {
                return Ok(());
            }
            // Only that something was told matters: it is looked at again.
            let _ = events.take();
        }
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
            if settings.0[VLAN_FILTERING].is_some() && failure.text.is_none() =>
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
        (Step::Set(_), Error::NoVlanFiltering(_)) => true,
        (_, Error::Netlink { failure, .. }) => failure.outcome == Outcome::Unknown,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

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
            settings: Settings::only(VLAN_FILTERING, vlan_filtering),
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
                make(Some(1)),
                Some("Unknown device type"),
                "make bridge xenbr0: this kernel has no bridges (CONFIG_BRIDGE)",
                5,
            ),
            (
                make(Some(1)),
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
