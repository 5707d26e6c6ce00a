//! The reader of messages: whatever comes in, and in whatever pieces, it gives
//! the same messages, and each is the bytes that it was made of. The first
//! byte of the input is the size of a piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_storewait::wire::{Decoder, Message, WireError};

fn read(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> (Vec<Message>, Option<WireError>) {
    let mut decoder = Decoder::default();
    let mut messages = vec![];
    for piece in pieces {
        decoder.push(piece.as_ref());
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let (messages, error) = read(std::iter::once(bytes));
    let again = read(bytes.chunks(usize::from(*size).max(1)));
    assert_eq!((&messages, &error), (&again.0, &again.1));
    let mut encoded = vec![];
    for message in &messages {
        encoded.extend(message.encode().unwrap());
    }
    assert!(bytes.starts_with(&encoded));
});
