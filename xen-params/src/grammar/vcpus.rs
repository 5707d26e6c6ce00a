//! The value of `dom0_max_vcpus=`.

use super::size::number;
use crate::Arch;

/// How many virtual processors Dom0 has: as many as the host has processors,
/// but within these bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vcpus {
    /// At least so many; at least one.
    pub least: u64,
    /// At most so many; `None`: no bound.
    pub most: Option<u64>,
}

impl Vcpus {
    /// Reads `N`, `N-`, `-M` or `N-M`; on Arm, where it is an integer, only `N`,
    /// and 0 for as many as the host has.
    ///
    /// # Errors
    /// What is wrong, in words. Xen itself would take `0` for 1, leave Dom0
    /// without a processor for `-0`, and let the second number win in `4-2`.
    pub fn parse(text: &str, arch: Arch) -> Result<Self, String> {
        if arch == Arch::Aarch64 {
            return match number(text) {
                Ok(number) if number.rest.is_empty() => Ok(Self {
                    least: number.value.max(1),
                    most: Some(number.value).filter(|most| *most > 0),
                }),
                _ => Err(format!(
                    "{text:?} is no number of processors; on Arm there is no range"
                )),
            };
        }
        let vcpus = match text.split_once('-') {
            None => {
                let exact = count(text)?;
                Self {
                    least: exact,
                    most: Some(exact),
                }
            }
            Some(("", most)) => Self {
                least: 1,
                most: Some(count(most)?),
            },
            Some((least, "")) => Self {
                least: count(least)?,
                most: None,
            },
            Some((least, most)) => Self {
                least: count(least)?,
                most: Some(count(most)?),
            },
        };
        match vcpus.most {
            Some(most) if most < vcpus.least => {
                Err(format!("{text:?}: {most} is less than {}", vcpus.least))
            }
            _ => Ok(vcpus),
        }
    }
}

fn count(text: &str) -> Result<u64, String> {
    match number(text) {
        Ok(number) if number.rest.is_empty() && number.value > 0 => Ok(number.value),
        _ => Err(format!(
            "{text:?} is no number of processors: N, N-, -M or N-M, from 1"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_forms() {
        let read = |text| Vcpus::parse(text, Arch::X86_64).map(|vcpus| (vcpus.least, vcpus.most));
        assert_eq!(read("4"), Ok((4, Some(4))));
        assert_eq!(read("4-"), Ok((4, None)));
        assert_eq!(read("-8"), Ok((1, Some(8))));
        assert_eq!(read("4-8"), Ok((4, Some(8))));
    }

    #[test]
    fn refuses_what_leaves_dom0_without_a_processor_or_makes_no_sense() {
        for text in [
            "", "-", "0", "-0", "0-4", "8-4", "4-8-", "x", "4x", "4 -8", "--4",
        ] {
            assert!(Vcpus::parse(text, Arch::X86_64).is_err(), "{text}");
        }
    }

    #[test]
    fn arm_knows_no_range() {
        let read = |text| Vcpus::parse(text, Arch::Aarch64).map(|vcpus| (vcpus.least, vcpus.most));
        assert_eq!(read("4"), Ok((4, Some(4))));
        assert_eq!(read("0"), Ok((1, None)));
        for text in ["", "2-8", "-4", "4-", "x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
