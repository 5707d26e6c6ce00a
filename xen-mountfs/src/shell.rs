//! Words as a shell command. They are bytes, as paths are.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

pub(crate) fn join(words: &[OsString]) -> Vec<u8> {
    let quoted: Vec<Vec<u8>> = words.iter().map(|word| quote(word)).collect();
    quoted.join(&b' ')
}

fn quote(word: &OsStr) -> Vec<u8> {
    if let Some(text) = word.to_str() {
        return shell_words::quote(text).into_owned().into_bytes();
    }
    let mut quoted = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_each_byte_and_quotes_what_a_shell_would_split() {
        let words = [&b"umount"[..], b"/a b", b"/\xfc'x"];
        let words = words.map(|word| OsStr::from_bytes(word).to_owned());
        assert_eq!(join(&words), b"umount '/a b' '/\xfc'\\''x'");
    }
}
