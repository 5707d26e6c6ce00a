use super::*;

fn lines(text: &str) -> Vec<(usize, Side, String)> {
    carried(text)
        .into_iter()
        .map(|one| (one.number, one.side, one.line))
        .collect()
}

fn xen(number: usize, line: &str) -> (usize, Side, String) {
    (number, Side::Xen, line.to_owned())
}

fn linux(number: usize, line: &str) -> (usize, Side, String) {
    (number, Side::Linux, line.to_owned())
}

#[test]
fn finds_the_line_in_the_output_of_xl_info() {
    let text = "host                   : dom0\n\
        xen_commandline        : placeholder dom0_mem=1G com1=115200,8n1\n\
        cc_compiler            : gcc\n";
    assert_eq!(
        lines(text),
        [xen(2, "placeholder dom0_mem=1G com1=115200,8n1")]
    );
}

#[test]
fn takes_every_line_of_another_text() {
    assert_eq!(
        lines("# a comment\n\nnoreboot\nwatchdog\n"),
        [xen(3, "noreboot"), xen(4, "watchdog")]
    );
    assert_eq!(lines(""), []);
}

#[test]
fn finds_both_lines_of_each_entry_of_a_grub_cfg() {
    let text = "menuentry 'Debian GNU/Linux' --class debian {\n\
        \tlinux /boot/vmlinuz-6.1 root=/dev/sda1 dom0_mem=1G\n\
        }\n\
        menuentry 'Debian GNU/Linux, with Xen hypervisor' {\n\
        \tmultiboot2 /boot/xen-4.17-amd64.gz placeholder dom0_mem=1G \
        'ivrs_hpet[0]=00:14.0' ${xen_rm_opts}\n\
        \tmodule2 /boot/vmlinuz-6.1 placeholder root=/dev/sda1 ro\n\
        \tmodule2 --nounzip /boot/initrd.img-6.1\n\
        }\n\
        menuentry 'memtest' {\n\
        \tmultiboot /boot/memtest.bin console=ttyS0\n\
        \tmodule /boot/vmlinuz-x a=b\n\
        }\n";
    assert_eq!(
        lines(text),
        [
            xen(5, "placeholder dom0_mem=1G ivrs_hpet[0]=00:14.0"),
            linux(6, "placeholder root=/dev/sda1 ro"),
        ]
    );
}

#[test]
fn finds_the_settings_of_grub_mkconfig() {
    let text = "GRUB_TIMEOUT=5\n\
        # GRUB_CMDLINE_XEN=\"commented=out\"\n\
        GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n\
        GRUB_CMDLINE_XEN='dom0_mem=1G '\\''ivrs_hpet[0]=00:14.0'\\'''\n\
        export GRUB_CMDLINE_XEN_DEFAULT=\"$GRUB_CMDLINE_XEN_DEFAULT a \\\n  b\" # why\n";
    assert_eq!(
        lines(text),
        [
            linux(3, "quiet"),
            xen(4, "dom0_mem=1G ivrs_hpet[0]=00:14.0"),
            xen(5, "a b"),
        ]
    );
}

#[test]
fn finds_the_lines_of_a_xen_cfg_and_what_it_would_cut() {
    let text = "[global]\ndefault=normal\n\n[normal]\n\
        options=noreboot conswitch=#x\n\
        kernel=vmlinuz root=/dev/sda1\n\
        ramdisk=initrd.img\n";
    assert_eq!(
        lines(text),
        [xen(5, "noreboot conswitch="), linux(6, "root=/dev/sda1")]
    );
}

#[test]
fn what_a_xen_cfg_cuts_off_is_told_once() {
    let target = Target {
        arch: crate::Arch::X86_64,
        xen: None,
    };
    let told = |value: &str| -> Vec<(Severity, usize, String)> {
        let text = format!("[a]\noptions={value}\nkernel=vmlinuz\n");
        let found = carried(&text)[0].findings(&target);
        assert!(
            found.iter().all(|one| one.code == Code::Uncarried),
            "{found:?}"
        );
        found
            .into_iter()
            .map(|one| (one.severity, one.at, one.word))
            .collect()
    };
    let error = |at, word: &str| vec![(Severity::Error, at, word.to_owned())];
    assert_eq!(told("noreboot conswitch=#"), error(9, "conswitch="));
    assert_eq!(told("noreboot smt=o#ff watchdog"), error(9, "smt=o"));
    assert_eq!(told("iommu=# x"), error(0, "iommu="));
    assert_eq!(told("smt=o\tff"), error(0, "smt=o"));
    assert_eq!(told("noreboot\twatchdog"), error(0, "noreboot"));
    assert_eq!(told("tee\u{e9}"), error(0, "tee"));
    let hint = |at, word: &str| vec![(Severity::Hint, at, word.to_owned())];
    assert_eq!(told("smt=0 noreboot # why"), hint(6, "noreboot"));
    assert_eq!(told("# all of it"), hint(0, ""));
    assert_eq!(told("noreboot"), []);
}

