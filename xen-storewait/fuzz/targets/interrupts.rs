//! `/proc/interrupts`: a count of the store's is there only where a line names
//! it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_storewait::signals_of_the_store;

fuzz_target!(|input: &str| {
    if let Some(count) = signals_of_the_store(input) {
        assert!(input.contains("xenbus"));
        assert!(count == 0 || input.bytes().any(|byte| byte.is_ascii_digit()));
    }
});
