//! `/proc/self/mountinfo`: no line makes two mounts, no order of them is
//! endless, and the escapes of a target can be undone only once.
#![no_main]

use std::os::unix::ffi::OsStrExt as _;

use libfuzzer_sys::fuzz_target;
use xen_mountfs::Mount;

fuzz_target!(|input: &[u8]| {
    let mounts = Mount::parse_all(input);
    assert!(mounts.len() <= input.split(|byte| *byte == b'\n').count());
    for mount in &mounts {
        let layers = Mount::layers(&mounts, &mount.target);
        assert!(layers.iter().all(|layer| layer.target == mount.target));
    }
    for mount in mounts {
        // As the kernel writes it, it comes back as it is.
        let mut line = b"1 1 0:1 / ".to_vec();
        for byte in mount.target.as_os_str().as_bytes() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\\' => line.extend(format!("\\{byte:03o}").bytes()),
                other => line.push(*other),
            }
        }
        line.extend(b" rw - xenfs xenfs rw\n");
        let again = Mount::parse_all(&line);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].target, mount.target);
    }
});