#[test]
fn finds_the_lines_of_a_limine_conf_and_what_xen_drops_of_them() {
    let text = "timeout: 5\n\
        /Linux\n    protocol: linux\n    path: boot():/xen-tools/vmlinuz\n    cmdline: ro\n\
        /Xen\n    protocol: multiboot1\n    path: $boot():/dom0/xen-4.17.gz\n    \
        cmdline: placeholder smt=0\n    module_path: boot():/vmlinuz\n    \
        module_string: placeholder ro\n    module_string: more\n\
        /By hand\n    CMDLINE: dom0_mem=1G noreboot\n    PROTOCOL: multiboot2\n    \
        PATH: boot():/xen\n    module_string: root=/dev/sda1 ro\n\
        /UEFI\n    protocol: efi\n    path: boot():/xen.efi\n    cmdline: xen.efi safe\n";
    assert_eq!(
        lines(text),
        [
            xen(9, "smt=0"),
            linux(11, "ro"),
            xen(14, "noreboot"),
            linux(17, "ro"),
        ]
    );
    let target = Target {
        arch: crate::Arch::X86_64,
        xen: None,
    };
    let lost: Vec<(usize, String)> = carried(text)
        .iter()
        .flat_map(|one| {
            let findings = one.findings(&target).into_iter();
            findings.map(|found| (one.number, found.word))
        })
        .collect();
    assert_eq!(
        lost,
        [
            (14, "dom0_mem=1G".to_owned()),
            (17, "root=/dev/sda1".to_owned())
        ]
    );
}

#[test]
fn what_grub_cuts_off_or_nobody_can_know_is_told_once() {
    let target = Target {
        arch: crate::Arch::X86_64,
        xen: None,
    };
    let told = |value: &str| -> Vec<(Severity, String, String)> {
        let found = carried(&format!("GRUB_CMDLINE_XEN={value}\n"));
        let findings = found[0].findings(&target).into_iter();
        findings
            .map(|one| (one.severity, one.word, one.what.into_owned()))
            .collect()
    };
    let one = |severity, word: &str, what: &str| vec![(severity, word.to_owned(), what.to_owned())];
    for fine in [
        r#""crashkernel=202M\<4G""#,
        r"'crashkernel=202M\<4G'",
        r#""'crashkernel=72M<4G' smt=0""#,
        r#""$GRUB_CMDLINE_XEN ${MORE} smt=0""#,
    ] {
        assert_eq!(told(fine), [], "{fine}");
    }
    let cut = |letter: char| {
        format!(
            "for GRUB a bare {letter} ends the command: what follows is not on the line \
             (write \\{letter})"
        )
    };
    assert_eq!(
        told("\"smt=0 crashkernel=202M<4G iomu=1\""),
        one(Severity::Error, "crashkernel=202M", &cut('<'))
    );
    assert_eq!(
        told("'rmrr=0x1=0:0:1d.0;0x2=0:0:1a.0'"),
        one(Severity::Error, "rmrr=0x1=0:0:1d.0", &cut(';'))
    );
    assert_eq!(
        told("'smt=0 & noreboot'"),
        one(Severity::Error, "smt=0", &cut('&'))
    );
    assert_eq!(
        told("'smt=0 # noreboot'"),
        one(
            Severity::Hint,
            "smt=0",
            "for GRUB # begins a comment: what follows is not on the line"
        )
    );
    let unknown = "cannot be known: it is put together when the script runs";
    for (word, kept) in [
        ("dom0_mem=${MEM}M", "dom0_mem=${MEM}M"),
        ("$(cat x)", "$()"),
        ("dom0_mem=`cat x`", "dom0_mem=$()"),
    ] {
        assert_eq!(
            told(&format!("\"smt=0 {word} noreboot\"")),
            one(Severity::Hint, kept, unknown)
        );
    }
    for open in ["\"smt=0", "\"tee='x\""] {
        let line = format!("GRUB_CMDLINE_XEN={open}");
        let what = "a quote is not closed: no boot entry comes of it";
        assert_eq!(told(open), one(Severity::Error, &line, what));
    }
}

