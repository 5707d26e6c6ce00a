//! The kernel command line: no option or blacklisted name holds a blank that
//! was not quoted, and each belongs to a module.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::command_line;

fuzz_target!(|input: &[u8]| {
    let line = String::from_utf8_lossy(input);
    let config = command_line(&line);
    for (module, option) in &config.options {
        assert!(!module.is_empty() && !option.is_empty());
        let blank = option.contains(|c: char| c.is_ascii_whitespace());
        assert!(!blank || option.contains('"'), "{option:?}");
    }
    assert!(config.blacklist.iter().all(|name| !name.is_empty()));
    assert!(config.aliases.is_empty() && config.installs.is_empty());
});
