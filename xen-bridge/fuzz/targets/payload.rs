//! The payload of one message: an interface, an address, a route, a
//! neighbour. An address or route that was read can be given to another
//! interface, and what is asked for then reads as the same on that interface.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_bridge::{Address, Gateways, Interface, Link, Request, Route};

fuzz_target!(|payload: &[u8]| {
    let interface = Interface {
        index: 9,
        name: "xenbr0".to_owned(),
    };
    if let Some(link) = Link::parse(payload) {
        assert!(!link.name.is_empty());
        let _ = (link.is_bridge(), link.bridge.settings.words());
    }
    if let Some(address) = Address::parse(payload) {
        for settled in [true, false] {
            let given = address.onto(&interface, settled);
            let again = Address::parse(&given).expect("what was given is an address");
            assert_eq!((again.index, again.cidr), (9, address.cidr));
            assert_eq!(again.valid_seconds, address.valid_seconds);
            let _ = address.words(&interface, settled);
            let later = Request { kind: 20, payload: given }.later(100);
            let later = Address::parse(&later.payload).expect("and so it is later");
            assert!(later.valid_seconds <= address.valid_seconds.max(Some(1)));
        }
        let _ = (address.is_by_router(), address.is_of_every_interface());
    }
    if let Some(route) = Route::parse(payload) {
        let through = Route::parse(&route.through(&interface)).expect("it is a route");
        assert!(through.destination == route.destination && through.gateway == route.gateway);
        let _ = (route.words(), route.command(&interface), route.is_shared());
        let _ = (route.carries_the_host(), route.is_more_than_its_command());
        assert_eq!(through.gateways(), route.gateways());
    }
    Gateways::default().hear(std::iter::once(payload));
});
