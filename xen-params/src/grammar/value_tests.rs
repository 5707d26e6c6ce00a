use super::*;
use crate::table::{Parser, table};

/// The grammar of an option on x86.
fn grammar(name: &str) -> &'static str {
    let rows = || table().iter().filter(|entry| entry.name == name);
    let row = rows()
        .find(|entry| entry.machines == "x86")
        .or(rows().next());
    row.unwrap().syntax
}

/// For each option the values that Xen takes and, after `!`, some that it
/// complains of, or reads as something else.
const VALUES: &[(&str, &str)] = &[
    ("acpi", "off no 0 force ht noirq verbose ! yes on 1 maybe"),
    ("acpi_apic_instance", "0 0x1 ! x 1x"),
    ("acpi_sleep", "s3_bios s3_mode,s3_bios ! s4 s3_bios,"),
    ("apic", "default bigsmp ! small"),
    ("apic_verbosity", "verbose debug ! loud"),
    (
        "argo",
        "yes,mac-permissive=1 no-mac-permissive ! maybe mac-permissive=2",
    ),
    ("badpage", "0x1234 1,2-5 ! x 1- 1,,2"),
    ("bootscrub", "idle yes 0 ! busy"),
    ("cet", "shstk no-ibt,shstk=0 ! shsk ibt=x"),
    ("clocksource", "pit hpet acpi tsc ! clock"),
    (
        "com1",
        "115200 115200,8n1 115200/115200,8n1,0x3f8,4 auto 9600,,pci ,,,4 ! x",
    ),
    (
        "com1",
        "115200,8n1,amt,msi,01:00.0,00:1c.0 115200,8n1,0x3f8,4,reg-width=4,reg-shift=2",
    ),
    (
        "com2",
        "baud=115200,parity=n,stop-bits=1,io-base=0x3f8,reg-width=4 ! 115200,8x1 300",
    ),
    (
        "com2",
        "38400 ! 115201 115200,9n1 115200,8n3 baud=fast reg-width=2 speed=9600 115200,8n1,usb",
    ),
    (
        "console",
        "vga com1 com1H com2L,vga none xhci,pv ! com3 com1X vga, ttyS0",
    ),
    ("console_timestamps", "none date datems boot raw yes ! time"),
    ("conswitch", "a ax ! abc ay"),
    ("core_parking", "power performance ! speed"),
    ("cpu_type", "arch_perfmon ! other"),
    (
        "cpufreq",
        "none xen xen:ondemand xen:powersave,verbose xen,maxfreq=2000000 dom0-kernel ! linux",
    ),
    (
        "cpufreq",
        "no hwp hwp:hdc,verbose hwp;xen:performance amd-cppc:active ! xen:fast hwp:fast",
    ),
    ("cpuid", "no-rdrand avx512f=0,sse4.1 ! no-avx=1 =1 avx=2"),
    ("cpuid_mask_cpu", "fam_0f_rev_c fam_10_rev_b ! fam_0f_rev_b"),
    ("crashinfo_maxaddr", "4G ! G"),
    (
        "crashkernel",
        "64M 256M@16M 256M<4G 256M,below=4G ! M 256M,above=4G 256M@",
    ),
    (
        "crashkernel",
        "1G-2G:64M 1G-2G:64M,2G-:128M@16M ! 1G:64M 1G-2G",
    ),
    ("credit2_runqueue", "cpu core socket node all ! thread"),
    (
        "dbgp",
        "ehci ehci1 ehci@pci00:1d.7 xhci xhci@pci00:14.0,share=hwdom xhci,share=no ! ohci ehci@pci1d",
    ),
    ("debugtrace", "128 cpu:1M ! cpu: all:1M"),
    (
        "dom0",
        "pv pvh,verbose no-shadow,pvh pvh,cpuid-faulting=0 ! hvm pvh,verbos sve=1",
    ),
    ("dom0-cpuid", "no-pku ! no-pku=0"),
    (
        "dom0-iommu",
        "passthrough strict,map-inclusive=no none ! all none=1 pass",
    ),
    ("dom0_ioports_disable", "3f8-3ff 2f8,3f8-3ff ! x 3f8-"),
    ("dom0_max_vcpus", "4 4- -8 4-8 ! x 4+8"),
    (
        "dom0_mem",
        "1G -1G min:1G,max:50%,1G+25% ! lots 100% 25%+1G",
    ),
    ("dom0_nodes", "0 0,1,strict relaxed ! any 0,"),
    ("efi", "no-rs attr=uc rs,attr=no ! attr=wc runtime"),
    ("ept", "ad pml=0,no-exec-sp ! a ad=2"),
    ("extra_guest_irqs", "32 ,64 32,64 ! x 32;64 32,64,1"),
    ("flask", "permissive enforcing late disabled ! off"),
    ("font", "8x8 8x14 8x16 ! 8x10 16x8"),
    ("gdb", "com1 com2H dbgp ! com3"),
    (
        "gnttab",
        "max-ver:1 max-ver:2,no-transitive,transfer=0 ! max-ver:3 max-ver=1",
    ),
    ("gnttab_max_frames", "64 ! -1 4294967296 many"),
    ("gnttab_max_maptrack_frames", "1024 ! -1"),
    ("guest_loglvl", "all error/all ! loud all/loud all/"),
    ("hpet", "no broadcast,legacy-replacement=0 ! legacy"),
    ("ioapic_ack", "old new ! never"),
    (
        "iommu",
        "no force,verbose quarantine=scratch-page quarantine=0 dom0-passthrough no-intremap ! foo",
    ),
    (
        "iommu",
        "debug,igfx=off ! verbos force:true,qinval:true no-force=1 pt quarantine=page",
    ),
    ("irq_vector_map", "none global per-device ! all"),
    (
        "ivmd",
        "f0000-f0010=0:1.0 f0000=00:1.0-00:1.7;f1000 ! x f0000=1",
    ),
    ("ivrs_hpet[", "00:14.0 0:0:14.0 ! 14 00:14 00:20.0 00:14.8"),
    ("loglvl", "all info none/error ! debug1 verbose"),
    ("low_crashinfo", "none min all ! some"),
    ("max_cstate", "1 1,0 ! C1 1,"),
    ("mce_verbosity", "verbose ! debug"),
    ("memop-max-order", "9 9,10,12 ,,12 ,,,1 ! x 1,2,3,4,5"),
    ("mmcfg", "no yes,amd-fam10 ! all"),
    ("mmio-relax", "all yes ! some"),
    ("nmi", "ignore dom0 fatal ! panic"),
    ("numa", "on off fake=4 noacpi ! no fake=x 0"),
    ("pci", "serr=0 no-perr ! sero"),
    ("pci-phantom", "00:1f,4 0:01:02,1 ! 00:1f,3 00:1f 00:1f.1,4"),
    ("pcid", "yes xpti no-xpti xpti=0 ! maybe"),
    ("preferred-cstates", "C1E C1,C2 7 ! C1,,C2"),
    (
        "psr",
        "cmt cmt:1,rmid_max:255,cat:0,cos_max:15,cdp:0 mba ! cmt=1 rmid_max",
    ),
    ("pv", "32 no-32 32=0 ! 64 32:0"),
    ("pv-l1tf", "no dom0 domu=0,dom0=1 ! dom1"),
    ("reboot", "t triple k kbd a,w efi no,cold ! fast q"),
    ("rmrr", "0x1-0x2=0:0:1d.0,0:0:1a.0;0x8=0:2:0.0 ! x 0x1-=1"),
    ("sched", "credit credit2 rtds arinc653 null ! cfs credit3"),
    ("sched-gran", "cpu core socket ! thread"),
    ("shim_mem", "64M min:64M,max:128M ! min: all"),
    ("smap", "yes hvm ! pv"),
    ("smep", "0 hvm ! pv"),
    ("snb_igd_quirk", "yes cap 670 ! maybe"),
    (
        "spec-ctrl",
        "no no-xen pv hvm=0 msr-sc=no-pv verw=hvm=0 bti-thunk=lfence bhb-seq=long ! yes",
    ),
    (
        "spec-ctrl",
        "no-ibrs,l1d-flush=1,gds-mit ! xen=1 bti-thunk=fast verw=dom0 ssbd=maybe",
    ),
    ("tsc", "unstable skewed stable:socket ! stable"),
    ("tsx", "0 yes ! auto"),
    ("ucode", "scan 1 -1 scan=no,nmi=0,digest-check=off ! scna x"),
    (
        "vga",
        "ask current text-80x25 gfx-1024x768x32,keep mode-0x318 ! keep1 text-132x60 gfx-1024x768",
    ),
    ("viridian-version", "6,0,0x1772 ,, ,1, ! 6 6,0 a,b,c"),
    ("vpmu", "yes bts ipc,arch rtm-abort=0 ! amd"),
    ("wallclock", "auto xen cmos efi ! rtc"),
    ("watchdog", "force yes 0 ! always"),
    ("watchdog_timeout", "5 0 ! x 5s"),
    ("x2apic-mode", "physical mixed cluster ! flat"),
    ("xpti", "default no dom0=0,domu dom0=1 ! dom1"),
    ("xsm", "dummy flask silo ! selinux"),
    ("vwfi", "trap native ! none"),
    ("serrors", "diverse panic ! forward"),
    ("tee", "optee ffa"),
    ("edd", "off on skipmbr ! maybe"),
    ("edid", "no force ! yes"),
    ("dtuart", "/soc/uart@9000000:115200"),
    ("dom0-llc-colors", "0-3,7 ! x 1-"),
    ("xen-llc-colors", "0 ! x"),
    ("crash-debug-panic", "0+0qr"),
    ("crash-debug-hwdom", "C"),
    ("crash-debug-kexeccmd", "d"),
    ("crash-debug-watchdog", "d"),
    ("crash-debug-debugkey", "d"),
    ("mwait-idle.table", "x"),
    ("ivrs_ioapic[", "00:14.0 ! x"),
];

