//! The command lines that the settings of grub-mkconfig are. What a setting's
//! value is the shell says; as that stands in `grub.cfg` then, it is a script
//! once more.

use crate::carried::{Carried, Joined, NoLineHere, Side};
use crate::finding::Severity;
use crate::grub_files::{UNKNOWN, finding, handed_on};
use crate::script::{Known, Script, ScriptWord};

/// Why a file of them stands for no line.
const OPEN: &str = "a quote is not closed: no boot entry comes of it";
const ELSEWHERE: &str = "not set before in this file, so the line cannot be known";

/// The settings of the hypervisor's line, in the order in which `20_linux_xen`
/// puts them on that of the normal entry.
const XEN: [&str; 2] = ["GRUB_CMDLINE_XEN", "GRUB_CMDLINE_XEN_DEFAULT"];

/// The lines, and what comes of them.
pub(crate) struct GrubSettings {
    /// Each that is set, one after another.
    pub lines: Vec<Carried>,
    /// The hypervisor's of the normal entry; `None` where none is set.
    pub normal: Result<Option<String>, NoLineHere>,
}

/// A setting that is a command line.
struct Assignment<'a> {
    name: &'a str,
    side: Side,
    /// What was there stays before it.
    is_added: bool,
    value: &'a str,
}

/// What one of [`XEN`] is set to.
#[derive(Default, Clone)]
struct Value {
    words: Vec<Placed>,
    /// GRUB takes nothing behind it.
    is_cut: bool,
    wrong: Option<(usize, String)>,
}

/// A word, and where it stands: in which of the lines, and where there.
#[derive(Clone)]
struct Placed {
    line: usize,
    at: usize,
    text: String,
}

/// It sets something of grub-mkconfig.
pub(crate) fn is_setting(line: &str) -> bool {
    setting(line).is_some()
}

/// The same, commented out: such as a file is before it is changed.
pub(crate) fn is_setting_left_out(line: &str) -> bool {
    line.trim_start()
        .strip_prefix('#')
        .is_some_and(|line| is_setting(line.trim_start_matches('#')))
}

/// The name and the value of a setting, and whether it is added to.
fn setting(line: &str) -> Option<(&str, &str, bool)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let whole = name.strip_suffix('+');
    let rest = whole.unwrap_or(name).strip_prefix("GRUB_")?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_one = !rest.is_empty() && rest.chars().all(is_name);
    is_one.then_some((whole.unwrap_or(name), value, whole.is_some()))
}

fn assignment(line: &str) -> Option<Assignment<'_>> {
    let (name, value, is_added) = setting(line)?;
    let side = if XEN.contains(&name) {
        Side::Xen
    } else if name.starts_with("GRUB_CMDLINE_LINUX") {
        Side::Linux
    } else {
        return None;
    };
    Some(Assignment {
        name,
        side,
        is_added,
        value,
    })
}

impl GrubSettings {
    pub(crate) fn read(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut found = vec![];
        let mut values: [Option<Value>; 2] = [None, None];
        for (at, line) in lines.iter().enumerate() {
            let Some(assignment) = assignment(line) else {
                continue;
            };
            let rest = lines.get(at + 1..).unwrap_or_default();
            let (word, is_open) = value_of(assignment.value, rest);
            // The value stands in grub.cfg, where it is read once more.
            let mut script = Script::new(&word.text);
            let (words, stop) = script.command();
            let is_open = is_open || script.is_open;
            let place = XEN.iter().position(|name| *name == assignment.name);
            if let Some(place) = place {
                let before = values[place].clone().filter(|_| assignment.is_added);
                let mut value = before.unwrap_or_default();
                if is_open {
                    value.wrong = Some((at + 1, format!("{}: {OPEN}", assignment.name)));
                } else {
                    // In single quotes it is no variable of the shell.
                    let known = values.each_ref().map(Option::as_ref);
                    let known = known.map(|one| one.filter(|_| word.known != Known::Whole));
                    value.put(at + 1, found.len(), &words, known);
                    value.is_cut |= stop.is_some();
                }
                values[place] = Some(value);
            }
            found.push(if is_open {
                let mut one = Carried::new(at + 1, assignment.side, "");
                one.tell(finding(Severity::Error, 0, line.trim(), OPEN));
                one
            } else {
                handed_on(at + 1, assignment.side, &words, stop)
            });
        }
        let normal = join(values, &mut found);
        Self {
            lines: found,
            normal,
        }
    }
}

/// The first word of a value: what follows it is a command. What is quoted may
/// go on in the next lines. Whether a quote stays open.
fn value_of(value: &str, rest: &[&str]) -> (ScriptWord, bool) {
    let mut rest = rest.iter().take(20);
    let mut value = value.to_owned();
    loop {
        let mut script = Script::new(&value);
        let word = script.word().unwrap_or_default();
        match rest.next() {
            Some(more) if script.is_open || value.ends_with('\\') => {
                value.push('\n');
                value.push_str(more);
            }
            _ => return (word, script.is_open),
        }
    }
}

impl Value {
    /// Adds the words of a setting, and in place of a variable what it is known
    /// to be.
    fn put(&mut self, number: usize, line: usize, words: &[ScriptWord], known: [Option<&Self>; 2]) {
        let mut end = 0;
        for word in words {
            if word.known == Known::Variable {
                let is_it = |name: &&str| *name == variable(&word.text);
                let other = XEN.iter().position(is_it).and_then(|place| known[place]);
                match other {
                    Some(other) => {
                        self.words.extend(other.words.iter().cloned());
                        self.is_cut |= other.is_cut;
                        self.wrong = self.wrong.take().or_else(|| other.wrong.clone());
                    }
                    None => self.mistrust(number, &word.text, ELSEWHERE),
                }
                continue;
            }
            if word.known == Known::Part {
                self.mistrust(number, &word.text, UNKNOWN);
            }
            let at = end + usize::from(end > 0);
            end = at + word.text.len();
            self.words.push(Placed {
                line,
                at,
                text: word.text.clone(),
            });
        }
    }

    fn mistrust(&mut self, number: usize, word: &str, what: &str) {
        self.wrong
            .get_or_insert_with(|| (number, format!("{word}: {what}")));
    }
}

/// The name in `$NAME` and `${NAME}`.
fn variable(text: &str) -> &str {
    let name = text.strip_prefix('$').unwrap_or_default();
    let inner = name.strip_prefix('{');
    inner
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(name)
}

/// Puts together what both settings are last, tells the lines that they are
/// parts of one, and gives that.
fn join(values: [Option<Value>; 2], lines: &mut [Carried]) -> Result<Option<String>, NoLineHere> {
    let mut values: Vec<Value> = values.into_iter().flatten().collect();
    if values.is_empty() {
        return Ok(None);
    }
    if values[0].is_cut {
        values.truncate(1);
    }
    let wrong = values.iter_mut().find_map(|value| value.wrong.take());
    let words: Vec<Placed> = values.into_iter().flat_map(|value| value.words).collect();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let whole = texts.join(" ");
    for (line, carried) in lines.iter_mut().enumerate() {
        let mut at = 0;
        let mut places = vec![];
        for word in &words {
            let end = at + word.text.len();
            if word.line == line {
                places.push((at..end, word.at));
            }
            at = end + 1;
        }
        if !places.is_empty() {
            carried.join(Joined {
                line: whole.clone(),
                places,
            });
        }
    }
    match wrong {
        Some((number, what)) => Err(NoLineHere { number, what }),
        None => Ok(Some(whole)),
    }
}

#[cfg(test)]
#[path = "grub_settings_tests.rs"]
mod tests;
