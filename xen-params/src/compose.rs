//! The line that the arguments ask for.

use crate::finding::{Finding, Severity};
use crate::grammar::{Bound, Memory, Vcpus};
use crate::line::Line;
use crate::lint::lint;
use crate::merge::merge;
use crate::report::one_line;
use crate::settings::LineArgs;
use crate::{Arch, Args, Error, Target};

/// A line, and how much of it comes from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The line.
    pub line: Line,
    /// What a look at it found.
    pub findings: Vec<Finding>,
    /// The options that came by `--boot-params` or `$XEN_BOOT_PARAMS`.
    boot_params: Line,
}

/// Puts the line together: memory, processors, the serial port, tracing,
/// `$XEN_BOOT_PARAMS`, then the free parameters, so that these win; all of it
/// on top of the line of `--from`.
///
/// # Errors
/// A size or a count that Xen would not take, or quotes that do not match.
pub fn compose(args: &LineArgs, target: &Target) -> Result<Composed, Error> {
    let mut line = Line::default();
    if let Some(memory) = memory(args, target.arch)? {
        line.add(&format!("dom0_mem={memory}"));
    }
    if let Some(vcpus) = &args.dom0_max_vcpus {
        Vcpus::parse(vcpus, target.arch).map_err(|what| wrong("--dom0-max-vcpus", what))?;
        line.add(&format!("dom0_max_vcpus={vcpus}"));
    }
    if let Some(serial) = &args.serial {
        line.add(&console(serial, target)?);
    }
    if args.trace {
        line.add("loglvl=all guest_loglvl=all");
    }
    let mut boot_params = Line::default();
    if let Some(text) = &args.boot_params {
        let words =
            shell_words::split(text).map_err(|error| wrong("--boot-params", error.to_string()))?;
        words.iter().for_each(|word| boot_params.add(word));
    }
    line.add(&boot_params.to_string());
    args.params.iter().for_each(|param| line.add(param));
    if let Some(from) = &args.from {
        let mut base = Line::parse(&one_line(from, &args.target.root)?);
        if is_all_memory(args) {
            base.leave_out("dom0_mem");
        }
        line = merge(&base, &line);
    }
    Ok(Composed {
        findings: lint(&line.to_string(), target),
        line,
        boot_params,
    })
}

/// The serial port and the console on it: `com1,115200`, or more of what
/// `com1=` takes; on Arm `dtuart` and what `dtuart=` takes. The screen stays.
fn console(serial: &str, target: &Target) -> Result<String, Error> {
    let (port, rest) = serial.split_once(',').unwrap_or((serial, ""));
    let known: &[&str] = match target.arch {
        Arch::X86_64 => &["com1", "com2"],
        Arch::Aarch64 => &["dtuart"],
    };
    if !known.contains(&port) {
        let what = format!("{port:?} is no port: {} expected", known.join(" or "));
        return Err(wrong("--serial", what));
    }
    let settings = match rest {
        "" if port == "dtuart" => return Ok("console=dtuart".to_owned()),
        "" => "115200,8n1".to_owned(),
        speed if speed.bytes().all(|byte| byte.is_ascii_digit()) => format!("{speed},8n1"),
        other => other.to_owned(),
    };
    let set_up = format!("{port}={settings}");
    let found = lint(&set_up, target);
    if let Some(error) = found.iter().find(|found| found.severity == Severity::Error) {
        return Err(wrong("--serial", error.what.to_string()));
    }
    let screen = if port == "dtuart" { "" } else { ",vga" };
    Ok(format!("{set_up} console={port}{screen}"))
}

