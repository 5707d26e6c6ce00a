//! Finding bytes, eight at a time: the index is some two megabytes, and the
//! programs of an initramfs are built small, not fast.

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7f * ONES;

/// Tells `visit` where one of the two bytes is, in order. They may be the same.
pub(super) fn positions(content: &[u8], [a, b]: [u8; 2], mut visit: impl FnMut(usize)) {
    let words = content.chunks_exact(8);
    let tail = words.remainder();
    let mut at = 0;
    let (eight_a, eight_b) = (ONES * u64::from(a), ONES * u64::from(b));
    for word in words {
        let word = word
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word));
        let mut hits = zeros(word ^ eight_a);
        if a != b {
            hits |= zeros(word ^ eight_b);
        }
        while hits != 0 {
            visit(at + hits.trailing_zeros() as usize / 8);
            hits &= hits - 1;
        }
        at += 8;
    }
    for byte in tail {
        if *byte == a || *byte == b {
            visit(at);
        }
        at += 1;
    }
}

/// The top bit of each byte that is zero: neither its low bits nor its top bit
/// are set. Adding carries the low ones into the top bit and no further.
fn zeros(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_look_at_each_byte_finds() {
        // Neighbours in value too: there a careless trick sees too many.
        let content: Vec<u8> = (0..4000_u32)
            .map(|i| [b'\n', 11, b':', b';', 9, 0, 255, 138][(i * i / 7 % 8) as usize])
            .collect();
        for end in [0, 1, 7, 8, 9, 15, 63, 4000] {
            let content = &content[..end];
            let mut found = vec![];
            positions(content, [b'\n', b':'], |at| found.push(at));
            let expected: Vec<usize> = (0..end)
                .filter(|at| matches!(content[*at], b'\n' | b':'))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
