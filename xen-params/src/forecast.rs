//! What Dom0 gets on a given host, reckoned as Xen does at boot
//! (`xen/arch/x86/dom0_build.c`).

use std::path::Path;

use crate::grammar::{Amount, Bound, Memory, Size, Vcpus, parse_size};
use crate::target::{below, read_if_there};
use crate::{Arch, Error};

const PAGE: u64 = 4096;

/// A PV domain has no more.
const VCPUS_MAX: u64 = 8192;

/// A PVH domain has no more, nor has one on Arm; older interrupt controllers
/// there lower that to 8.
pub(crate) const VCPUS_MAX_PVH: u64 = 128;

/// The machine that Xen runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host {
    /// The bytes of memory that are free when Dom0 is made: what the machine
    /// has, but for what Xen itself took.
    pub memory: Option<u64>,
    /// The processors that Xen uses.
    pub cpus: Option<u64>,
}

impl Host {
    /// What is given, else what Linux tells of this machine. Under Xen that is
    /// only what Dom0 has, so there nothing is known that is not given.
    ///
    /// # Errors
    /// A size or a number that is none.
    pub fn read(memory: Option<&str>, cpus: Option<u64>, root: &Path) -> Result<Self, Error> {
        let under_xen = below(root, Path::new("/sys/hypervisor/type")).exists();
        let told = |path: &str| -> Option<String> {
            let path = below(root, Path::new(path));
            read_if_there(&path).ok().flatten().filter(|_| !under_xen)
        };
        Ok(Self {
            memory: match memory {
                Some(text) => Some(host_memory(text)?),
                None => told("/proc/meminfo").as_deref().and_then(mem_total),
            },
            cpus: cpus.or_else(|| {
                told("/sys/devices/system/cpu/online")
                    .as_deref()
                    .and_then(count)
            }),
        })
    }
}

/// A bare number is in MiB, as everywhere on this command line.
fn host_memory(text: &str) -> Result<u64, Error> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let with_unit = if is_number {
        format!("{text}M")
    } else {
        text.to_owned()
    };
    match parse_size(&with_unit) {
        Ok(size) => Ok(size.bytes),
        Err(what) => Err(Error::Usage(format!("--host-mem: {what}"))),
    }
}

fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// How many a list such as `0-3,8` names.
fn count(list: &str) -> Option<u64> {
    let mut all = 0;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        all += last.checked_sub(first)? + 1;
    }
    Some(all)
}

/// The memory that Dom0 gets, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryForecast {
    /// When it starts.
    pub now: u64,
    /// What it may grow to; `None`: no bound.
    pub most: Option<u64>,
}

impl Memory {
    /// What it gives on a host with that much memory, in bytes.
    #[must_use]
    pub fn forecast(&self, host: u64, arch: Arch) -> MemoryForecast {
        let free = host / PAGE;
        let pages = |bound| self.last(bound).map_or(0, |amount| pages(amount, free));
        if arch == Arch::Aarch64 {
            let now = pages(Bound::Exact) * PAGE;
            return MemoryForecast {
                now,
                most: Some(now),
            };
        }
        let wanted = match pages(Bound::Exact) {
            // All but a sixteenth, which is at most 128 MiB.
            0 => free - (free / 16).min((128 << 20) / PAGE),
            wanted => wanted,
        };
        let most = self
            .last(Bound::Most)
            .map(|amount| self::pages(amount, free));
        let now = wanted
            .max(pages(Bound::Least))
            .min(most.unwrap_or(u64::MAX))
            .min(free);
        MemoryForecast {
            now: now * PAGE,
            most: most.map(|pages| pages.saturating_mul(PAGE)),
        }
    }
}

fn pages(amount: &Amount, free: u64) -> u64 {
    let fixed = amount.size.map_or(0, |size| size.bytes / PAGE);
    let share = u64::from(amount.percent.unwrap_or(0));
    let pages = fixed.saturating_add(share.saturating_mul(free) / 100);
    if amount.minus {
        // Xen does not look whether there is so much.
        free.wrapping_sub(pages)
    } else {
        pages
    }
}

