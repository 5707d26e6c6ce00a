//! A kernel's configuration: every option that matters gets a verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::{REQUIREMENTS, judge};

fuzz_target!(|input: &[u8]| {
    let judged = judge(&String::from_utf8_lossy(input));
    let only_x86 = REQUIREMENTS.iter().filter(|one| one.only_x86).count();
    let all = REQUIREMENTS.len();
    assert!(judged.len() == all || judged.len() == all - only_x86);
});