#[test]
fn a_grub_cfg_is_read_as_grub_reads_it() {
    let text = "menuentry 'Xen' {\n\
        \tmultiboot2 ${prefix}/xen.gz placeholder 'a<b' c\\;d $more # why\n\
        \tmodule2 /vmlinuz root=/dev/sda1 'x y'\n}\n";
    assert_eq!(
        lines(text),
        [
            xen(2, "placeholder a<b c;d"),
            linux(3, "root=/dev/sda1 x y")
        ]
    );
}

#[test]
fn what_xl_info_tells_of_the_release_goes_with_the_line() {
    let text = "xen_version            : 4.17.5\nxen_commandline        : fred=1\n";
    let found = carried(text);
    assert_eq!(found[0].xen, "4.17".parse().ok());
    assert_eq!(found[0].number, 2);
    assert_eq!(carried("xen_commandline: smt=0\n")[0].xen, None);
}

#[test]
fn what_xen_efi_would_not_find_in_a_xen_cfg_is_told() {
    let target = Target {
        arch: crate::Arch::X86_64,
        xen: None,
    };
    let told = |text: &str| -> Vec<(usize, String)> {
        let found = carried(text);
        let findings = found.iter().flat_map(|one| {
            let told = one.findings(&target).into_iter();
            told.map(|finding| (one.number, finding.to_string()))
        });
        findings.collect()
    };
    let spaces = "[global]\ndefault=a\n[a]\noptions = smt=0 noreboot\nkernel=vmlinuz ro\n";
    assert_eq!(
        told(spaces),
        [(
            4,
            "options: in xen.cfg no space may stand before =: the line is not read".to_owned()
        )]
    );
    let other = spaces.replace("=a", "=b").replace(" = ", "=");
    assert_eq!(
        told(&other),
        [(
            2,
            "default=b: no section has that name, so xen.efi finds no kernel".to_owned()
        )]
    );
    assert_eq!(told(&other.replace("=b", "=a")), []);
}

#[test]
fn the_line_of_a_xen_cfg_is_that_of_its_default_section() {
    let text = "[global]\ndefault=b\n[a]\noptions=smt=0\nkernel=k\n[b]\n\
        options = none\noptions=noreboot # why\nkernel=k\n[c]\nkernel=k\n";
    let line = |text: &str| line_of(text).map_err(|error| error.what);
    assert_eq!(line(text), Ok(Some("noreboot".to_owned())));
    let with = |section: &str| text.replace("default=b", &format!("default={section}"));
    assert_eq!(line(&with("a\r")), Ok(Some("smt=0".to_owned())));
    assert_eq!(line(&with("c")), Ok(Some(String::new())));
    assert_eq!(
        line(&with("d")),
        Err("default=d: no section has that name, so xen.efi finds no kernel".to_owned())
    );
    // Without one xen.efi takes what it finds first.
    assert_eq!(
        line(&text.replace("default=b\n", "")),
        Ok(Some("smt=0".to_owned()))
    );
}

#[test]
fn finds_the_lines_of_an_extlinux_conf() {
    let text = "DEFAULT menu.c32\nTIMEOUT 30\n\
        LABEL lts\n  LINUX vmlinuz-lts\n  INITRD initramfs-lts\n  APPEND root=/dev/sda quiet\n\
        LABEL xen-lts\n  MENU LABEL Xen/Linux lts\n  KERNEL mboot.c32\n  \
        APPEND /xen.gz dom0_mem=1G smt=0 --- /vmlinuz-lts root=/dev/sda ro --- /initramfs-lts\n";
    assert_eq!(
        lines(text),
        [xen(10, "dom0_mem=1G smt=0"), linux(10, "root=/dev/sda ro")]
    );
    assert_eq!(lines("label a\n append root=/dev/sda\n"), []);
}
