//! The client, with a store that has sent the input and closed its connection:
//! every request ends, and long before its deadline. The first byte of the
//! input says which is asked first.
#![no_main]

use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use xen_storewait::{Calls, Deadline, Error, Permission, Store, seed_dom0};

fn ask(which: u8, calls: &mut Calls<'_>) -> Result<(), Error> {
    match which % 10 {
        0 => calls.read("/a").map(drop),
        1 => calls.write("/a", "b"),
        2 => calls.directory("/a").map(drop),
        3 => {
            let permissions = calls.permissions("/a")?;
            for permission in permissions {
                assert_eq!(
                    Permission::parse(permission.to_string().as_bytes()),
                    Some(permission)
                );
            }
            Ok(())
        }
        4 => calls.domain_path(0).map(drop),
        5 => {
            calls.watch("/a", "token")?;
            while calls.next_event()?.is_some() {}
            Ok(())
        }
        6 => calls.transaction(|calls| calls.write("/a", "b")),
        7 => seed_dom0(calls).map(drop),
        8 => calls.mkdir("/a"),
        _ => calls.remove("/a"),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    let mut store = Store::from_stream(ours).unwrap();
    let mut calls = store.until(Deadline::after(Duration::from_secs(10)));
    for which in [*first, first / 10] {
        if let Err(error) = ask(which, &mut calls) {
            assert!(!matches!(error, Error::Late { .. }), "{error}");
            assert!(!error.to_string().contains(['\n', '\x1b', '\0']));
        }
    }
});
