use crate::carried::{carried, line_of};
use crate::{Arch, Code, Target};

const TARGET: Target = Target {
    arch: Arch::X86_64,
    xen: None,
};

/// The line of the normal entry; or on which line of the file, and why, none.
fn normal(text: &str) -> Result<String, (usize, String)> {
    line_of(text)
        .map(|line| line.unwrap())
        .map_err(|error| (error.number, error.what))
}

/// What is found, and on which line of the file.
fn found(text: &str) -> Vec<(usize, Code, usize, String)> {
    let lines = carried(text).into_iter();
    lines
        .flat_map(|one| {
            let number = one.number;
            let findings = one.findings(&TARGET).into_iter();
            findings.map(move |found| (number, found.code, found.at, found.word))
        })
        .collect()
}

#[test]
fn the_line_of_the_normal_entry_is_both_settings_as_they_are_last() {
    for (text, line) in [
        (
            "GRUB_CMDLINE_XEN=\"\"\nGRUB_CMDLINE_XEN_DEFAULT=\"dom0_mem=4G,max:4G com1=9600\"\n",
            "dom0_mem=4G,max:4G com1=9600",
        ),
        (
            "GRUB_CMDLINE_XEN_DEFAULT=b\nGRUB_CMDLINE_XEN='a'\nGRUB_CMDLINE_XEN_DEFAULT=c\n",
            "a c",
        ),
        (
            "GRUB_CMDLINE_XEN=\"a\"\nGRUB_CMDLINE_XEN=\"$GRUB_CMDLINE_XEN smt=0\"\n",
            "a smt=0",
        ),
        (
            "GRUB_CMDLINE_XEN=a\nexport GRUB_CMDLINE_XEN_DEFAULT=\"b ${GRUB_CMDLINE_XEN} c\"\n",
            "a b a c",
        ),
        ("GRUB_CMDLINE_XEN=a\nGRUB_CMDLINE_XEN+=' b'\n", "a b"),
        // What ends the command of grub.cfg ends it for both.
        (
            "GRUB_CMDLINE_XEN='a # why'\nGRUB_CMDLINE_XEN_DEFAULT=b\n",
            "a",
        ),
        ("GRUB_CMDLINE_XEN=\n", ""),
        // One that was not known is not there any more.
        ("GRUB_CMDLINE_XEN=$X\nGRUB_CMDLINE_XEN=a\n", "a"),
    ] {
        assert_eq!(normal(text), Ok(line.to_owned()), "{text}");
        assert_eq!(normal(&format!("\u{feff}{text}")), Ok(line.to_owned()));
    }
    assert_eq!(line_of("GRUB_CMDLINE_LINUX=quiet\n"), Ok(None));
}

#[test]
fn a_line_that_other_files_are_part_of_is_not_guessed() {
    for (text, number, word) in [
        (
            "GRUB_CMDLINE_XEN=\"$GRUB_CMDLINE_XEN_DEFAULT dom0_mem=512\"\n",
            1,
            "$GRUB_CMDLINE_XEN_DEFAULT",
        ),
        ("\nGRUB_CMDLINE_XEN=\"a $MORE\"\n", 2, "$MORE"),
        (
            "GRUB_CMDLINE_XEN=\"dom0_mem=${MEM}M\"\n",
            1,
            "dom0_mem=${MEM}M",
        ),
        ("GRUB_CMDLINE_XEN=\"$(cat x)\"\n", 1, "$()"),
        (
            "GRUB_CMDLINE_XEN=$X\nGRUB_CMDLINE_XEN_DEFAULT=$GRUB_CMDLINE_XEN\n",
            1,
            "$X",
        ),
        // It is GRUB's variable, not the shell's.
        (
            "GRUB_CMDLINE_XEN=a\nGRUB_CMDLINE_XEN='$GRUB_CMDLINE_XEN b'\n",
            2,
            "$GRUB_CMDLINE_XEN",
        ),
        ("GRUB_CMDLINE_XEN=\"a\n", 1, "GRUB_CMDLINE_XEN"),
    ] {
        let (at, what) = normal(text).unwrap_err();
        assert_eq!(at, number, "{text}");
        assert!(what.starts_with(&format!("{word}: ")), "{what}");
    }
}