#[test]
fn takes_the_good_and_refuses_the_bad_values_of_every_option() {
    for (name, values) in VALUES {
        let (good, bad) = values.split_once(" ! ").unwrap_or((values, ""));
        for value in good.split(' ') {
            let fits = check(grammar(name), value, None);
            assert!(fits.is_ok(), "{name}={value}: {fits:?}");
        }
        for value in bad.split(' ').filter(|value| !value.is_empty()) {
            let fits = check(grammar(name), value, None);
            assert!(fits.is_err(), "{name}={value} fits");
        }
    }
}

#[test]
fn every_option_with_a_grammar_has_such_values() {
    for entry in table() {
        let is_simple = matches!(
            entry.parser,
            Parser::Boolean | Parser::Integer | Parser::Size
        );
        assert!(
            is_simple
                || !entry.syntax.is_empty()
                || ["nolapic", "no-real-mode", "real-mode", "placeholder"].contains(&entry.name),
            "{}",
            entry.name
        );
        assert!(!is_simple || entry.syntax.is_empty(), "{}", entry.name);
        assert!(
            entry.syntax.is_empty() || VALUES.iter().any(|(name, _)| *name == entry.name),
            "{}",
            entry.name
        );
    }
}

#[test]
fn every_grammar_is_read_to_its_end() {
    for entry in table() {
        let (grammar, _) = kept(entry.syntax);
        let mut matcher = Matcher::new(grammar, "x", None);
        matcher.fits();
        assert_eq!(matcher.at, grammar.len(), "{}", entry.name);
        let kinds = grammar
            .split('<')
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap());
        for kind in kinds.filter(|_| !grammar.contains(r"\<")) {
            let name = kind::name(kind);
            assert!(
                name != "a word" || ["word", "text"].contains(&kind),
                "{kind}"
            );
        }
    }
}

