//! Whether a file can be a hypervisor.

use std::path::Path;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::Error;

const KERNEL: &str = "no hypervisor: a Linux kernel";
const RAMDISK: &str = "no hypervisor: an initial ramdisk";

/// How much is unpacked, to look at it. Hypervisors have 2 to 5 MB.
const LARGEST: usize = 64 << 20;

/// Why the file is none. Anything but a hypervisor would make the machine stop
/// at boot.
pub(super) fn unfit(content: &[u8]) -> Option<&'static str> {
    if !is_packed(content) {
        return unfit_unpacked(content);
    }
    match unpacked(content) {
        // What is there of a larger file is enough.
        Some(Ok(content) | Err(content)) if !content.is_empty() => unfit_unpacked(&content),
        _ => Some("no hypervisor: it cannot be unpacked"),
    }
}

/// What gzip packed, whole, or as far as it goes; `None` where it begins with
/// nothing of the kind.
fn unpacked(content: &[u8]) -> Option<Result<Vec<u8>, Vec<u8>>> {
    let unpacked = decompress_to_vec_with_limit(packed(content)?, LARGEST);
    Some(unpacked.map_err(|error| error.output))
}

/// What gzip packed into a file.
///
/// # Errors
/// It is damaged, or too large for a hypervisor.
pub(crate) fn unpack(path: &Path, content: &[u8]) -> Result<Vec<u8>, Error> {
    match unpacked(content) {
        Some(Ok(content)) => Ok(content),
        _ => Err(Error::Unfit {
            path: path.to_path_buf(),
            what: "it cannot be unpacked".to_owned(),
        }),
    }
}

/// It begins as what gzip packs does.
pub(crate) fn is_packed(content: &[u8]) -> bool {
    content.starts_with(b"\x1f\x8b")
}

fn unfit_unpacked(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(b"0707") {
        return Some(RAMDISK);
    }
    if !content.starts_with(b"\x7fELF") && !content.starts_with(b"MZ") {
        return Some("no hypervisor: neither gzip nor ELF nor PE");
    }
    // The boot protocols of x86, and of EFI where the kernel is packed.
    let is_packed_kernel = has_at(content, 0x202, b"HdrS") || content.starts_with(b"MZ\0\0zimg");
    if is_packed_kernel || has(content, b"Linux version ") {
        return Some(KERNEL);
    }
    (!has(content, b"Xen")).then_some("no hypervisor: nothing in it names Xen")
}

/// What gzip packed, without its header (RFC 1952).
fn packed(content: &[u8]) -> Option<&[u8]> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *content.get(3)?;
    let mut rest = content.get(10..)?;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*rest.first()?, *rest.get(1)?]);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    rest.get(if flags & CHECKSUM != 0 { 2 } else { 0 }..)
}

fn has_at(content: &[u8], place: usize, mark: &[u8]) -> bool {
    content.get(place..place + mark.len()) == Some(mark)
}

fn has(content: &[u8], mark: &[u8]) -> bool {
    content.windows(mark.len()).any(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As gzip makes it, with a name in it.
    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut packed = b"\x1f\x8b\x08\x08\0\0\0\0\x02\x03any name\0".to_vec();
        packed.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
        packed
    }

    #[test]
    fn tells_kernels_and_ramdisks_from_hypervisors_packed_or_not() {
        let mut bz_image = b"MZ".to_vec();
        bz_image.resize(0x202, 0);
        bz_image.extend(b"HdrS\x0f\x02Xen");
        for (content, expected) in [
            (&b"\x7fELF...Xen version %d.%d"[..], None),
            (b"MZ....Xen version %d.%d", None),
            (&bz_image, Some(KERNEL)),
            (b"MZ\0\0zimg", Some(KERNEL)),
            (b"\x7fELF Xen Linux version 6.1", Some(KERNEL)),
            (b"070701000", Some(RAMDISK)),
            (b"\x7fELF", Some("no hypervisor: nothing in it names Xen")),
            (
                b"a text",
                Some("no hypervisor: neither gzip nor ELF nor PE"),
            ),
        ] {
            assert_eq!(unfit(content), expected, "{content:?}");
            assert_eq!(unfit(&gzip(content)), expected, "{content:?}");
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_none() {
        let damaged = Some("no hypervisor: it cannot be unpacked");
        for content in [&b"\x1f\x8b"[..], b"\x1f\x8b\x08\x1f", &gzip(b"")[..12]] {
            assert_eq!(unfit(content), damaged);
        }
    }
}
