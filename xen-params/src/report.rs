//! `lint` and `diff` as programs: lines from the arguments, from files or from
//! standard input.

use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal as _, Read as _, Write, stdin, stdout};
use std::path::Path;

use serde::Serialize;

use crate::carried::{Carried, NoLineHere, Side, carried, line_of};
use crate::cli::{DiffArgs, LintArgs};
use crate::finding::{Finding, Severity};
use crate::format::to_json;
use crate::lint::lint;
use crate::table::is_option;
use crate::target::below;
use crate::{Difference, Error, Target, diff, print};

/// One line and what was found in it, for programs. The keys are stable.
#[derive(Debug, Serialize)]
struct Checked {
    /// The file; none for an argument and standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line of the file, from 1; none for an argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<usize>,
    side: Side,
    line: String,
    findings: Vec<Finding>,
}

/// Prints what is wrong with lines.
///
/// # Errors
/// [`Error::Lint`] where something is.
pub(crate) fn lint_lines(
    args: &LintArgs,
    target: &Target,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let root = &args.report.target.root;
    let checked = checked(&args.line, root, target, args.report.target.xen.is_some())?;
    if args.report.json {
        print(&to_json(&checked)?, out)?;
    } else {
        let several = checked.len() > 1;
        let caret = stdout().is_terminal();
        for one in &checked {
            print(&told(one, several, caret), out)?;
        }
    }
    let count = |wanted: Severity| {
        let findings = checked.iter().flat_map(|one| &one.findings);
        findings
            .filter(|finding| finding.severity == wanted)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let warnings = if args.strict { warnings } else { 0 };
    if errors + warnings == 0 {
        Ok(())
    } else {
        Err(Error::Lint { errors, warnings })
    }
}

/// A release that a text names is the one that its line is for, unless another
/// was asked for.
fn checked(
    given: &[String],
    root: &Path,
    target: &Target,
    is_release_given: bool,
) -> Result<Vec<Checked>, Error> {
    let target_of = |one: &Carried| Target {
        xen: one.xen.filter(|_| !is_release_given).or(target.xen),
        ..*target
    };
    let of = |file: Option<&String>, text: &str| -> Result<Vec<Checked>, Error> {
        let lines = carried(text);
        if lines.is_empty() && !text.trim().is_empty() {
            let place = file.map_or("standard input", |file| file);
            return Err(Error::NoLine(place.to_owned()));
        }
        let one = |one: Carried| Checked {
            file: file.cloned(),
            number: Some(one.number),
            side: one.side,
            findings: one.findings(&target_of(&one)),
            line: one.line,
        };
        Ok(lines.into_iter().map(one).collect())
    };
    if !given.is_empty() && given.iter().all(|word| is_file(word, root)) {
        let mut all = vec![];
        for file in given {
            all.extend(of(Some(file), &read_file(file, root)?)?);
        }
        return Ok(all);
    }
    match given.join(" ") {
        line if line.is_empty() || line == "-" => of(None, &read_stdin()?),
        line => Ok(vec![Checked {
            file: None,
            number: None,
            side: Side::Xen,
            findings: lint(&line, target),
            line,
        }]),
    }
}

/// The word names a file: it has a slash, which no option of Xen has before its
/// value; or there is such a file, and no such option.
fn is_file(word: &str, root: &Path) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    let is_path = name.contains('/') && !name.contains(' ');
    is_path || !is_option(name) && !word.is_empty() && below(root, Path::new(word)).is_file()
}

fn told(checked: &Checked, several: bool, caret: bool) -> String {
    let mut text = String::new();
    for finding in &checked.findings {
        match (&checked.file, checked.number) {
            // A String takes whatever is written to it.
            (Some(file), Some(number)) => {
                let _ = write!(text, "{file}:{number}: ");
            }
            (None, Some(number)) if several => {
                let _ = write!(text, "line {number}: ");
            }
            _ => {}
        }
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        let _ = writeln!(text, "{severity}: {finding}");
        if caret && stands_there(&checked.line, finding) {
            text += &pointed(&checked.line, finding);
        }
    }
    text
}

/// The word is one of the line, not of the file around it.
fn stands_there(line: &str, finding: &Finding) -> bool {
    let rest = line.get(finding.at..).unwrap_or_default();
    !finding.word.is_empty() && rest.starts_with(&finding.word)
}

/// The room that a line has on a terminal, beside what is left of it.
const WIDTH: usize = 72;