impl Composed {
    /// What forbids the line, as one error; `None` where nothing does.
    #[must_use]
    pub fn refusal(&self, force: bool) -> Option<Error> {
        let wrong: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| forbids(finding, force))
            .collect();
        let first = wrong.first()?;
        let mut what: Vec<String> = wrong.iter().map(|finding| finding.to_string()).collect();
        if Args::is_subcommand(&first.word) {
            what.push("a subcommand stands before everything else".to_owned());
        }
        let what = what.join("; ");
        Some(if self.is_of_boot_params(&first.word) {
            Error::setting("--boot-params", what)
        } else {
            Error::Parameter(what)
        })
    }

    /// An option that a file cannot carry, blamed on the setting that gave it.
    pub(crate) fn blamed(&self, error: Error) -> Error {
        match error {
            Error::Uncarried { word, what } if self.is_of_boot_params(&word) => {
                Error::setting("--boot-params", format!("{word}: {what}"))
            }
            other => other,
        }
    }

    fn is_of_boot_params(&self, word: &str) -> bool {
        self.boot_params.words().any(|known| known.text == word)
    }

    /// What does not forbid the line but should be known.
    pub fn warnings(&self, force: bool) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| {
            finding.severity <= Severity::Warning && !forbids(finding, force)
        })
    }
}

fn forbids(finding: &Finding, force: bool) -> bool {
    finding.severity == Severity::Error && (!force || finding.code.is_final())
}

fn wrong(flag: &str, what: String) -> Error {
    Error::setting(flag, what)
}

/// The value of `dom0_mem=`; `None` where Dom0 gets all memory.
fn memory(args: &LineArgs, arch: Arch) -> Result<Option<String>, Error> {
    let wrong_memory = |what| wrong("--dom0-mem", what);
    let wrong_most = |what| wrong("--dom0-mem-max", what);
    let memory = match &args.dom0_mem {
        None => None,
        Some(text) => match mebibytes(text) {
            Some(size) => size.map_err(wrong_memory)?,
            None => {
                checked(text, arch).map_err(wrong_memory)?;
                Some(text.clone())
            }
        },
    };
    let most = match &args.dom0_mem_max {
        None => None,
        Some(text) => match mebibytes(text) {
            Some(size) => size.map_err(wrong_most)?,
            None => {
                let memory = checked(text, arch).map_err(wrong_most)?;
                if memory.amounts.len() != 1 || memory.last(Bound::Exact).is_none() {
                    let what = format!("{text:?} is not one amount of memory");
                    return Err(wrong_most(what));
                }
                Some(text.clone())
            }
        },
    };
    let Some(most) = most else {
        return Ok(memory);
    };
    if arch == Arch::Aarch64 {
        let what = "on Arm dom0_mem takes one size and no max:".to_owned();
        return Err(wrong_most(what));
    }
    let Some(memory) = memory else {
        return Ok(Some(format!("max:{most}")));
    };
    if memory.split(',').any(|amount| amount.starts_with("max:")) {
        let what = format!("--dom0-mem {memory} has a max: already");
        return Err(wrong_most(what));
    }
    Ok(Some(format!("{memory},max:{most}")))
}

/// 0 is asked for: all memory, whatever the line of `--from` has.
fn is_all_memory(args: &LineArgs) -> bool {
    let size = args.dom0_mem.as_deref().and_then(mebibytes);
    matches!(size, Some(Ok(None)))
}

/// A bare number, which is in MiB here, for Xen; the inner `None` is 0, all
/// memory. `None` where it is no bare number.
fn mebibytes(text: &str) -> Option<Result<Option<String>, String>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match text.parse::<u64>() {
        Ok(0) => Ok(None),
        Ok(number) if number <= u64::MAX >> 20 => Ok(Some(format!("{number}M"))),
        _ => Err(format!("{text} MiB is too large a size")),
    })
}

