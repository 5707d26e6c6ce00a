//! A line written for each boot loader, and read back where it is read here.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use xen_params::{
    Arch, BootEntries, BootFiles, LimineEntries, Line, Side, carried, grub_defaults, safe_line, xen_cfg,
};

fuzz_target!(|given: (&str, &str)| {
    let (text, linux) = given;
    let line = Line::parse(text);
    let files = BootFiles {
        kernel: "/boot/vmlinuz-1".to_owned(),
        ramdisk: Some("/boot/initrd.img-1".to_owned()),
        linux_cmdline: linux.to_owned(),
    };
    let _ = safe_line(&line, Arch::Aarch64);
    // None of it may come out as another line than the one that went in.
    if let Ok(cfg) = xen_cfg(&line, Arch::X86_64, &files) {
        let found = carried(&cfg);
        let xen = found.iter().find(|one| one.side == Side::Xen).expect("a line");
        assert_eq!(Line::parse(&xen.line), line);
    }
    if let Ok(defaults) = grub_defaults(&line) {
        if text.chars().any(char::is_control) {
            return;
        }
        let found = carried(&defaults);
        assert_eq!(Line::parse(&found[0].line), line);
    }
    let entries = BootEntries {
        hypervisor: "/boot/xen-4.17.gz",
        files: &files,
        line: &line,
        arch: Arch::X86_64,
    };
    let limine = LimineEntries {
        efi: Some("/dom0/xen.efi"),
        multiboot: Some("/dom0/xen"),
        packed: false,
        files: &files,
        line: &line,
        arch: Arch::X86_64,
    };
    if let Ok(conf) = limine.text() {
        let found = carried(&conf);
        let xen = found.iter().find(|one| one.side == Side::Xen);
        assert_eq!(Line::parse(&xen.expect("a line").line), line);
        assert_eq!(conf.lines().filter(|line| line.starts_with('/')).count(), 4);
    }
    if let Ok(cfg) = entries.grub(Path::new("/nowhere")) {
        let found = carried(&cfg);
        let xen = found.iter().find(|one| one.side == Side::Xen).expect("a line");
        let printed = xen.line.strip_prefix("placeholder").expect("a placeholder");
        assert_eq!(Line::parse(printed), line);
    }
});
