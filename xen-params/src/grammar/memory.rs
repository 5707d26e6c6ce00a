//! The value of `dom0_mem=`.

use super::size::{Size, number, size};
use crate::Arch;

/// What an amount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What Dom0 gets.
    Exact,
    /// At least so much (`min:`).
    Least,
    /// At most so much, now and by ballooning (`max:`).
    Most,
}

/// One amount of memory: a size, a share of the host's, or their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// What it is for.
    pub bound: Bound,
    /// It is taken from the host's memory: all but so much.
    pub minus: bool,
    /// The fixed part.
    pub size: Option<Size>,
    /// The share of the host's memory, in percent, below 100.
    pub percent: Option<u8>,
}

/// The value of `dom0_mem=`: amounts with commas between them on x86, one
/// size on Arm. Where a bound is named twice the later wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// In their order.
    pub amounts: Vec<Amount>,
}

impl Memory {
    /// Reads a value as Xen does on that machine.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str, arch: Arch) -> Result<Self, String> {
        match arch {
            Arch::Aarch64 => {
                let size = super::parse_size(text)?;
                Ok(Self {
                    amounts: vec![Amount {
                        bound: Bound::Exact,
                        minus: false,
                        size: Some(size),
                        percent: None,
                    }],
                })
            }
            Arch::X86_64 => {
                let amounts: Result<_, String> = text.split(',').map(amount).collect();
                Ok(Self { amounts: amounts? })
            }
        }
    }

    /// The amount that holds for a bound.
    #[must_use]
    pub fn last(&self, bound: Bound) -> Option<&Amount> {
        self.amounts.iter().rfind(|amount| amount.bound == bound)
    }
}

fn amount(text: &str) -> Result<Amount, String> {
    let (bound, rest) = match (text.strip_prefix("min:"), text.strip_prefix("max:")) {
        (Some(rest), _) => (Bound::Least, rest),
        (_, Some(rest)) => (Bound::Most, rest),
        _ => (Bound::Exact, text),
    };
    let bad = || {
        format!(
            "{text:?} is no amount of memory: [min:|max:] and then SIZE, -SIZE, N% or SIZE+N% \
             with N below 100"
        )
    };
    let minus = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    if let Some(percent) = percent(rest)? {
        return Ok(Amount {
            bound,
            minus,
            size: None,
            percent: Some(percent.map_err(|()| bad())?),
        });
    }
    let (fixed, rest) = size(rest)?;
    let share = match rest.strip_prefix('+') {
        None if rest.is_empty() => None,
        None => return Err(bad()),
        Some(share) if !share.starts_with(|c: char| c.is_ascii_digit()) => return Err(bad()),
        Some(share) => match percent(share)? {
            Some(Ok(percent)) => Some(percent),
            _ => return Err(bad()),
        },
    };
    Ok(Amount {
        bound,
        minus,
        size: Some(fixed),
        percent: share,
    })
}

/// `N%` and nothing after it; `None` where no `%` follows the number. The
/// inner error: too many, or something does follow.
fn percent(text: &str) -> Result<Option<Result<u8, ()>>, String> {
    let number = number(text)?;
    Ok(number.rest.strip_prefix('%').map(|rest| {
        if !rest.is_empty() || number.value >= 100 {
            return Err(());
        }
        u8::try_from(number.value).map_err(|_| ())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x86(text: &str) -> Result<Memory, String> {
        Memory::parse(text, Arch::X86_64)
    }

    #[test]
    fn reads_every_form_of_the_manual() {
        for text in [
            "1G",
            "-256M",
            "min:1G",
            "max:8G",
            "50%",
            "1G+25%",
            "min:512M,max:10%,1G+25%",
            "max:-1G",
            "0",
            "512",
        ] {
            assert!(x86(text).is_ok(), "{text}");
        }
        let memory = x86("1G+25%,max:8G").unwrap();
        assert_eq!(memory.amounts[0].percent, Some(25));
        assert_eq!(
            memory.last(Bound::Most).unwrap().size.unwrap().bytes,
            8 << 30
        );
        assert!(x86("-256M").unwrap().amounts[0].minus);
    }

    #[test]
    fn refuses_what_xen_refuses() {
        for text in [
            "",
            ",",
            "1G,",
            "G",
            "100%",
            "25%+1G",
            "1G+1G",
            "1G+",
            "1G+25",
            "1G25%",
            "max:",
            "mini:1G",
            "--1G",
            "1.5G",
            "+1G",
            "1G+25%x",
            "10G%",
            "max:min:1G",
            "min:1G max:2G",
        ] {
            assert!(x86(text).is_err(), "{text}");
        }
    }

    #[test]
    fn arm_takes_one_size() {
        assert!(Memory::parse("512M", Arch::Aarch64).is_ok());
        for text in ["", "1G,max:2G", "max:1G", "50%", "-1G"] {
            assert!(Memory::parse(text, Arch::Aarch64).is_err(), "{text}");
        }
    }

    #[test]
    fn the_later_of_two_bounds_holds() {
        let memory = x86("max:1G,max:2G").unwrap();
        let most = memory.last(Bound::Most).unwrap();
        assert_eq!(most.size.unwrap().bytes, 2 << 30);
        assert_eq!(memory.last(Bound::Exact), None);
    }
}
