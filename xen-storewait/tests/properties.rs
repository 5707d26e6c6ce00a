//! What holds for every message and every value, whatever it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod double;

use std::time::Duration;

use double::{Double, Manner};
use proptest::prelude::*;
use xen_storewait::wire::{Decoder, HEADER_SIZE, Kind, Message, PAYLOAD_MAX};
use xen_storewait::{Access, Deadline, Permission, Store, escape};

fn any_message() -> impl Strategy<Value = Message> {
    let payload = proptest::collection::vec(any::<u8>(), 0..200);
    (0_u32..=27, any::<u32>(), any::<u32>(), payload).prop_map(
        |(kind, request, transaction, payload)| Message {
            kind: Kind(kind),
            request,
            transaction,
            payload,
        },
    )
}

proptest! {
    #[test]
    fn messages_come_back_whatever_the_pieces(
        messages in proptest::collection::vec(any_message(), 0..6),
        piece in 1_usize..64,
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|one| one.encode().unwrap()).collect();
        let mut decoder = Decoder::default();
        let mut found = vec![];
        for piece in bytes.chunks(piece) {
            decoder.push(piece);
            while let Some(message) = decoder.next_message().unwrap() {
                found.push(message);
            }
        }
        prop_assert_eq!(found, messages);
        prop_assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_give_more_than_there_was(bytes in any::<Vec<u8>>()) {
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        let mut taken = 0;
        while let Ok(Some(message)) = decoder.next_message() {
            prop_assert!(message.payload.len() <= PAYLOAD_MAX);
            taken += HEADER_SIZE + message.payload.len();
        }
        prop_assert!(taken <= bytes.len());
    }

    #[test]
    fn permissions_come_back_from_their_text(which in 0_usize..4, domid in any::<u16>()) {
        let access = [Access::None, Access::Read, Access::Write, Access::Both][which];
        let permission = Permission { access, domid };
        let text = permission.to_string();
        prop_assert_eq!(Permission::parse(text.as_bytes()), Some(permission));
    }

    #[test]
    fn different_values_are_different_as_text(one in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
        prop_assert_eq!(escape(&one) == escape(&other), one == other);
        prop_assert!(escape(&one).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn values_come_back_from_a_store(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4000), 1..9),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let double = Double::start(&folder.path().join("socket"), Manner::Honest);
        let deadline = Deadline::after(Duration::from_secs(30));
        let mut store = Store::connect(double.path(), deadline).unwrap();
        let mut calls = store.until(deadline);
        for (number, value) in values.iter().enumerate() {
            calls.write(format!("/values/{number}"), value).unwrap();
        }
        for (number, value) in values.iter().enumerate() {
            prop_assert_eq!(&calls.read(format!("/values/{number}")).unwrap(), value);
        }
        prop_assert_eq!(calls.directory("/values").unwrap().len(), values.len());
    }
}
