//! `/proc/modules`: at most one module a line, and no user without a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::proc_modules;

fuzz_target!(|input: &[u8]| {
    let content = String::from_utf8_lossy(input);
    let modules = proc_modules(&content);
    assert!(modules.len() <= content.lines().count());
    for module in &modules {
        assert!(module.used_by.iter().all(|user| !user.is_empty()));
    }
});
