//! The command lines that a `xen.cfg` holds (`xen/common/efi/boot.c`).

use crate::carried::{Carried, NoLineHere, Side, uncarried};
use crate::finding::Severity;
use crate::line::{Word, last_word};

const NO_SECTION: &str = "no section has that name, so xen.efi finds no kernel";

/// A setting of a `xen.cfg`. Its name must end where the `=` stands.
fn setting(line: &str) -> Option<(&str, &str)> {
    line.trim_start().split_once('=')
}

/// The name of a section; `xen.efi` looks for it exactly.
fn section(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('[')?.split(']').next()
}

pub(crate) fn is_xen_cfg(text: &str) -> bool {
    let mut names = text.lines().filter_map(setting).map(|(name, _)| name);
    text.lines().any(|line| section(line).is_some())
        && names.any(|name| ["options", "kernel"].contains(&name.trim_end()))
}

/// The lines of every section. What is wrong with the file itself comes last,
/// with no line.
pub(crate) fn xen_cfg_lines(text: &str) -> Vec<Carried> {
    let mut found = vec![];
    let mut no_default = None;
    let mut here = "";
    for (at, line) in text.lines().enumerate() {
        here = section(line).unwrap_or(here);
        let Some((name, value)) = setting(line) else {
            continue;
        };
        let (side, value) = match name.trim_end() {
            "options" => (Side::Xen, value),
            "kernel" => {
                let (_, line) = value.trim_start().split_once(' ').unwrap_or_default();
                (Side::Linux, line)
            }
            "default" if here == "global" => {
                let named = value.trim();
                if !text.lines().filter_map(section).any(|one| one == named) {
                    let mut one = Carried::new(at + 1, Side::Xen, "");
                    let word = Word {
                        at: 0,
                        text: line.trim(),
                    };
                    one.tell(uncarried(Severity::Error, word, NO_SECTION.to_owned()));
                    no_default = Some(one);
                }
                continue;
            }
            _ => continue,
        };
        let end = value
            .find(|c: char| c == '#' || c == '\t' || !c.is_ascii())
            .unwrap_or(value.len());
        let (kept, lost) = value.split_at(end);
        let mut one = Carried::new(at + 1, side, kept.trim_end_matches(['\r', ' ']));
        let half = !kept.is_empty() && !kept.ends_with(' ');
        let last = last_word(&one.line);
        let cut = cut(lost, half).map(|(severity, what)| uncarried(severity, last, what));
        match cut {
            Some(cut) if half => one.tell_alone(cut),
            Some(cut) => one.tell(cut),
            None => {}
        }
        if name.ends_with(' ') {
            let word = Word {
                at: 0,
                text: name.trim(),
            };
            let what = "in xen.cfg no space may stand before =: the line is not read".to_owned();
            one.tell(uncarried(Severity::Error, word, what));
        }
        found.push(one);
    }
    found.extend(no_default);
    found
}

/// The hypervisor's line of the section that `default=` names, as `xen.efi`
/// takes it where it is told no other; without a default it takes the first of
/// all. `None` where there is none.
///
/// # Errors
/// No section has that name.
pub(crate) fn xen_cfg_default(text: &str) -> Result<Option<String>, NoLineHere> {
    let mut here = "";
    let mut settings = vec![];
    for (at, line) in text.lines().enumerate() {
        here = section(line).unwrap_or(here);
        settings.extend(setting(line).map(|(name, value)| (at + 1, here, name, value.trim())));
    }
    let default = settings
        .iter()
        .find(|(_, here, name, _)| *here == "global" && *name == "default");
    if let Some((number, _, _, named)) = default {
        if !text.lines().filter_map(section).any(|one| one == *named) {
            return Err(NoLineHere {
                number: *number,
                what: format!("default={named}: {NO_SECTION}"),
            });
        }
    }
    let first = settings.iter().find(|(_, here, name, _)| {
        *name == "options" && default.is_none_or(|(_, _, _, named)| named == here)
    });
    let mut lines = xen_cfg_lines(text).into_iter();
    let line = first.and_then(|(number, ..)| lines.find(|one| one.number == *number));
    // A section without options starts Xen with none.
    let nothing = default.map(|_| String::new());
    Ok(line.map(|one| one.line).or(nothing))
}

/// What it means that `xen.efi` does not see a part of a value.
fn cut(lost: &str, half: bool) -> Option<(Severity, String)> {
    Some(match lost.chars().next()? {
        // A comment, most likely, and one that hides nothing.
        '#' if !half => {
            let what = "in xen.cfg # begins a comment: what follows is not on the line";
            (Severity::Hint, what.to_owned())
        }
        '#' => {
            let what = "in xen.cfg # begins a comment, even inside a word";
            (Severity::Error, what.to_owned())
        }
        '\t' => {
            let what = "in xen.cfg a tab ends the value";
            (Severity::Error, what.to_owned())
        }
        letter => {
            let what = format!("in xen.cfg only ASCII may stand, not {letter:?}");
            (Severity::Error, what)
        }
    })
}
