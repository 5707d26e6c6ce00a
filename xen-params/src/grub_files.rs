//! The command lines that a `grub.cfg` holds, which is a script.

use crate::carried::{Carried, Side};
use crate::finding::{Code, Finding, Severity};
use crate::script::{Known, Script, ScriptWord, Stop};

/// The commands by which GRUB starts a hypervisor, and those by which it
/// hands files to one.
const STARTS: [&str; 3] = ["multiboot", "multiboot2", "xen_hypervisor"];
const MODULES: [&str; 3] = ["module", "module2", "xen_module"];

/// It is a line of a `grub.cfg`.
pub(crate) fn is_entry(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_command = words.next().is_some_and(|word| {
        STARTS.contains(&word) || MODULES.contains(&word) || word == "menuentry"
    });
    is_command && words.next().is_some()
}

/// The lines of the entries by which Xen is started.
pub(crate) fn grub_cfg(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    let mut under_xen = false;
    for (at, line) in text.lines().enumerate() {
        let (words, stop) = Script::new(line).command();
        let mut known = words.iter().filter(|word| word.known != Known::Variable);
        let Some(name) = known.next().map(|word| word.text.as_str()) else {
            continue;
        };
        if name == "menuentry" {
            under_xen = false;
        }
        let is_start = STARTS.contains(&name);
        if !is_start && !MODULES.contains(&name) {
            continue;
        }
        let Some(file) = words[1..]
            .iter()
            .position(|word| word.known != Known::Variable && !word.text.starts_with("--"))
        else {
            continue;
        };
        let (file, words) = (&words[file + 1].text, &words[file + 2..]);
        let file = file.rsplit('/').next().unwrap_or_default();
        if is_start {
            under_xen = file.starts_with("xen") || name == "xen_hypervisor";
        }
        let side = if is_start { Side::Xen } else { Side::Linux };
        if under_xen && (is_start || is_kernel(file)) {
            found.push(handed_on(at + 1, side, words, stop));
        }
    }
    found
}

fn is_kernel(file: &str) -> bool {
    ["vmlinu", "bzImage", "kernel", "Image", "linux"]
        .iter()
        .any(|start| file.starts_with(start))
}

/// Why of a word nothing more is said.
pub(crate) const UNKNOWN: &str = "cannot be known: it is put together when the script runs";

/// What GRUB hands on of a command's words, as far as that can be known.
pub(crate) fn handed_on(
    number: usize,
    side: Side,
    words: &[ScriptWord],
    stop: Option<Stop>,
) -> Carried {
    let mut line = String::new();
    let mut unknown = vec![];
    let mut last = (0, "");
    for word in words.iter().filter(|word| word.known != Known::Variable) {
        if !line.is_empty() {
            line.push(' ');
        }
        last = (line.len(), &word.text);
        line.push_str(&word.text);
        if word.known == Known::Part {
            unknown.push(finding(Severity::Hint, last.0, &word.text, UNKNOWN));
        }
    }
    let mut one = Carried::new(number, side, line);
    unknown.into_iter().for_each(|hint| one.tell_alone(hint));
    match stop {
        None
        | Some(Stop {
            letter: '{' | '}',
            is_apart: true,
        }) => {}
        Some(Stop { letter: '#', .. }) => {
            let what = "for GRUB # begins a comment: what follows is not on the line";
            one.tell(finding(Severity::Hint, last.0, last.1, what));
        }
        Some(Stop { letter, is_apart }) => {
            let what = format!(
                "for GRUB a bare {letter} ends the command: what follows is not on the line \
                 (write \\{letter})"
            );
            let cut = finding(Severity::Error, last.0, last.1, &what);
            if is_apart {
                one.tell(cut);
            } else {
                one.tell_alone(cut);
            }
        }
    }
    one
}

pub(crate) fn finding(severity: Severity, at: usize, word: &str, what: &str) -> Finding {
    Finding {
        severity,
        code: Code::Uncarried,
        at,
        word: word.to_owned(),
        what: what.to_owned().into(),
    }
}
