//! Tells the service manager how it goes: the datagrams of sd_notify(3).

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::Error;

/// The way to the service manager, where there is one that wants to know.
pub(crate) struct Notify {
    to: Option<Manager>,
}

struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    name: OsString,
}

impl Notify {
    /// From `$NOTIFY_SOCKET`: a path, or `@` and an abstract name.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let Some(name) = name else {
            return Ok(Self { to: None });
        };
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(rest) => SocketAddr::from_abstract_name(rest),
            None => SocketAddr::from_pathname(&name),
        };
        let address = address.map_err(|source| failed(&name, source))?;
        let socket = UnixDatagram::unbound().map_err(|source| failed(&name, source))?;
        // A manager that does not read must not keep us from the store.
        socket
            .set_nonblocking(true)
            .map_err(|source| failed(&name, source))?;
        let to = Some(Manager {
            socket,
            address,
            name,
        });
        Ok(Self { to })
    }

    /// Sends it, for example `READY=1`. `false`: the manager has not yet read
    /// what it was told before, and did not take this.
    pub(crate) fn send(&self, state: &str) -> Result<bool, Error> {
        let Some(manager) = &self.to else {
            return Ok(true);
        };
        let sent = manager
            .socket
            .send_to_addr(state.as_bytes(), &manager.address);
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(failed(&manager.name, error)),
        }
    }
}

fn failed(name: &OsStr, source: io::Error) -> Error {
    Error::system(format!("notify {}", name.to_string_lossy()), source)
}

/// A store has more to do than to answer more often than this.
const SHORTEST: Duration = Duration::from_millis(1);

/// How often the service manager wants to hear `WATCHDOG=1`: twice as often as
/// `$WATCHDOG_USEC` says, if it means this process (sd_watchdog_enabled(3)).
pub(crate) fn watchdog_interval() -> Option<Duration> {
    interval(
        env::var("WATCHDOG_USEC").ok().as_deref(),
        env::var("WATCHDOG_PID").ok().as_deref(),
        std::process::id(),
    )
}

fn interval(microseconds: Option<&str>, pid: Option<&str>, this: u32) -> Option<Duration> {
    if pid.is_some_and(|pid| !pid.is_empty() && pid != this.to_string()) {
        return None;
    }
    let microseconds: u64 = microseconds?.parse().ok()?;
    let time = Duration::from_micros(microseconds) / 2;
    (microseconds > 0).then(|| time.max(SHORTEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_heard_twice_in_each_period() {
        let second = Some(Duration::from_millis(500));
        assert_eq!(interval(Some("1000000"), None, 7), second);
        assert_eq!(interval(Some("1000000"), Some("7"), 7), second);
    }

    #[test]
    fn is_heard_however_short_the_period() {
        assert_eq!(interval(Some("1"), None, 7), Some(SHORTEST));
    }

    #[test]
    fn is_not_asked_of_another_process() {
        assert_eq!(interval(Some("1000000"), Some("8"), 7), None);
        assert_eq!(interval(Some("0"), None, 7), None);
        assert_eq!(interval(Some("often"), None, 7), None);
        assert_eq!(interval(None, None, 7), None);
    }
}
