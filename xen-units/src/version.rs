//! Versions of Xen.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::root::Root;

/// A version as far as it decides anything: `4.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct XenVersion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl XenVersion {
    /// From here on the store daemon makes its own socket (Xen commit 976ce01e10).
    pub const OWN_SOCKET: Self = Self::new(4, 8);
    /// From here on xenwatchdogd has `-F` and can stay in the foreground.
    pub const WATCHDOG_FOREGROUND: Self = Self::new(4, 19);

    const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The hypervisor's that runs, from `/sys/hypervisor/version`.
    #[must_use]
    pub fn running(root: &Root) -> Option<Self> {
        let folder = Path::new("/sys/hypervisor/version");
        let number = |name: &str| {
            let text = root.read(&folder.join(name)).ok().flatten()?;
            text.trim().parse().ok()
        };
        Some(Self::new(number("major")?, number("minor")?))
    }

    /// The newest whose tools are installed as Debian does, in
    /// `/usr/lib/xen-VERSION`: the one GRUB boots unless told otherwise.
    #[must_use]
    pub fn newest_installed(root: &Root) -> Option<Self> {
        let names = root.names(Path::new("/usr/lib")).ok()?;
        let versions = names.iter().filter_map(|name| name.strip_prefix("xen-"));
        versions.filter_map(|text| text.parse().ok()).max()
    }
}

impl fmt::Display for XenVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for XenVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.splitn(3, '.');
        let mut number = || numbers.next().and_then(|part| part.parse().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Self::new(major, minor)),
            _ => Err("not a version such as 4.17".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_numbers_not_letters() {
        let parse = |text: &str| text.parse::<XenVersion>();
        assert!(parse("4.8").unwrap() < parse("4.17").unwrap());
        assert_eq!(parse("4.17.5"), parse("4.17"));
        assert!(parse("4").is_err());
        assert!(parse("common").is_err());
        assert!(parse("4.17-rc1").is_err());
    }
}
