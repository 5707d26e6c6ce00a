//! How the attributes of the kernel's replies are read, and written anew.
//!
//! They are read one by one and what is not known, or not as long as it should
//! be, is passed over: a newer kernel must not keep a bridge from coming up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NlaBuffer, NlasIterator};

/// The kinds and values of attributes, up to the first that is cut off.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).map(value_of)
}

fn value_of(attribute: NlaBuffer<&[u8]>) -> (u16, &[u8]) {
    let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
    (kind, attribute.into_inner().get(4..length).unwrap_or(&[]))
}

pub(crate) fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value)).into_owned()
}

pub(crate) fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
        _ => None,
    }
}

/// A payload with the attributes that `of` gives for those that are there, in
/// their order, behind another header.
pub(crate) fn rebuilt<'a>(
    header: Vec<u8>,
    attributes_: impl Iterator<Item = (u16, &'a [u8])>,
    of: impl Fn(u16, &[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut payload = header;
    for (kind, value) in attributes_ {
        if let Some(value) = of(kind, value) {
            push(&mut payload, kind, &value);
        }
    }
    payload
}

/// One attribute more.
pub(crate) fn push(payload: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // What came from the kernel, or is written here, is never longer.
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    payload.extend(length.to_ne_bytes());
    payload.extend(kind.to_ne_bytes());
    payload.extend(value);
    payload.resize(payload.len().next_multiple_of(4), 0);
}
