//! The other line: the Dom0 kernel's.

use crate::Target;
use crate::finding::{Code, Finding, Severity};
use crate::line::{Word, last_word, too_long_for_linux, words};
use crate::lint::resolve;

/// Options of Linux that often stand on the wrong line, sorted. Xen has none of
/// these.
const LINUX: [&str; 49] = [
    "BOOT_IMAGE",
    "amd_iommu",
    "apparmor",
    "audit",
    "biosdevname",
    "cgroup_enable",
    "debug",
    "earlycon",
    "earlyprintk",
    "fsck.mode",
    "hugepages",
    "i915.modeset",
    "init",
    "initrd",
    "intel_iommu",
    "ip",
    "isolcpus",
    "kvm",
    "lockdown",
    "mitigations",
    "modprobe.blacklist",
    "module_blacklist",
    "net.ifnames",
    "nomodeset",
    "nosmt",
    "nowatchdog",
    "panic",
    "pcie_aspm",
    "printk.time",
    "quiet",
    "rdinit",
    "resume",
    "rhgb",
    "ro",
    "root",
    "rootdelay",
    "rootflags",
    "rootfstype",
    "rootwait",
    "rw",
    "security",
    "selinux",
    "single",
    "splash",
    "swiotlb",
    "transparent_hugepage",
    "usbcore",
    "video",
    "zswap.enabled",
];

/// The beginnings of the names of modules' options.
const MODULES: [&str; 9] = [
    "rd.",
    "systemd.",
    "xen-blkback.",
    "xen-pciback.",
    "xen_pciback.",
    "xen-netback.",
    "net.",
    "i915.",
    "amdgpu.",
];

/// Names that Linux has too.
const BOTH: [&str; 46] = [
    "acpi",
    "acpi_apic_instance",
    "acpi_skip_timer_override",
    "acpi_sleep",
    "apic",
    "clocksource",
    "console",
    "crashkernel",
    "cpuidle",
    "debugtrace",
    "edd",
    "edid",
    "efi",
    "font",
    "fred",
    "hardware_dom",
    "hest_disable",
    "hpet",
    "iommu",
    "lapic",
    "lapic_timer_c2_ok",
    "maxcpus",
    "mce",
    "mem",
    "mmio-relax",
    "msi",
    "nmi",
    "no-real-mode",
    "noapic",
    "noirqbalance",
    "nolapic",
    "nosmp",
    "nr_irqs",
    "numa",
    "pci",
    "placeholder",
    "reboot",
    "smap",
    "smep",
    "tboot",
    "tsc",
    "tsx",
    "vga",
    "watchdog",
    "x2apic_phys",
    "xsave",
];

/// What Xen has for some of them.
const XEN_S_OWN: [(&str, &str); 2] = [("nosmt", "smt=0"), ("nowatchdog", "no-watchdog")];

/// What to write for an option of Linux on Xen's line.
pub(super) fn xen_s_own(key: &str) -> Option<&'static str> {
    let own = XEN_S_OWN.iter().find(|(linux, _)| *linux == key);
    own.map(|(_, xen)| *xen)
}

/// It is an option of Linux and none of Xen.
pub(super) fn is_linux(key: &str) -> bool {
    LINUX.binary_search(&key).is_ok() || MODULES.iter().any(|module| key.starts_with(module))
}

/// Names with an index that Linux has too.
const INDEXED: [&str; 2] = ["ivrs_hpet[", "ivrs_ioapic["];

/// Says what of a Dom0 kernel's line belongs on the hypervisor's.
#[must_use]
pub fn lint_linux(text: &str, target: &Target) -> Vec<Finding> {
    let is_xen = |word: &Word<'_>| {
        let key = word.key();
        resolve(word, target).is_some_and(|(entry, negated)| {
            let is_both = BOTH.contains(&entry.name) || INDEXED.contains(&entry.name);
            !is_both && (!negated || word.value().is_none()) && key.len() > 2
        })
    };
    let mut findings: Vec<Finding> = words(text)
        .filter(is_xen)
        .map(|word| Finding {
            severity: Severity::Error,
            code: Code::XenOption,
            at: word.at,
            word: word.text.to_owned(),
            what: "an option of Xen: it belongs on the hypervisor's line".into(),
        })
        .collect();
    if let Some(what) = too_long_for_linux(text.len()) {
        let last = last_word(text);
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::LineTooLong,
            at: last.at,
            word: last.text.to_owned(),
            what: what.into(),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arch;

    #[test]
    fn what_linux_has_with_an_index_too_is_none_of_xen_s() {
        let target = Target {
            arch: Arch::X86_64,
            xen: None,
        };
        let line = "ivrs_ioapic[4]=00:14.0 ivrs_hpet[0]=00:14.0 ro";
        assert_eq!(lint_linux(line, &target), []);
    }

    #[test]
    fn the_options_of_linux_are_sorted() {
        assert!(LINUX.is_sorted());
    }

    #[test]
    fn a_kernel_s_line_that_xen_would_cut_is_an_error() {
        let target = Target {
            arch: Arch::X86_64,
            xen: None,
        };
        let line = |length: usize| format!("ro {}", "x".repeat(length - 3));
        assert_eq!(lint_linux(&line(1023), &target), []);
        let found = lint_linux(&line(1024), &target);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].code, found[0].at), (Code::LineTooLong, 3));
    }
}
