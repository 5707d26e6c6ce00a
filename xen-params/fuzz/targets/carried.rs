//! A file that may hold command lines: the output of xl info, a grub.cfg, an
//! /etc/default/grub, a xen.cfg, or anything else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_params::{Arch, Target, carried};

fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    let target = Target { arch: Arch::X86_64, xen: None };
    for one in carried(&text) {
        assert!(one.number >= 1);
        for finding in one.findings(&target) {
            assert!(finding.at <= one.line.len());
        }
    }
});
