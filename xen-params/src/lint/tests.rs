use super::*;
use crate::Arch;
use proptest::prelude::*;

fn target(arch: Arch, xen: Option<&str>) -> Target {
    Target {
        arch,
        xen: xen.map(|text| text.parse().unwrap()),
    }
}

fn found(line: &str) -> Vec<(Severity, Code)> {
    lint(line, &target(Arch::X86_64, None))
        .into_iter()
        .map(|finding| (finding.severity, finding.code))
        .collect()
}

fn told(line: &str) -> Vec<String> {
    lint(line, &target(Arch::X86_64, None))
        .iter()
        .map(Finding::to_string)
        .collect()
}

const NOTHING: [(Severity, Code); 0] = [];

#[test]
fn finds_nothing_in_a_good_line() {
    for line in [
        "",
        "placeholder dom0_mem=1024M,max:1024M com1=115200,8n1 console=com1,vga no-real-mode edd=off",
        "dom0_mem=min:512M,max:8G,1G+10% dom0_max_vcpus=1-16 loglvl=all/all",
        "no-watchdog smt=off ucode=scan ivrs_ioapic[4]=00:14.0 dom0=pvh",
        "conring_size=16k nr_irqs=0x100 tevt_mask=-1 reboot=no",
    ] {
        assert_eq!(found(line), NOTHING, "{line}");
    }
}

#[test]
fn an_unknown_option_gets_the_name_that_was_meant() {
    assert_eq!(
        told("dom0-mem=1G,max:1G no-wachdog sausage=1 quiet"),
        [
            "dom0-mem=1G,max:1G: Xen has no such option (did you mean dom0_mem?)",
            "no-wachdog: Xen has no such option (did you mean watchdog?)",
            "sausage=1: Xen has no such option",
            "quiet: an option of Linux: it belongs on the Dom0 kernel's line",
        ]
    );
}

#[test]
fn a_size_without_a_suffix_is_a_trap() {
    assert_eq!(
        told("dom0_mem=512,max:1G"),
        ["dom0_mem=512,max:1G: 512 without a suffix is 512 KiB (for MiB write 512M)"]
    );
    assert_eq!(found("conring_size=64"), [(Severity::Warning, Code::Kib)]);
    assert_eq!(found("availmem=0"), NOTHING);
    assert_eq!(
        told("dom0_mem=010M,max:1G"),
        ["dom0_mem=010M,max:1G: the leading 0 makes the number octal: 8 MiB"]
    );
}

#[test]
fn values_are_checked_by_how_xen_reads_them() {
    for line in [
        "smt=maybe",
        "nr_irqs=many",
        "conring_size=1.5M",
        "dom0_mem=lots",
        "dom0_max_vcpus=0",
        "no-iommu=1",
        "no-dom0_mem",
    ] {
        assert_eq!(found(line), [(Severity::Error, Code::BadValue)], "{line}");
    }
    assert_eq!(found("nr_irqs"), [(Severity::Warning, Code::NoEffect)]);
    assert_eq!(found("no-nr_irqs=5"), [(Severity::Warning, Code::NoEffect)]);
}

#[test]
fn what_xen_cuts_off_is_an_error() {
    let long = format!("tee={}", "x".repeat(OPTION_MAX));
    assert!(found(&long).contains(&(Severity::Error, Code::OptionTooLong)));
    let fits = format!("mwait-idle.table={}", "x".repeat(110));
    assert_eq!(fits.len(), OPTION_MAX);
    assert_eq!(found(&fits), NOTHING);
    let line = "noreboot ".repeat(114);
    assert_eq!(line.len(), 1026);
    assert!(found(&line).contains(&(Severity::Error, Code::LineTooLong)));
}

#[test]
fn a_tab_separates_nothing() {
    assert_eq!(
        told("noreboot\twatchdog"),
        ["noreboot\\twatchdog: a tab or another control character; only a space separates options"]
    );
}

#[test]
fn two_dashes_end_xen_s_part() {
    assert_eq!(
        found("noreboot -- sausage=1"),
        [(Severity::Error, Code::EndOfXen)]
    );
}

#[test]
fn the_machine_and_the_release_decide() {
    assert_eq!(
        found("dtuart=/soc/uart"),
        [(Severity::Error, Code::OtherMachine)]
    );
    let at = |line: &str, xen: &str| lint(line, &target(Arch::X86_64, Some(xen)));
    assert_eq!(at("wallclock=efi", "4.20"), []);
    assert_eq!(
        at("wallclock=efi", "4.17")[0].to_string(),
        "wallclock=efi: since Xen 4.20, not in 4.17"
    );
    assert_eq!(
        at("gdb=com1", "4.19")[0].to_string(),
        "gdb=com1: up to Xen 4.18, not in 4.19"
    );
    let arm = target(Arch::Aarch64, None);
    assert_eq!(lint("dom0_mem=1G dtuart=/soc/uart", &arm), []);
    assert_eq!(lint("dom0_mem=1G,max:1G", &arm)[0].code, Code::BadValue);
}

