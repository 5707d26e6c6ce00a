//! A value, read by the grammar of a row of the table and as memory,
//! processors, a size and a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_params::grammar::{Memory, Vcpus, check, parse_boolean, parse_integer, parse_size};
use xen_params::{Arch, Host, Target, explain, table};

fuzz_target!(|given: (u8, u64, &str)| {
    let (row, number, value) = given;
    let entry = &table()[usize::from(row) % table().len()];
    for xen in [None, "4.17".parse().ok()] {
        if let Err(what) = check(entry.syntax, value, xen) {
            assert!(!what.is_empty());
        }
    }
    if let Ok(memory) = Memory::parse(value, Arch::X86_64) {
        let forecast = memory.forecast(number, Arch::X86_64);
        assert!(forecast.now <= number);
    }
    for (arch, most) in [(Arch::X86_64, 8192), (Arch::Aarch64, 128)] {
        if let Ok(vcpus) = Vcpus::parse(value, arch) {
            assert!(vcpus.forecast(number, arch) <= most);
        }
    }
    let _ = (parse_size(value), parse_integer(value), parse_boolean(value));
    let target = Target { arch: Arch::X86_64, xen: None };
    let host = Host { memory: Some(number), cpus: Some(number) };
    let _ = explain(&[format!("{}={value}", entry.name)], &target, &host, false);
});