/// The part of the line around the word, and carets under that.
pub(crate) fn pointed(line: &str, finding: &Finding) -> String {
    let visible = |text: &str| -> Vec<char> {
        let plain = |c: char| if c.is_control() { '?' } else { c };
        text.chars().map(plain).collect()
    };
    let before = visible(line.get(..finding.at).unwrap_or(line));
    let all = visible(line);
    let length = finding.word.chars().count().clamp(1, WIDTH);
    // A word far to the right is shown with a little of what precedes it.
    let begin = if before.len() + length <= WIDTH {
        0
    } else {
        before.len().saturating_sub(WIDTH / 4)
    };
    let end = all.len().min(begin + WIDTH);
    let shown: String = all.get(begin..end).unwrap_or_default().iter().collect();
    let room = end.saturating_sub(before.len()).max(1);
    format!(
        "  {shown}\n  {}{}\n",
        " ".repeat(before.len() - begin),
        "^".repeat(length.min(room))
    )
}

/// Prints in what two lines differ.
///
/// # Errors
/// [`Error::Different`] where they do.
pub(crate) fn diff_lines(args: &DiffArgs, out: &mut dyn Write) -> Result<(), Error> {
    if args.a == "-" && args.b == "-" {
        let why = "only one of the two lines can come from standard input";
        return Err(Error::Usage(why.to_owned()));
    }
    let differences = diff(
        &one_line(&args.a, &args.root)?,
        &one_line(&args.b, &args.root)?,
    );
    let text = if args.json {
        to_json(&differences)?
    } else {
        differences.iter().map(Difference::to_string).collect()
    };
    print(&text, out)?;
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::Different)
    }
}

/// A line; or the hypervisor's that a file has, or with `-` standard input.
pub(crate) fn one_line(given: &str, root: &Path) -> Result<String, Error> {
    let (text, place) = if given == "-" {
        (read_stdin()?, "standard input")
    } else if is_file(given, root) {
        (read_file(given, root)?, given)
    } else {
        return Ok(given.to_owned());
    };
    match line_of(&text) {
        Ok(Some(line)) => Ok(line),
        // What xen-params prints for all memory is an empty line.
        Ok(None) if text.trim().is_empty() => Ok(String::new()),
        Ok(None) => Err(Error::NoLine(place.to_owned())),
        Err(NoLineHere { number, what }) => {
            Err(Error::Configured(format!("{place}:{number}: {what}")))
        }
    }
}

fn read_file(file: &str, root: &Path) -> Result<String, Error> {
    let path = below(root, Path::new(file));
    let content = fs::read(&path)
        .map_err(|error| Error::system(format!("read {}", path.display()), error))?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

fn read_stdin() -> Result<String, Error> {
    let mut content = vec![];
    stdin()
        .read_to_end(&mut content)
        .map_err(|error| Error::system("read standard input", error))?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, Code};

    const TARGET: Target = Target {
        arch: Arch::X86_64,
        xen: None,
    };

    #[test]
    fn no_caret_stands_under_what_is_not_on_the_line() {
        for text in [
            "GRUB_CMDLINE_XEN='smt=0\n",
            "[global]\ndefault=b\n[a]\nkernel=k\n",
            "[a]\noptions = smt=0\nkernel=k\n",
        ] {
            let lines = carried(text).into_iter();
            let found: Vec<bool> = lines
                .flat_map(|one| {
                    let findings = one.findings(&TARGET).into_iter();
                    findings.map(move |finding| stands_there(&one.line, &finding))
                })
                .collect();
            assert_eq!(found, [false], "{text}");
        }
        let found = lint("noreboot iomu=1", &TARGET);
        assert!(stands_there("noreboot iomu=1", &found[0]));
    }

    #[test]
    fn carets_stand_under_the_word() {
        let line = "noreboot iomu=1 smt=0";
        let found = lint(line, &TARGET);
        assert_eq!(
            pointed(line, &found[0]),
            "  noreboot iomu=1 smt=0\n           ^^^^^^\n"
        );
        let long = format!("{}iomu=1", "noreboot ".repeat(40));
        let found = lint(&long, &TARGET);
        let found = found.iter().find(|one| one.code == Code::Unknown).unwrap();
        let text = pointed(&long, found);
        let (shown, carets) = text.split_once('\n').unwrap();
        let at = carets.find('^').unwrap();
        assert_eq!(&shown[at..at + 6], "iomu=1");
        assert!(shown.len() <= WIDTH + 2);
    }
}