#[test]
fn a_complaint_names_what_is_allowed() {
    let told = |name: &str, value: &str| check(grammar(name), value, None).unwrap_err();
    assert_eq!(
        told("sched", "credt"),
        "\"credt\" does not fit (did you mean credit?): it takes credit2, credit, rtds, arinc653 or null"
    );
    assert_eq!(
        told("iommu", "verbose,foo"),
        "\"foo\" does not fit: it takes yes or no, [no-]force, [no-]required, [no-]quarantine, \
         quarantine=scratch-page, [no-]verbose, [no-]debug, [no-]sharept, [no-]superpages, \
         [no-]intremap, [no-]intpost, [no-]crash-disable, [no-]snoop, [no-]qinval, [no-]igfx, \
         [no-]amd-iommu-perdev-intremap, [no-]dom0-passthrough or [no-]dom0-strict"
    );
    assert!(told("com1", "115200,8x1").starts_with(
        "\"8x1\" does not fit: it takes data bits, parity and stop bits such as 8n1, baud="
    ));
    assert_eq!(
        told("com1", "300"),
        "\"300\" does not fit: it takes auto, a number from 1200 to 115200, baud=, bridge=, clock-hz=, \
         data-bits=, dev=, io-base=, irq=, parity=, port=, reg-shift=, reg-width= or stop-bits="
    );
    assert_eq!(told("tsx", ""), "needs a value: it takes yes or no");
    assert_eq!(
        told("console", "com1,vga,com2,com1,vga,pv,dbgp,ehci"),
        "Xen keeps only 29 bytes of it: \"com1,vga,com2,com1,vga,pv,dbg\""
    );
}