#[test]
fn the_later_of_two_wins_unless_they_add_up() {
    assert_eq!(
        told("smt=1 com1=115200 no-smt"),
        ["smt=1: has no effect: the later no-smt wins"]
    );
    assert_eq!(found("iommu=verbose iommu=debug"), NOTHING);
    assert_eq!(found("dom0_mem=min:1G dom0_mem=max:4G"), NOTHING);
    assert_eq!(
        told("dom0_mem=max:1G dom0_mem=max:4G"),
        ["dom0_mem=max:1G: has no effect: the later dom0_mem=max:4G wins"]
    );
}

#[test]
fn contradictory_memory_is_told() {
    assert_eq!(
        found("dom0_mem=min:4G,max:2G"),
        [(Severity::Error, Code::Contradiction)]
    );
    assert_eq!(
        told("dom0_mem=4G,max:2G"),
        ["dom0_mem=4G,max:2G: 4 GiB is above max: 2 GiB, which wins"]
    );
    assert_eq!(found("dom0_mem=50%,max:2G"), NOTHING);
    assert_eq!(found("dom0_mem=2G"), [(Severity::Warning, Code::NoMaximum)]);
}

#[test]
fn what_not_each_build_has_is_a_hint() {
    let hint = (Severity::Hint, Code::BuildDependent);
    assert_eq!(found("flask=enforcing xsm=flask"), [hint, hint]);
    for (name, _) in BUILT_WITH {
        assert!(
            crate::table::table().iter().any(|row| row.name == name),
            "{name}"
        );
    }
}

#[test]
fn a_later_one_wins_where_it_sets_all() {
    assert_eq!(
        told("loglvl=all loglvl=info dom0_max_vcpus=1 iommu=on iommu=verbose dom0_max_vcpus=2"),
        [
            "loglvl=all: has no effect: the later loglvl=info wins",
            "dom0_max_vcpus=1: has no effect: the later dom0_max_vcpus=2 wins",
        ]
    );
    assert_eq!(
        told("dom0_mem=1G,max:1G dom0_mem=2G,max:2G"),
        ["dom0_mem=1G,max:1G: has no effect: the later dom0_mem=2G,max:2G wins"]
    );
    for name in WHOLE {
        assert!(
            crate::table::table().iter().any(|row| row.name == name),
            "{name}"
        );
    }
}

#[test]
fn options_that_do_not_go_together_are_told() {
    assert_eq!(
        told("console=com1,vga"),
        [
            "console=com1,vga: com1 without com1= has whatever speed firmware gave it \
             (such as com1=115200,8n1)"
        ]
    );
    assert_eq!(found("com1=115200 console=com1 dbgp=ehci"), NOTHING);
    for (line, code) in [
        ("console=xhci", Code::Incomplete),
        ("iommu=no,required", Code::Contradiction),
        ("no-iommu dom0=pvh", Code::Contradiction),
        ("nosmp maxcpus=4", Code::Contradiction),
        ("watchdog_timeout=5 no-watchdog", Code::Contradiction),
        ("no-smt=0", Code::Contradiction),
        ("flask=enforcing", Code::Incomplete),
        ("sched=credit credit2_runqueue=core", Code::NoEffect),
        ("sched=creditt", Code::BadValue),
        ("dom0_mem=1G,min:2G,max:4G", Code::Contradiction),
    ] {
        let mut codes: Vec<Code> = found(line).iter().map(|(_, code)| *code).collect();
        codes.retain(|code| *code != Code::BuildDependent);
        assert_eq!(codes, [code], "{line}");
    }
    for line in [
        "iommu=no,required iommu=yes",
        "dom0=pvh",
        "nosmp maxcpus=1",
        "no-nosmp maxcpus=4",
        "no-watchdog watchdog_timeout=0",
        "sched=credit sched_credit_tslice_ms=5",
    ] {
        assert_eq!(found(line), NOTHING, "{line}");
    }
}

#[test]
fn what_is_obsolete_is_told_with_the_release_where_that_is_known() {
    assert_eq!(
        told("gdb=com1 hpetbroadcast"),
        [
            "gdb=com1: obsolete: Xen 4.18 is the last that knows it",
            "gdb=com1: only in a Xen built with CONFIG_CRASH_DEBUG, others do not know it",
            "hpetbroadcast: obsolete: now hpet=broadcast",
        ]
    );
}

