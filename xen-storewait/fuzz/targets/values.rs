//! A value as text: one line of printable characters, from which the value can
//! be told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_storewait::{Permission, Refusal, escape};

/// Undoes it, for text that it made.
fn unescape(text: &str) -> Vec<u8> {
    let mut value = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        value.push(match byte {
            b'\\' => match rest.next().unwrap() {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            other => other,
        });
    }
    value
}

fuzz_target!(|input: &[u8]| {
    let text = escape(input);
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    assert_eq!(unescape(&text), input);
    if let Some(permission) = Permission::parse(input) {
        assert!(input.starts_with(&permission.to_string().as_bytes()[..1]));
    }
    let refusal = Refusal::parse(input).to_string();
    assert!(refusal.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
});