/// Xen's grammar, as its manual has it: the manual knows no percentage after a
/// minus, though the code would take it.
fn checked(text: &str, arch: Arch) -> Result<Memory, String> {
    let memory = Memory::parse(text, arch)?;
    let undocumented = |amount: &crate::grammar::Amount| amount.minus && amount.percent.is_some();
    if memory.amounts.iter().any(undocumented) {
        return Err(format!("{text:?}: no percentage may follow a minus"));
    }
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn target(arch: Arch) -> Target {
        Target { arch, xen: None }
    }

    fn try_compose(arguments: &[&str], arch: Arch) -> Result<Composed, Error> {
        let all = ["xen-params"].iter().chain(arguments);
        let args = Args::try_parse_from(all).unwrap();
        compose(&args.compose.line, &target(arch))
    }

    fn line(arguments: &[&str]) -> String {
        let composed = try_compose(arguments, Arch::X86_64).unwrap();
        assert!(composed.refusal(false).is_none(), "{composed:?}");
        composed.line.to_string()
    }

    #[test]
    fn a_bare_number_is_in_mib_and_0_is_all() {
        assert_eq!(line(&["--dom0-mem", "2048"]), "dom0_mem=2048M");
        assert_eq!(line(&["--dom0-mem", "0"]), "");
        assert_eq!(line(&["--dom0-mem", "0512"]), "dom0_mem=512M");
        assert_eq!(
            line(&["--dom0-mem", "0", "--dom0-mem-max", "4096"]),
            "dom0_mem=max:4096M"
        );
    }

    #[test]
    fn anything_else_is_xen_s_grammar() {
        assert_eq!(line(&["--dom0-mem=1G+25%"]), "dom0_mem=1G+25%");
        assert_eq!(line(&["--dom0-mem", "-1G"]), "dom0_mem=-1G");
        assert_eq!(
            line(&["--dom0-mem", "2G", "--dom0-mem-max", "50%"]),
            "dom0_mem=2G,max:50%"
        );
        for bad in [
            "",
            "1.5G",
            "lots",
            "25%+1G",
            "100%",
            "-10%",
            "17592186044416",
        ] {
            let error = try_compose(&["--dom0-mem", bad], Arch::X86_64).unwrap_err();
            assert_eq!(error.exit_status(), 2, "{bad}");
        }
    }

    #[test]
    fn two_maxima_contradict() {
        let arguments = ["--dom0-mem", "1G,max:2G", "--dom0-mem-max", "4G"];
        assert!(try_compose(&arguments, Arch::X86_64).is_err());
        assert!(try_compose(&["--dom0-mem-max", "1G,max:2G"], Arch::X86_64).is_err());
        assert!(try_compose(&["--dom0-mem-max", "1G"], Arch::Aarch64).is_err());
    }

    #[test]
    fn free_parameters_come_last() {
        assert_eq!(
            line(&[
                "--dom0-max-vcpus",
                "-4",
                "--trace",
                "--dom0-mem",
                "1G,max:1G",
                "--boot-params",
                "'iommu=verbose' ucode=scan",
                "noreboot",
                "sched=credit2 com1=115200,8n1",
            ]),
            "dom0_mem=1G,max:1G dom0_max_vcpus=-4 loglvl=all guest_loglvl=all \
             iommu=verbose ucode=scan noreboot sched=credit2 com1=115200,8n1"
        );
    }

    #[test]
    fn what_xen_would_not_take_is_refused_by_where_it_comes_from() {
        let status = |arguments: &[&str]| {
            let composed = try_compose(arguments, Arch::X86_64).unwrap();
            composed.refusal(false).map(|error| error.exit_status())
        };
        assert_eq!(status(&["iomu=1"]), Some(2));
        assert_eq!(status(&["--boot-params", "iomu=1"]), Some(2));
        assert_eq!(status(&["--boot-params", "noreboot", "iomu=1"]), Some(2));
        assert_eq!(status(&["dtuart=x"]), Some(2));
        assert_eq!(status(&["noreboot"]), None);
    }

    #[test]
    fn force_takes_the_unknown_but_not_the_impossible() {
        let forced = |param: &str| {
            let composed = try_compose(&["--", param], Arch::X86_64).unwrap();
            composed.refusal(true).is_none()
        };
        assert!(forced("novel=1") && forced("noreboot=maybe"));
        assert!(!forced("a\tb") && !forced("a -- b") && !forced("--") && !forced("a\nb"));
        assert!(!forced(&"x".repeat(128)) && forced(&"x".repeat(127)));
        assert!(!forced(&"noreboot ".repeat(120)));
    }
}