#[test]
fn what_shares_a_debug_port_is_switched_as_xen_reads_it() {
    let fits = |value: &str| check(grammar("dbgp"), value, None).is_ok();
    for value in ["share", "no-share", "share=yes", "share=no", "share=hwdom"] {
        assert!(fits(&format!("xhci,{value}")), "{value}");
        assert!(fits(&format!("xhci@pci00:14.0,{value}")), "{value}");
        assert!(!fits(&format!("ehci,{value}")), "{value}");
    }
    assert!(fits("xhci,share,no-share"));
    assert!(!fits("xhcino-,share") && !fits("xhci,shared"));
}

#[test]
fn a_release_has_only_its_own_words() {
    let at = |xen: &str, value: &str| check(grammar("cpufreq"), value, xen.parse().ok()).is_ok();
    assert!(at("4.18", "hwp") && !at("4.17", "hwp"));
    let ucode = |xen: &str| check(grammar("ucode"), "no-allow-same", xen.parse().ok());
    assert!(ucode("4.19").is_ok() && ucode("4.20").is_err() && ucode("all").is_ok());
    assert!(at("4.21", "amd-cppc:active") && !at("4.20", "amd-cppc"));
    let told = check(grammar("cpufreq"), "hwpp", "4.17".parse().ok()).unwrap_err();
    assert!(
        !told.contains("hwp,") && !told.contains("amd-cppc"),
        "{told}"
    );
}

#[test]
fn a_size_in_kib_is_noticed() {
    let kib = |value: &str| check(grammar("crashkernel"), value, None).unwrap().kib;
    assert_eq!(kib("256"), Some(256));
    assert_eq!(kib("256M"), None);
    assert_eq!(kib("1G-2G:64,2G-:128M"), Some(64));
}

#[test]
fn a_grammar_is_told_in_words() {
    assert_eq!(describe("[<bool>|force]"), "[<bool> | force]");
    assert_eq!(
        describe("~29{,vga|com1[H|L]|xhci^4.17}"),
        "(vga | com1[H | L] | xhci since 4.17)[,...]"
    );
    assert_eq!(describe("a|b?^-4.19"), "a | [no-]b up to 4.19");
    assert_eq!(describe("{,32?|no-x}"), "([no-]32 | no-x)[,...]");
    assert_eq!(
        describe(r"<size>[@<size>|\<<size>]"),
        "<size>[@<size> | <<size>]"
    );
}

proptest::proptest! {
    #[test]
    fn never_panics(value in ".{0,140}", row in 0..232_usize) {
        let _ = check(table()[row].syntax, &value, "4.17".parse().ok());
    }

    #[test]
    fn never_panics_on_what_looks_like_a_value(
        value in "[-+,:;=./%@<>0-9a-zA-Z]{0,40}", row in 0..232_usize
    ) {
        let _ = check(table()[row].syntax, &value, None);
    }
}