#[test]
fn options_on_the_wrong_side_are_told() {
    let target = target(Arch::X86_64, None);
    let told = |line: &str| -> Vec<String> {
        let found = lint_linux(line, &target);
        found.iter().map(|one| one.word.clone()).collect()
    };
    assert_eq!(
        told("root=/dev/sda1 ro quiet dom0_mem=1G console=hvc0 acpi=off com1=115200 mem=4G no-smt"),
        ["dom0_mem=1G", "com1=115200", "no-smt"]
    );
    assert_eq!(
        found("root=/dev/sda1 noreboot xen-pciback.hide=(01:00.0)"),
        [
            (Severity::Error, Code::LinuxOption),
            (Severity::Error, Code::LinuxOption)
        ]
    );
}

#[test]
fn what_linux_has_by_the_same_name_may_stand_on_its_line() {
    let target = target(Arch::X86_64, None);
    let line = "x2apic_phys fred=on lapic_timer_c2_ok pcie_aspm=off nosmt nowatchdog";
    assert_eq!(lint_linux(line, &target), []);
    assert_eq!(
        told("nosmt nosmt=force nowatchdog pcie_aspm=off"),
        [
            "nosmt: an option of Linux: it belongs on the Dom0 kernel's line (Xen: smt=0)",
            "nosmt=force: an option of Linux: it belongs on the Dom0 kernel's line (Xen: smt=0)",
            "nowatchdog: an option of Linux: it belongs on the Dom0 kernel's line \
             (Xen: no-watchdog)",
            "pcie_aspm=off: an option of Linux: it belongs on the Dom0 kernel's line",
        ]
    );
}

proptest! {
    #[test]
    fn a_line_of_the_table_s_options_is_the_same_when_taken_apart_and_put_together(
        rows in prop::collection::vec((0..232_usize, "[a-z0-9,:=]{0,8}"), 0..20)
    ) {
        let words = rows.iter().map(|(row, value)| {
            format!("{}={value}", crate::table::table()[*row].name)
        });
        let line = words.collect::<Vec<_>>().join(" ");
        prop_assert_eq!(crate::Line::parse(&line).to_string(), line.clone());
        let _ = lint(&line, &target(Arch::X86_64, None));
        let _ = lint_linux(&line, &target(Arch::Aarch64, None));
    }
}

proptest! {
    #[test]
    fn never_panics(text in ".{0,300}") {
        for arch in [Arch::X86_64, Arch::Aarch64] {
            for finding in lint(&text, &target(arch, Some("4.17"))) {
                prop_assert!(finding.at <= text.len());
                let _ = finding.to_string();
            }
        }
    }

    #[test]
    fn never_panics_on_what_looks_like_a_line(
        words in prop::collection::vec(
            "(no-)?(dom0_mem|dom0_max_vcpus|com1|conring_size|nr_irqs|smt|ivrs_hpet\\[)=?[-+,:%0-9a-zMGTx]{0,12}",
            0..8,
        )
    ) {
        let _ = lint(&words.join(" "), &target(Arch::X86_64, None));
    }
}

#[test]
fn on_arm_processors_are_a_number_and_x86_s_options_are_another_machine_s() {
    let target = target(Arch::Aarch64, None);
    let codes = |line: &str| -> Vec<Code> { lint(line, &target).iter().map(|f| f.code).collect() };
    assert_eq!(codes("dom0_max_vcpus=4"), []);
    assert_eq!(codes("dom0_max_vcpus=2-8"), [Code::BadValue]);
    for option in [
        "ept=ad",
        "vga=current",
        "snb_igd_quirk",
        "dbgp=ehci",
        "font=8x16",
    ] {
        assert_eq!(codes(option), [Code::OtherMachine], "{option}");
    }
}

#[test]
fn a_mistake_that_is_repeated_is_told_each_time() {
    let target = target(Arch::X86_64, None);
    for word in ["iomu=1", "smt=maybe", "root=/dev/sda", "dom0_mem=x"] {
        let found = lint(&format!("{word} {word}"), &target);
        let errors: Vec<&Finding> = found
            .iter()
            .filter(|one| one.severity == Severity::Error)
            .collect();
        assert_eq!(errors.len(), 2, "{word}");
        assert_eq!((errors[0].at, errors[1].at), (0, word.len() + 1));
        assert_eq!(errors[0].what, errors[1].what);
    }
}
