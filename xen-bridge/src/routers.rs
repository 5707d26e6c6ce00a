//! Whether an interface heeds what IPv6 routers announce.

use std::fs;
use std::path::Path;

/// What `/proc/sys/net/ipv6/conf` says of an interface (kernel
/// documentation, `ip-sysctl`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heeding {
    /// 0: never; 1: unless it forwards; 2: always.
    pub accept_ra: u8,
    /// It forwards packets.
    pub forwarding: bool,
}

impl Heeding {
    /// Of an interface; `default` is one that is to be made. `None`: the
    /// kernel has no IPv6, or does not say.
    #[must_use]
    pub fn read(root: &Path, interface: &str) -> Option<Self> {
        let folder = root.join("proc/sys/net/ipv6/conf").join(interface);
        let number = |file: &str| -> Option<u8> {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            text.trim().parse().ok()
        };
        Some(Self {
            accept_ra: number("accept_ra")?,
            forwarding: number("forwarding")? != 0,
        })
    }

    /// What routers announce becomes addresses and routes.
    #[must_use]
    pub fn heeds(self) -> bool {
        self.accept_ra > 1 || (self.accept_ra == 1 && !self.forwarding)
    }

    /// The `accept_ra` that has an interface which is like this one heed
    /// routers as the uplink does; `None`: its own.
    #[must_use]
    pub fn as_uplink(self, uplink: Self) -> Option<u8> {
        let accept_ra = uplink.accept_ra;
        let copied = Self { accept_ra, ..self };
        let accept_ra = match (uplink.heeds(), copied.heeds()) {
            (true, false) => 2,
            (false, true) => 0,
            _ => accept_ra,
        };
        Some(accept_ra).filter(|accept_ra| *accept_ra != self.accept_ra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heeds_routers_as_the_uplink_does() {
        let of = |accept_ra, forwarding| Heeding {
            accept_ra,
            forwarding,
        };
        for (bridge, uplink, accept_ra) in [
            (of(1, false), of(1, false), None),
            (of(0, false), of(1, false), Some(1)),
            (of(1, false), of(2, false), Some(2)),
            (of(1, false), of(0, false), Some(0)),
            // A bridge that forwards heeds them only if it always does.
            (of(1, true), of(1, false), Some(2)),
            (of(1, false), of(1, true), Some(0)),
            (of(1, true), of(1, true), None),
        ] {
            assert_eq!(bridge.as_uplink(uplink), accept_ra, "{bridge:?} {uplink:?}");
        }
    }
}
