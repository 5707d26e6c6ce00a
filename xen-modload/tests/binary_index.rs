//! The binary form of the index, made here as depmod makes it; `scripts/lab/parity`
//! holds the real one against modprobe.

mod trie;

use std::fs;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use proptest::prelude::*;
use xen_modload::parsers::{binary_index, modules_alias};

/// Few letters, so that keys share their beginnings; and all that is wild.
const PATTERN: &str = "([a-c_]|[a-c]|\\*|\\?|\\[ab\\]|\\[!b\\]|\\[a-b\\]){1,6}";

const MODULES: &str = "lib/modules/6.1.0-test";
const DEP: [(&str, &str); 3] = [
    (
        "tun",
        "kernel/net/tun.ko: kernel/lib/b.ko kernel/lib/tune.ko",
    ),
    ("tune", "kernel/lib/tune.ko:"),
    ("b", "kernel/lib/b.ko: kernel/lib/tune.ko"),
];

fn text(pairs: &[(&str, &str)]) -> String {
    let lines = pairs
        .iter()
        .map(|(key, value)| format!("alias {key} {value}\n"));
    lines.collect()
}

proptest! {
    #[test]
    fn it_says_what_the_text_says(
        pairs in proptest::collection::vec((PATTERN, "[a-z]{1,4}"), 0..24),
        name in "[a-c_]{0,7}",
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let file = trie::write(&pairs);
        let (exact, matching) = binary_index(&file, &name).unwrap();
        prop_assert_eq!(matching, modules_alias(text(&pairs).as_bytes(), &name));
        let first = pairs.iter().find(|(key, _)| *key == name);
        prop_assert_eq!(exact.as_deref(), first.map(|(_, value)| *value));
    }

    #[test]
    fn cut_off_anywhere_it_is_damaged(
        pairs in proptest::collection::vec((PATTERN, "[a-z]{1,4}"), 1..9),
        name in "[a-c_]{0,7}",
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let file = trie::write(&pairs);
        let whole = binary_index(&file, &name).unwrap();
        for end in 0..file.len() {
            // An answer from what is left of it is right.
            if let Ok(answer) = binary_index(&file[..end], &name) {
                prop_assert_eq!(&answer, &whole, "cut at {}", end);
            }
        }
    }

    #[test]
    fn whatever_it_holds_the_search_ends(
        pairs in proptest::collection::vec((PATTERN, "[a-z]{1,4}"), 1..9),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
        name in "[a-c_]{0,7}",
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut file = trie::write(&pairs);
        for (place, byte) in changes {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let _ = binary_index(&file, &name);
    }
}

/// A machine whose text index is damaged, and what the program says there.
fn dry_run(binary: &[u8], text: &str) -> (Option<i32>, String) {
    let root = tempfile::tempdir().expect("the test machine can be made");
    let modules = root.path().join(MODULES);
    fs::create_dir_all(&modules).expect("the test machine can be made");
    fs::write(modules.join("modules.dep"), text).expect("the test machine can be made");
    fs::write(modules.join("modules.dep.bin"), binary).expect("the test machine can be made");
    let output = cargo_bin_cmd!("xen-modload")
        .env_clear()
        .arg("--root")
        .arg(root.path())
        .args(["--dry-run", "--strict", "tun"])
        .output()
        .expect("the test machine can be made");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn loading(files: &[&str]) -> String {
    let folder = Path::new("/").join(MODULES);
    let lines = files
        .iter()
        .map(|file| format!("insmod {} \n", folder.join(file).display()));
    lines.collect()
}

#[test]
fn it_is_asked_before_the_text() {
    let expected = loading(&["kernel/lib/tune.ko", "kernel/lib/b.ko", "kernel/net/tun.ko"]);
    let said = dry_run(&trie::write(&DEP), "garbage\n");
    assert_eq!(said, (Some(0), expected));
}

#[test]
fn where_it_is_damaged_the_text_answers() {
    let file = trie::write(&DEP);
    let whole = dry_run(&file, "text.ko:\ntun.ko:\n");
    let by_text = (Some(0), loading(&["tun.ko"]));
    for end in (0..file.len()).step_by(7) {
        let said = dry_run(&file[..end], "text.ko:\ntun.ko:\n");
        assert!(said == by_text || said == whole, "cut at {end}: {said:?}");
    }
    assert_eq!(dry_run(b"", "text.ko:\ntun.ko:\n"), by_text);
    let mut other_version = file;
    other_version[5] = 3;
    assert_eq!(dry_run(&other_version, "text.ko:\ntun.ko:\n"), by_text);
}

#[test]
fn where_a_stretch_of_it_is_lost_the_text_answers() {
    let names: Vec<String> = (0..40).map(|number| format!("tu{number}")).collect();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("kernel/{name}.ko: kernel/lib/b.ko"))
        .collect();
    let others = names.iter().zip(&lines);
    let all: Vec<(&str, &str)> = others
        .map(|(name, line)| (name.as_str(), line.as_str()))
        .chain(DEP)
        .collect();
    let file = trie::write(&all);
    let text: String = DEP.map(|(_, line)| format!("{line}\n")).concat();
    let whole = dry_run(&file, &text);
    assert_eq!(whole.0, Some(0));
    let size = 256;
    for from in (12..file.len() - size).step_by(11) {
        let mut damaged = file.clone();
        damaged[from..from + size].fill(0);
        assert_eq!(dry_run(&damaged, &text), whole, "lost from {from}");
    }
}

#[test]
fn what_it_does_not_find_the_text_may_have() {
    let by_text = (Some(0), loading(&["tun.ko"]));
    assert_eq!(
        dry_run(&trie::write(&DEP[1..]), "text.ko:\ntun.ko:\n"),
        by_text
    );
    // Nor need its line be one.
    for line in [
        "kernel/net/tu",
        "kernel/net/tum.ko:",
        "kernel/net/tun.ko: kernel/l\u{7}b.ko",
    ] {
        let said = dry_run(&trie::write(&[("tun", line)]), "tun.ko:\n");
        assert_eq!(said, by_text, "{line}");
    }
}

#[test]
fn without_a_module_in_it_the_text_decides() {
    let (status, said) = dry_run(&trie::write(&[]), "");
    assert_eq!(status, Some(5), "{said}");
    let (status, said) = dry_run(&trie::write(&[]), "garbage\n");
    assert_eq!(status, Some(6), "{said}");
}
