//! The lines of the units are ones that the programs they start understand.
#![allow(clippy::unwrap_used, reason = "a test that cannot read ends here")]

use std::fs;
use std::path::Path;

use clap::Parser as _;

/// The words of every `Exec…=` line that starts one of our programs.
fn lines_of_ours(folder: &Path) -> Vec<Vec<String>> {
    let mut lines = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some((key, command)) = line.split_once('=') else {
                continue;
            };
            let command = command.trim_start_matches(['-', '+', '!', ':', '@']);
            // A shell that fills a default in gets the line as its arguments.
            let command = match command.split_once("' /usr/bin/xen-") {
                Some((_, rest)) => format!("/usr/bin/xen-{rest}"),
                None => command.to_owned(),
            };
            if key.starts_with("Exec") && command.starts_with("/usr/bin/xen-") {
                // systemd leaves out a word that is an empty variable.
                let words = command.split_whitespace();
                lines.push(
                    words
                        .filter(|word| !word.starts_with('$'))
                        .map(str::to_owned)
                        .collect(),
                );
            }
        }
    }
    lines
}

fn understood(words: &[String]) -> Result<(), clap::Error> {
    match words[0].trim_start_matches("/usr/bin/") {
        "xen-bridge" => xen_bridge::Args::try_parse_from(words).map(drop),
        "xen-modload" => xen_modload::Args::try_parse_from(words).map(drop),
        "xen-mountfs" => xen_mountfs::Args::try_parse_from(words).map(drop),
        "xen-storewait" => xen_storewait::Args::try_parse_from(words).map(drop),
        other => panic!("no unit of ours starts {other}"),
    }
}

#[test]
fn every_line_is_understood_by_the_program_it_starts() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected");
    for folder in [
        "debian-12/etc/systemd/system",
        "upstream/usr/lib/systemd/system",
        "store-domain/systemd/etc/systemd/system",
        "generator",
    ] {
        let lines = lines_of_ours(&expected.join(folder));
        assert!(lines.len() >= 9, "{folder}: only {} lines", lines.len());
        for words in lines {
            if let Err(error) = understood(&words) {
                panic!("{folder}: {}: {error}", words.join(" "));
            }
        }
    }
}

#[test]
fn a_line_that_a_program_does_not_know_is_noticed() {
    let words = ["/usr/bin/xen-bridge", "upp"].map(str::to_owned);
    assert!(understood(&words).is_err());
}
