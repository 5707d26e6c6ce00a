//! modules.builtin and modules.builtin.modinfo. The first line of the input is
//! the name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::{modules_builtin, modules_builtin_modinfo};
use xen_modload::underscored;

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let (name, content) = input.split_once('\n').unwrap_or((&input, ""));
    let name = underscored(name);
    if modules_builtin(content, &name) && !name.is_empty() {
        assert!(content.replace('-', "_").contains(&name.replace('-', "_")));
    }
    let records = content.split('\0').count();
    assert!(modules_builtin_modinfo(content, &name).len() <= records);
});
