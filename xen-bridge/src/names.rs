//! Names of interfaces, checked before the kernel is asked.

use std::fmt;
use std::str::FromStr;

/// The longest name, without its final zero (`IFNAMSIZ`, `linux/if.h`).
pub const LONGEST: usize = 15;

/// A name that the kernel takes for an interface as it stands.
///
/// Asked itself, the kernel answers a name that is too long with "Numerical
/// result out of range", and takes `xenbr%d` for a pattern to number by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for InterfaceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let why = if name.is_empty() {
            "an interface name cannot be empty"
        } else if name.len() > LONGEST {
            return Err(format!(
                "an interface name has at most {LONGEST} bytes, this one has {}",
                name.len()
            ));
        } else if matches!(name, "." | ".." | "all" | "default") {
            "the kernel keeps this name for itself"
        } else if name.bytes().any(is_refused) {
            "an interface name has no '/', ':', '%', white space or control characters"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(why.to_owned())
    }
}

/// 0xa0 is a space to the kernel's `isspace`, also inside a UTF-8 letter.
fn is_refused(byte: u8) -> bool {
    matches!(byte, b'/' | b':' | b'%' | b' ' | 0xa0) || byte.is_ascii_control()
}

/// The interface is a guest's: Xen names them `vif1.0`, and `tap1.0` or
/// `vif1.0-emu` where qemu emulates a card (`libxl_nic.c`).
#[must_use]
pub fn is_guests(name: &str) -> bool {
    name.starts_with("vif") || name.starts_with("tap")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_kernel_takes() {
        for name in ["xenbr0", "a", "eth0.100", "123456789012345", "br-é", "-x"] {
            assert!(name.parse::<InterfaceName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_what_the_kernel_would_misread() {
        for name in [
            "",
            ".",
            "..",
            "1234567890123456",
            "a/b",
            "a b",
            "a\tb",
            "a:b",
            "xenbr%d",
            "all",
            "default",
            "a\u{7f}",
            "à",
            "ééééééé12",
        ] {
            assert!(name.parse::<InterfaceName>().is_err(), "{name}");
        }
    }

    #[test]
    fn knows_guests_by_their_names() {
        assert!(is_guests("vif1.0") && is_guests("tap3.1") && is_guests("vif1.0-emu"));
        assert!(!is_guests("eth0") && !is_guests("xenbr0"));
    }
}
