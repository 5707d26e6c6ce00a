//! Whether a file can be a hypervisor.

use std::fs;
use std::path::Path;

/// The beginnings of names that kernels, ramdisks and symbols have.
const OTHERS: [(&str, &str); 8] = [
    ("vmlinuz", KERNEL),
    ("vmlinux", KERNEL),
    ("bzImage", KERNEL),
    ("Image", KERNEL),
    ("kernel", KERNEL),
    ("initrd", RAMDISK),
    ("initramfs", RAMDISK),
    ("ramdisk", RAMDISK),
];
const KERNEL: &str = "no hypervisor: a Linux kernel";
const RAMDISK: &str = "no hypervisor: an initial ramdisk";

/// Why the file is none, as far as can be told without unpacking it: what is
/// packed is known by its name only, and else taken. Anything but a
/// hypervisor would make the machine stop at boot.
pub(super) fn unfit(path: &Path, content: &[u8]) -> Option<&'static str> {
    if content.starts_with(b"\x1f\x8b") {
        let real = fs::canonicalize(path).unwrap_or_default();
        let names = [path.file_name(), real.file_name()];
        let mut names = names
            .into_iter()
            .flatten()
            .map(|name| name.as_encoded_bytes())
            .chain(packed_name(content));
        return names.find_map(by_name);
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

fn by_name(name: &[u8]) -> Option<&'static str> {
    let other = OTHERS
        .iter()
        .find(|(start, _)| name.starts_with(start.as_bytes()))?;
    Some(other.1)
}

/// The name that a file had before gzip packed it, where gzip kept that
/// (RFC 1952: FNAME, here without FEXTRA before it).
fn packed_name(content: &[u8]) -> Option<&[u8]> {
    const FEXTRA: u8 = 4;
    const FNAME: u8 = 8;
    let flags = *content.get(3)?;
    if flags & (FEXTRA | FNAME) != FNAME {
        return None;
    }
    content.get(10..)?.split(|byte| *byte == 0).next()
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

    #[test]
    fn tells_kernels_and_ramdisks_from_hypervisors() {
        let told = |name: &str, content: &[u8]| unfit(Path::new(name), content);
        let mut bz_image = b"MZ".to_vec();
        bz_image.resize(0x202, 0);
        bz_image.extend(b"HdrS\x0f\x02Xen");
        for (name, content, expected) in [
            ("/boot/xen.gz", &b"\x1f\x8b\x08\x00"[..], None),
            ("/boot/xen", b"\x7fELF...Xen version %d.%d", None),
            ("/boot/xen.efi", b"MZ....Xen version %d.%d", None),
            ("/boot/k", &bz_image, Some(KERNEL)),
            ("/boot/k", b"MZ\0\0zimg", Some(KERNEL)),
            ("/boot/k", b"\x7fELF Xen Linux version 6.1", Some(KERNEL)),
            ("/boot/vmlinuz-6.1", b"\x1f\x8b\x08\x00", Some(KERNEL)),
            ("/boot/initrd.img", b"\x1f\x8b\x08\x00", Some(RAMDISK)),
            (
                "/boot/a.gz",
                b"\x1f\x8b\x08\x08\0\0\0\0\x02\x03initrd.img\0",
                Some(RAMDISK),
            ),
            (
                "/boot/a",
                b"\x7fELF",
                Some("no hypervisor: nothing in it names Xen"),
            ),
            (
                "/boot/a",
                b"070701",
                Some("no hypervisor: neither gzip nor ELF nor PE"),
            ),
        ] {
            assert_eq!(told(name, content), expected, "{name}");
        }
    }
}
