use super::*;
use crate::install::{Backup, Record};

const TARGET: &str = "/boot/xen-4.17-amd64.gz";

fn facts() -> Facts {
    Facts {
        dir: PathBuf::from("/srv/system"),
        dir_found: Found::Other("a folder"),
        seen_by_grub: false,
        record: Record::default(),
        foreign_record: None,
        link: Found::Nothing,
        params: Found::Nothing,
        safe: Found::Nothing,
        backups: ["xen.gz", "xen-params", "xen-params.safe"].map(|name| Backup {
            path: PathBuf::from(format!("/srv/system/{name}.bak")),
            found: Found::Nothing,
        }),
        source: PathBuf::from(TARGET),
        source_fingerprint: Fingerprint::of(b"\x1f\x8b"),
        marker: Some(PathBuf::from("/run/reboot-required")),
    }
}

fn wanted() -> Wanted {
    Wanted {
        target: PathBuf::from(TARGET),
        line: "dom0_mem=1G".to_owned(),
        safe: None,
    }
}

fn commands(facts: &Facts, force: bool) -> Vec<String> {
    let steps = plan(facts, &wanted(), force).unwrap();
    steps.iter().map(Step::command).collect()
}

fn line() -> Found {
    Found::File(Fingerprint::of(b"dom0_mem=1G\n"))
}

#[test]
fn an_empty_folder_gets_the_record_first_and_the_marker_last() {
    let commands = commands(&facts(), false);
    assert_eq!(commands.len(), 4);
    assert!(commands[0].ends_with("> /srv/system/.xen-params"));
    assert_eq!(
        commands[1..],
        [
            "ln -sfn /boot/xen-4.17-amd64.gz /srv/system/xen.gz",
            r"rm -f /srv/system/xen-params && printf '%s\n' 'dom0_mem=1G' > /srv/system/xen-params",
            "touch /run/reboot-required",
        ]
    );
}

#[test]
fn what_is_so_already_needs_nothing_whoever_made_it() {
    let mut facts = facts();
    facts.params = line();
    facts.link = Found::Link(PathBuf::from(TARGET));
    assert_eq!(commands(&facts, false), Vec::<String>::new());
    facts.link = Found::File(Fingerprint::of(b"\x1f\x8b"));
    assert_eq!(commands(&facts, true), Vec::<String>::new());
}

#[test]
fn what_was_recorded_is_kept_as_bak_and_replaced() {
    let mut facts = facts();
    facts.link = Found::Link(PathBuf::from("/boot/xen-4.16.gz"));
    facts.record = Record::parse("xen.gz link /boot/xen-4.16.gz\n");
    facts.params = line();
    let commands = commands(&facts, false);
    assert_eq!(
        commands[0],
        "rm -f /srv/system/xen.gz.bak && cp -a /srv/system/xen.gz /srv/system/xen.gz.bak"
    );
    assert_eq!(commands.len(), 4);
    // Until the link is replaced, the old one stays ours.
    assert!(commands[1].contains("xen-4.16.gz") && commands[1].contains(TARGET));
}

#[test]
fn what_somebody_else_wrote_stays_unless_forced() {
    let mut facts = facts();
    facts.params = Found::File(Fingerprint::of(b"loglvl=all\n"));
    let error = plan(&facts, &wanted(), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/srv/system/xen-params: a file, not written by xen-params (replace it with --force)"
    );
    assert_eq!(error.exit_status(), 6);
    let commands = commands(&facts, true);
    assert_eq!(
        commands[0],
        "rm -f /srv/system/xen-params.bak && cp -a /srv/system/xen-params /srv/system/xen-params.bak"
    );
}

#[test]
fn a_folder_is_never_replaced() {
    let mut facts = facts();
    facts.link = Found::Other("a folder");
    assert_eq!(plan(&facts, &wanted(), true).unwrap_err().exit_status(), 6);
}

#[test]
fn grub_s_folders_are_refused_even_by_force() {
    let mut facts = facts();
    facts.seen_by_grub = true;
    let error = plan(&facts, &wanted(), true).unwrap_err();
    assert!(error.to_string().contains("--format grub"));
    assert_eq!(error.exit_status(), 6);
}

#[test]
fn a_missing_folder_is_made_and_a_file_is_none() {
    let mut facts = facts();
    facts.dir_found = Found::Nothing;
    assert_eq!(commands(&facts, false)[0], "mkdir -p /srv/system");
    facts.dir_found = Found::File(Fingerprint::of(b""));
    assert_eq!(plan(&facts, &wanted(), true).unwrap_err().exit_status(), 6);
}
