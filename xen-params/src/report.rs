//! `lint` and `diff` as programs: lines from the arguments or from standard
//! input.

use std::fmt::Write as _;
use std::io::{Read as _, Write, stdin};

use serde::Serialize;

use crate::cli::{DiffArgs, LintArgs};
use crate::finding::{Finding, Severity};
use crate::format::to_json;
use crate::lint::lint;
use crate::unchecked::unchecked;
use crate::{Error, Target, diff, print};

/// The key under which `xl info` shows the line.
const XL_INFO: &str = "xen_commandline";

/// One line and what was found in it, for programs. The keys are stable.
#[derive(Debug, Serialize)]
struct Checked {
    /// The line of standard input, from 1; none for an argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<usize>,
    line: String,
    findings: Vec<Finding>,
}

/// Prints what is wrong with lines.
///
/// # Errors
/// [`Error::Lint`] where something is.
pub(crate) fn lint_lines(args: &LintArgs, out: &mut dyn Write) -> Result<(), Error> {
    let target = Target::read(&args.report.target)?;
    let lines = match args.line.join(" ") {
        line if line.is_empty() || line == "-" => lines_of(&read_stdin()?),
        line => vec![(None, line)],
    };
    let checked: Vec<Checked> = lines
        .into_iter()
        .map(|(number, line)| Checked {
            number,
            findings: all_findings(&line, &target),
            line,
        })
        .collect();
    if args.report.json {
        print(&to_json(&checked)?, out)?;
    } else {
        let several = checked.len() > 1;
        for one in &checked {
            print(&told(one, several), out)?;
        }
    }
    let fatal = |finding: &&Finding| {
        finding.severity == Severity::Error || args.strict && finding.severity == Severity::Warning
    };
    let findings = checked.iter().flat_map(|one| &one.findings);
    match findings.filter(fatal).count() {
        0 => Ok(()),
        count => Err(Error::Lint { count }),
    }
}

/// In the line's order, also with what was not checked.
fn all_findings(line: &str, target: &Target) -> Vec<Finding> {
    let mut findings = lint(line, target);
    findings.extend(unchecked(line, target));
    findings.sort_by_key(|finding| finding.at);
    findings
}

fn told(checked: &Checked, several: bool) -> String {
    let mut text = String::new();
    for finding in &checked.findings {
        if let Some(number) = checked.number.filter(|_| several) {
            // A String takes whatever is written to it.
            let _ = write!(text, "line {number}: ");
        }
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        let _ = writeln!(text, "{severity}: {finding}");
    }
    text
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
    let side = |given: &str| -> Result<String, Error> {
        if given != "-" {
            return Ok(given.to_owned());
        }
        let lines = lines_of(&read_stdin()?);
        Ok(lines
            .into_iter()
            .next()
            .map(|(_, line)| line)
            .unwrap_or_default())
    };
    let differences = diff(&side(&args.a)?, &side(&args.b)?);
    print(&differences, out)?;
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::Different)
    }
}

fn read_stdin() -> Result<String, Error> {
    let mut content = vec![];
    stdin()
        .read_to_end(&mut content)
        .map_err(|error| Error::system("read standard input", error))?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

/// The command lines of a text with their numbers: the one that `xl info`
/// shows, else every line but empty ones and comments.
fn lines_of(text: &str) -> Vec<(Option<usize>, String)> {
    let lines = || {
        text.lines()
            .enumerate()
            .map(|(at, line)| (Some(at + 1), line))
    };
    let shown = lines().find_map(|(number, line)| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == XL_INFO).then(|| (number, value.trim_matches(' ').to_owned()))
    });
    match shown {
        Some(line) => vec![line],
        None => lines()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(number, line)| (number, line.to_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_line_in_the_output_of_xl_info() {
        let text = "host                   : dom0\n\
            xen_commandline        : placeholder dom0_mem=1G com1=115200,8n1\n\
            cc_compiler            : gcc\n";
        assert_eq!(
            lines_of(text),
            [(
                Some(2),
                "placeholder dom0_mem=1G com1=115200,8n1".to_owned()
            )]
        );
    }

    #[test]
    fn takes_every_line_of_another_text() {
        let lines = lines_of("# a comment\n\nnoreboot\nwatchdog\n");
        assert_eq!(
            lines,
            [
                (Some(3), "noreboot".to_owned()),
                (Some(4), "watchdog".to_owned())
            ]
        );
        assert_eq!(lines_of(""), []);
    }
}
