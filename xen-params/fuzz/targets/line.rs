//! A command line, checked for every machine and several releases, taken apart,
//! put together and put on top of itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_params::{Arch, Line, Target, diff, lint, lint_linux, merge};

fuzz_target!(|text: &str| {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for xen in [None, "4.15".parse().ok(), "4.17".parse().ok(), "4.22".parse().ok()] {
            let target = Target { arch, xen };
            for finding in lint(text, &target).iter().chain(&lint_linux(text, &target)) {
                assert!(finding.at <= text.len());
                assert!(!finding.to_string().is_empty());
            }
        }
    }
    let line = Line::parse(text);
    let printed = line.to_string();
    assert_eq!(Line::parse(&printed), line);
    assert_eq!(Line::parse(&printed).to_string(), printed);
    // What is named again is as it was; only GRUB's own words go.
    let merged = merge(&line, &line);
    assert_eq!(merge(&merged, &merged), merged);
    assert_eq!(diff(&printed, &printed), []);
});
