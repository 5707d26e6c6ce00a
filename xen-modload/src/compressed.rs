//! Compressed modules, for kernels that do not decompress them, and
//! `/proc/config.gz`.

use std::path::Path;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use xz4rust::{XzDecoder, XzError, XzNextBlockResult};

/// How a file is compressed, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.xz`
    Xz,
    /// `.zst`
    Zstd,
}

/// No module is nearly as large; a file that unpacks to more is a trap.
const LARGEST: usize = 256 << 20;

impl Compression {
    /// The compression of the file; `None`: none.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "gz" => Some(Self::Gzip),
            "xz" => Some(Self::Xz),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// As `/sys/module/compression` names it.
    #[must_use]
    pub fn kernel_name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// The content, decompressed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(self, packed: &[u8]) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Gzip => decode_gzip(packed, LARGEST),
            Self::Xz => decode_xz(packed),
            Self::Zstd => decode_zstd(packed),
        }
    }
}

const DAMAGED: &str = "damaged";
const CUT_OFF: &str = "cut off";
const UNKNOWN: &str = "packed in a way that this program does not know";
const TOO_LARGE: &str = "unpacks to more than any module";

/// One member, as gzip writes it and Linux reads it (RFC 1952).
fn decode_gzip(packed: &[u8], largest: usize) -> Result<Vec<u8>, &'static str> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = packed else {
        return Err("not gzip");
    };
    let mut rest = rest;
    if flags & 4 != 0 {
        let [low, high, after @ ..] = rest else {
            return Err(CUT_OFF);
        };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        rest = after.get(length..).ok_or(CUT_OFF)?;
    }
    // The file's name and a comment, each ended by a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(CUT_OFF)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..).ok_or(CUT_OFF)?;
    }
    let (body, trailer) = rest.split_last_chunk::<8>().ok_or(CUT_OFF)?;
    let content =
        decompress_to_vec_with_limit(body, largest).map_err(|error| match error.status {
            TINFLStatus::HasMoreOutput => TOO_LARGE,
            _ => DAMAGED,
        })?;
    let [a, b, c, d, ..] = *trailer;
    if crc32(&content) != u32::from_le_bytes([a, b, c, d]) {
        return Err(DAMAGED);
    }
    Ok(content)
}

/// Bit by bit: only a file of some 200 KB ever comes here.
fn crc32(content: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

fn decode_xz(mut packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut decoder = XzDecoder::in_heap_with_alloc_dict_size(1 << 16, LARGEST);
    let mut content = vec![];
    let mut buffer = vec![0; 1 << 16];
    loop {
        let result = decoder
            .decode(packed, &mut buffer)
            .map_err(|error| why_not_xz(&error))?;
        let (used, made) = (result.input_consumed(), result.output_produced());
        content.extend_from_slice(&buffer[..made]);
        packed = packed.get(used..).unwrap_or_default();
        if content.len() > LARGEST {
            return Err(TOO_LARGE);
        }
        match result {
            XzNextBlockResult::EndOfStream(..) => return Ok(content),
            XzNextBlockResult::NeedMoreData(0, 0) => return Err(CUT_OFF),
            XzNextBlockResult::NeedMoreData(..) => {}
        }
    }
}

/// Filters and checksums that no kernel's build asks for, and this one leaves out.
fn why_not_xz(error: &XzError) -> &'static str {
    match error {
        XzError::BcjFilterNotSupported
        | XzError::DeltaFilterUnsupported
        | XzError::Sha256NotSupported
        | XzError::UnsupportedCheckType(_)
        | XzError::UnsupportedStreamHeaderOption
        | XzError::UnsupportedBlockHeaderOption => UNKNOWN,
        XzError::StreamHeaderMagicNumberMismatch => "not xz",
        _ => DAMAGED,
    }
}

fn decode_zstd(mut packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    // A frame to be skipped, such as one of several that are read at once.
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] = packed {
        return Err(UNKNOWN);
    }
    let mut decoder = FrameDecoder::new();
    decoder.init(&mut packed).map_err(|_| "not zstd")?;
    let mut content = vec![];
    while !decoder.is_finished() {
        decoder
            .decode_blocks(&mut packed, BlockDecodingStrategy::UptoBytes(1 << 20))
            .map_err(|_| DAMAGED)?;
        content.extend(decoder.collect().unwrap_or_default());
        if content.len() > LARGEST {
            return Err(TOO_LARGE);
        }
    }
    let promised = decoder.get_checksum_from_data();
    if promised.is_some() && promised != decoder.get_calculated_checksum() {
        return Err(DAMAGED);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    // "module\n" as gzip, xz (--check=crc32) and zstd write it.
    const GZIP: &[u8] = include_bytes!("../tests/compressed/module.gz");
    const XZ: &[u8] = include_bytes!("../tests/compressed/module.xz");
    const ZSTD: &[u8] = include_bytes!("../tests/compressed/module.zst");

    const ALL: [(Compression, &[u8]); 3] = [
        (Compression::Gzip, GZIP),
        (Compression::Xz, XZ),
        (Compression::Zstd, ZSTD),
    ];

    #[test]
    fn the_name_tells_the_compression() {
        let of = |name: &str| Compression::of(Path::new(name));
        assert_eq!(of("/a/tun.ko.xz"), Some(Compression::Xz));
        assert_eq!(of("/a/tun.ko.zst"), Some(Compression::Zstd));
        assert_eq!(of("/a/tun.ko.gz"), Some(Compression::Gzip));
        assert_eq!(of("/a/tun.ko"), None);
    }

    #[test]
    fn decodes_all_three() {
        for (compression, bytes) in ALL {
            let content = compression.decode(bytes).unwrap();
            assert_eq!(content, b"module\n", "{compression:?}");
        }
    }

    #[test]
    fn what_is_whole_and_not_known_is_not_called_damaged() {
        for bytes in [
            include_bytes!("../tests/compressed/x86.xz").as_slice(),
            include_bytes!("../tests/compressed/delta.xz"),
            include_bytes!("../tests/compressed/sha256.xz"),
        ] {
            assert_eq!(Compression::Xz.decode(bytes), Err(UNKNOWN));
        }
        let skipped = [b"\x50\x2a\x4d\x18\x01\0\0\0x".as_slice(), ZSTD].concat();
        assert_eq!(Compression::Zstd.decode(&skipped), Err(UNKNOWN));
        assert_eq!(Compression::Xz.decode(ZSTD), Err("not xz"));
        assert_eq!(decode_gzip(GZIP, 6), Err(TOO_LARGE));
        assert!(decode_gzip(GZIP, 7).is_ok());
    }

    #[test]
    fn a_file_that_is_cut_or_damaged_is_an_error() {
        for (compression, bytes) in ALL {
            let cut = compression.decode(&bytes[..bytes.len() - 6]);
            assert!(cut.is_err(), "{compression:?} cut");
            assert!(compression.decode(b"\x7fELF plain").is_err());
            assert!(compression.decode(b"").is_err());
            for at in 0..bytes.len() {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 0x55;
                // Where nothing depends on the byte (gzip's time, for one) the
                // content is right; it is never wrong.
                let content = compression.decode(&damaged);
                assert!(content.is_err() || content == Ok(b"module\n".to_vec()));
            }
        }
    }
}
