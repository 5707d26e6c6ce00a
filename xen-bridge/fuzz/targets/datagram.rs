//! A datagram of the kernel's: a reply to a request, with refusals and their
//! explanations, and what it tells by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_bridge::{Gateways, Reply, messages};

fuzz_target!(|datagram: &[u8]| {
    let mut reply = Reply::default();
    match reply.read(datagram, 7) {
        Ok(()) => assert!(reply.messages.iter().map(Vec::len).sum::<usize>() <= datagram.len()),
        Err(failure) => assert!(!failure.to_string().is_empty()),
    }
    let told: Vec<_> = messages(datagram).collect();
    assert!(told.len() <= datagram.len() / 16);
    let mut gateways = Gateways {
        bridge: 3,
        uplinks: vec![],
        all: vec![],
        silent: vec!["10.0.2.2".parse().unwrap(), "fd00::2".parse().unwrap()],
    };
    gateways.hear(told.iter().map(|(_, payload)| payload.as_slice()));
    assert!(gateways.silent.len() <= 2);
});