impl Vcpus {
    /// How many it gives on a host with that many processors.
    #[must_use]
    pub fn forecast(&self, cpus: u64, arch: Arch) -> u64 {
        let most = match arch {
            Arch::X86_64 => VCPUS_MAX,
            Arch::Aarch64 => VCPUS_MAX_PVH,
        };
        cpus.max(self.least)
            .min(self.most.unwrap_or(u64::MAX))
            .min(most)
    }
}

/// A number of bytes for people, in MiB where it is no whole number of GiB.
pub(crate) fn told(bytes: u64) -> String {
    let size = |bytes| Size {
        bytes,
        has_suffix: true,
        octal: false,
    };
    let mib = bytes >> 20;
    if bytes & ((1 << 20) - 1) == 0 {
        size(bytes).to_string()
    } else {
        format!("{mib} MiB and {} KiB", (bytes >> 10) & 1023)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In MiB, on a host with so many.
    fn forecast(text: &str, host: u64) -> (u64, Option<u64>) {
        let memory = Memory::parse(text, Arch::X86_64).unwrap();
        let forecast = memory.forecast(host << 20, Arch::X86_64);
        (forecast.now >> 20, forecast.most.map(|most| most >> 20))
    }

    #[test]
    fn memory_is_reckoned_as_xen_does() {
        let gib = 1024;
        assert_eq!(forecast("1G+25%,max:8G", 64 * gib), (8192, Some(8192)));
        assert_eq!(forecast("1G+25%,max:8G", 16 * gib), (5120, Some(8192)));
        assert_eq!(forecast("min:1G,25%", 2 * gib), (1024, None));
        assert_eq!(forecast("-1G", 4 * gib), (3072, None));
        assert_eq!(forecast("max:2G", 64 * gib), (2048, Some(2048)));
        assert_eq!(forecast("0", 64 * gib), (64 * gib - 128, None));
        assert_eq!(forecast("min:64M", gib), (1024 - 64, None));
        assert_eq!(forecast("64G", 16 * gib), (16 * gib, None));
        assert_eq!(forecast("-8G", 4 * gib), (4096, None));
        assert_eq!(forecast("max:-3G", 4 * gib), (1024, Some(1024)));
        assert_eq!(forecast("4G,max:1G,min:2G", 64 * gib), (1024, Some(1024)));
        let arm = Memory::parse("512M", Arch::Aarch64).unwrap();
        assert_eq!(arm.forecast(4 << 30, Arch::Aarch64).now, 512 << 20);
    }

    #[test]
    fn processors_are_reckoned_as_xen_does() {
        let on =
            |arch| move |text: &str, cpus| Vcpus::parse(text, arch).unwrap().forecast(cpus, arch);
        let forecast = on(Arch::X86_64);
        assert_eq!(forecast("4-8", 16), 8);
        assert_eq!(forecast("4-8", 6), 6);
        assert_eq!(forecast("4-8", 2), 4);
        assert_eq!(forecast("-2", 16), 2);
        assert_eq!(forecast("4-", 16), 16);
        assert_eq!(forecast("3", 16), 3);
        assert_eq!(forecast("1-", 9000), 8192);
        let forecast = on(Arch::Aarch64);
        assert_eq!(forecast("8", 4), 8);
        assert_eq!(forecast("0", 4), 4);
        assert_eq!(forecast("0", 200), 128);
    }

    #[test]
    fn linux_tells_what_the_machine_has() {
        assert_eq!(
            mem_total("MemTotal:  4096 kB\nMemFree: 1 kB\n"),
            Some(4 << 20)
        );
        assert_eq!(count("0-3,8\n"), Some(5));
        assert_eq!(count("x"), None);
        assert_eq!(told(5 << 30), "5 GiB");
        assert_eq!(told((5 << 20) + 4096), "5 MiB and 4 KiB");
    }
}
