//! The binary form of the index: whatever it holds, a search in it ends. The
//! first line of the input is the name, what comes after it goes behind the
//! header, with the root where its last four bytes say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::binary_index;

fuzz_target!(|input: &[u8]| {
    let newline = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, rest) = input.split_at(newline);
    let Some((body, root)) = rest.split_last_chunk::<4>() else {
        return;
    };
    let header = [0xb0, 0x07, 0xf4, 0x57, 0x00, 0x02, 0x00, 0x01];
    let content = [&header, root.as_slice(), body].concat();
    let _ = binary_index(&content, &String::from_utf8_lossy(name));
});
