//! A file of modprobe.d: every line is understood, said to be passed over, or
//! says nothing; and what was understood can be asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::modprobe_d;

fuzz_target!(|input: &[u8]| {
    let content = String::from_utf8_lossy(input);
    let config = modprobe_d(&content);
    let said = config.aliases.len()
        + config.options.len()
        + config.blacklist.len()
        + config.softdeps.len()
        + config.installs.len()
        + config.removes.len()
        + config.complaints.len();
    assert!(said <= content.lines().count());
    for name in config.blacklist.iter().take(8) {
        assert!(config.blacklists(name));
    }
    for (module, options) in config.options.iter().take(8) {
        assert!(config.options_of(module, None).contains(options.as_str()));
    }
    for (name, _) in config.aliases.iter().take(8) {
        let _ = config.aliased(name).count();
        let _ = (config.softdep_of(name), config.install_of(name, true));
    }
});
