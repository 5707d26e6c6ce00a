//! The two keys that toolstacks expect of domain 0.

use crate::{Calls, Error};

/// What xen-init-dom0 writes at the end (`tools/helpers/xen-init-dom0.c`).
pub const KEYS: [(&str, &str); 2] = [
    ("/local/domain/0/domid", "0"),
    ("/local/domain/0/name", "Domain-0"),
];

/// Writes each of the two that is not there, in one transaction; those that
/// were written. Another name of domain 0 stays.
///
/// # Errors
/// As of all [`Calls`].
pub fn seed_dom0(calls: &mut Calls<'_>) -> Result<Vec<&'static str>, Error> {
    calls.transaction(|calls| {
        let mut written = vec![];
        for (path, value) in KEYS {
            if calls.read_if_there(path)?.is_none() {
                calls.write(path, value)?;
                written.push(path);
            }
        }
        Ok(written)
    })
}
