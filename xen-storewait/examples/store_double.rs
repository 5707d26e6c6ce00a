//! The tests' store as a program of its own, to try things out by hand:
//! `cargo run -p xen-storewait --example store_double -- /tmp/socket [MANNER]`.
#![allow(clippy::unwrap_used, reason = "as in the tests")]

#[path = "../tests/double/mod.rs"]
mod double;

use std::path::Path;
use std::time::Duration;

use double::{Double, Manner};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("SOCKET [MANNER]");
    let manner = match arguments.next().as_deref() {
        None | Some("honest") => Manner::Honest,
        Some("silent") => Manner::Silent,
        Some("slow") => Manner::Slow(Duration::from_secs(1)),
        Some("garbage") => Manner::Garbage,
        Some("giant-length") => Manner::GiantLength,
        Some("wrong-kind") => Manner::WrongKind,
        Some("wrong-number") => Manner::WrongNumber,
        Some("wrong-content") => Manner::WrongContent,
        Some("error") => Manner::Refusing("EIO"),
        Some("flooding") => Manner::Flooding,
        Some("closing") => Manner::Closing,
        Some("stopped") => Manner::Stopped,
        Some(bytes) => Manner::ClosingAfter(bytes.parse().expect("no such manner")),
    };
    let _double = Double::start(Path::new(&path), manner);
    loop {
        std::thread::park();
    }
}