#[test]
fn both_settings_are_looked_at_as_the_one_line_that_they_are() {
    let duplicate = |at, word: &str| (1, Code::Duplicate, at, word.to_owned());
    assert_eq!(
        found(
            "GRUB_CMDLINE_XEN=\"com1=115200,8n1 dom0_mem=1G,max:1G\"\n\
             GRUB_CMDLINE_XEN_DEFAULT=\"console=com1,vga dom0_mem=2G,max:2G\"\n"
        ),
        [duplicate(16, "dom0_mem=1G,max:1G")]
    );
    assert_eq!(
        found("GRUB_CMDLINE_XEN='smt=1'\nGRUB_CMDLINE_XEN=\"$GRUB_CMDLINE_XEN smt=0 iomu=1\"\n"),
        [
            duplicate(0, "smt=1"),
            (2, Code::Unknown, 6, "iomu=1".to_owned())
        ]
    );
    // What is not on the line any more stands by itself.
    assert_eq!(
        found("GRUB_CMDLINE_XEN='smt=1'\nGRUB_CMDLINE_XEN='smt=0'\n"),
        []
    );
    let half = "noreboot ".repeat(60);
    let codes = found(&format!(
        "GRUB_CMDLINE_XEN='{half}'\nGRUB_CMDLINE_XEN_DEFAULT='{half}'\n"
    ));
    let long: Vec<usize> = codes
        .iter()
        .filter(|(_, code, ..)| *code == Code::LineTooLong)
        .map(|(number, ..)| *number)
        .collect();
    assert_eq!(long, [2]);
    // GRUB takes it for one word, Xen does not.
    assert_eq!(
        found("GRUB_CMDLINE_XEN=\"'' 'smt=0 iomu=1'\"\nGRUB_CMDLINE_XEN_DEFAULT=noreboot\n"),
        [(1, Code::Unknown, 6, "iomu=1".to_owned())]
    );
}

#[test]
fn a_mistake_in_a_variable_that_the_other_includes_is_told_once() {
    assert_eq!(
        found("GRUB_CMDLINE_XEN=\"foo\"\nGRUB_CMDLINE_XEN_DEFAULT=\"$GRUB_CMDLINE_XEN smt=0\"\n"),
        [(1, Code::Unknown, 0, "foo".to_owned())]
    );
}

#[test]
fn settings_are_known_where_all_are_commented_out() {
    let debian = "# There are some additional variables that can be used\n\
        echo \"Including Xen overrides\" >&2\n\
        # dom0_mem=<size> (for arm)\n\
        #GRUB_CMDLINE_XEN_DEFAULT=\"\"\n\
        #\n\
        if [ \"$XEN_OVERRIDE_GRUB_DEFAULT\" = \"\" ]; then\n\
        \tgrub_warn \"GRUB_DEFAULT changed to boot into Xen by default!\"\n\
        fi\n";
    assert_eq!(carried(debian), []);
    assert_eq!(carried("GRUB_DEFAULT=0\necho smt=0\n"), []);
    // A comment of another file is one.
    for lines in [
        "# GRUB's line was this\nsmt=0\n",
        "# GRUB_CMDLINE_XEN=dom0_mem=1G\nsmt=0\n",
    ] {
        assert_eq!(line_of(lines), Ok(Some("smt=0".to_owned())));
    }
    for option in [
        "no-smt",
        "  noreboot",
        "dom0_mem=2G smt=0",
        "ivrs_ioapic[4]=00:14.0",
    ] {
        let text = format!("#GRUB_CMDLINE_XEN=\"\"\n{option}\n");
        assert_eq!(line_of(&text), Ok(Some(option.to_owned())));
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_line_but_told_where_it_harms() {
    assert_eq!(
        found("\u{feff}GRUB_CMDLINE_XEN=smt=0\n"),
        [(1, Code::Uncarried, 0, "U+FEFF".to_owned())]
    );
    assert_eq!(found("\u{feff}smt=0\n"), []);
    assert_eq!(found("\u{feff}xen_commandline : smt=0\n"), []);
    let xen_cfg = "\u{feff}[global]\ndefault=a\n[a]\noptions=smt=0\nkernel=k\n";
    assert_eq!(line_of(xen_cfg), Ok(Some("smt=0".to_owned())));
    assert_eq!(
        found(xen_cfg),
        [(1, Code::Uncarried, 0, "U+FEFF".to_owned())]
    );
}

proptest::proptest! {
    #[test]
    fn never_panics_and_stays_on_the_line(
        values in proptest::collection::vec(
            "(export )?GRUB_CMDLINE_XEN(_DEFAULT)?[+]?=['\"]?([ $a-c='\"{}#;\\\\]|smt=0 |\\$GRUB_CMDLINE_XEN(_DEFAULT)? ){0,8}['\"]?",
            0..6,
        )
    ) {
        let text = values.join("\n");
        let _ = line_of(&text);
        for one in carried(&text) {
            for finding in one.findings(&TARGET) {
                proptest::prop_assert!(finding.at <= one.line.len(), "{}", text);
            }
        }
    }
}
