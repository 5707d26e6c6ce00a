//! Does the kernel's configuration have what a Dom0 needs?

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::compressed::Compression;
use crate::json::{self, Value};
use crate::report::write_columns;
use crate::root::{below, read_bytes_if_there, read_if_there, text};
use crate::{Args, Error, Kernel};

/// How an option has to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `y`: early boot needs it, before any module could be loaded.
    BuiltIn,
    /// `y` or `m`.
    BuiltInOrModule,
    /// Good to have.
    Advice,
}

/// One option that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// Without `CONFIG_`.
    pub option: &'static str,
    /// Its name in older kernels.
    pub once: Option<&'static str>,
    /// How it has to be set.
    pub need: Need,
    /// There is no such option on other machines.
    pub only_x86: bool,
}

const fn require(option: &'static str, need: Need) -> Requirement {
    Requirement {
        option,
        once: None,
        need,
        only_x86: false,
    }
}

const fn on_x86(option: &'static str, need: Need) -> Requirement {
    let requirement = require(option, need);
    Requirement {
        only_x86: true,
        ..requirement
    }
}

/// What a Dom0's kernel needs.
pub const REQUIREMENTS: [Requirement; 22] = [
    require("XEN", Need::BuiltIn),
    require("XEN_DOM0", Need::BuiltIn),
    on_x86("X86_IO_APIC", Need::BuiltIn),
    on_x86("ACPI", Need::BuiltIn),
    on_x86("PCI_XEN", Need::BuiltIn),
    require("XEN_COMPAT_XENFS", Need::BuiltIn),
    require("XEN_SYS_HYPERVISOR", Need::BuiltIn),
    require("XEN_BACKEND", Need::BuiltIn),
    require("XEN_BALLOON", Need::BuiltIn),
    require("XEN_DEV_EVTCHN", Need::BuiltInOrModule),
    require("XENFS", Need::BuiltInOrModule),
    require("XEN_GNTDEV", Need::BuiltInOrModule),
    require("XEN_PRIVCMD", Need::BuiltInOrModule),
    require("XEN_NETDEV_BACKEND", Need::BuiltInOrModule),
    require("XEN_BLKDEV_BACKEND", Need::BuiltInOrModule),
    on_x86("XEN_PCIDEV_BACKEND", Need::BuiltInOrModule),
    Requirement {
        once: Some("XEN_SCRUB_PAGES"),
        ..require("XEN_SCRUB_PAGES_DEFAULT", Need::Advice)
    },
    require("BRIDGE", Need::Advice),
    require("TUN", Need::Advice),
    require("BLK_DEV_LOOP", Need::Advice),
    on_x86("XEN_ACPI_PROCESSOR", Need::Advice),
    require("XEN_WDT", Need::Advice),
];

/// How an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Built in.
    Met,
    /// A module, where that will do.
    MetAsModule,
    /// Off, or a module where that will not do.
    Missing,
    /// This kernel's configuration does not know the option, and it is only advice.
    Unknown,
}

impl Verdict {
    /// The words of the report.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetAsModule => "met, as a module",
            Self::Missing => "missing",
            Self::Unknown => "unknown here",
        }
    }
}

impl Need {
    /// The words of the report.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::BuiltInOrModule => "built in or module",
            Self::Advice => "advice",
        }
    }
}

/// What a configuration says about the options that exist on its machine.
#[must_use]
pub fn judge(configuration: &str) -> Vec<(Requirement, Verdict)> {
    let is_x86 = value_of(configuration, "X86") == Some("y");
    REQUIREMENTS
        .into_iter()
        .filter(|requirement| is_x86 || !requirement.only_x86)
        .map(|requirement| {
            let value = value_of(configuration, requirement.option);
            let value = value.or_else(|| value_of(configuration, requirement.once?));
            let verdict = match (value, requirement.need) {
                (Some("y"), _) => Verdict::Met,
                (Some("m"), Need::BuiltInOrModule | Need::Advice) => Verdict::MetAsModule,
                (None, Need::Advice) => Verdict::Unknown,
                // Kconfig leaves out what cannot be set because its own
                // requirements are missing.
                _ => Verdict::Missing,
            };
            (requirement, verdict)
        })
        .collect()
}

/// The value of an option, `n` where the file says that it is not set, `None`
/// where it does not say anything.
fn value_of<'a>(configuration: &'a str, option: &str) -> Option<&'a str> {
    configuration.lines().find_map(|line| {
        if let Some(unset) = line.strip_prefix("# CONFIG_") {
            return (unset.strip_suffix(" is not set")? == option).then_some("n");
        }
        let (name, value) = line.strip_prefix("CONFIG_")?.split_once('=')?;
        (name == option).then_some(value)
    })
}

/// Prints what the configuration has and lacks.
pub(crate) fn run(args: &Args, kernel: &Kernel, out: &mut dyn Write) -> Result<(), Error> {
    let (source, configuration) = find(&args.root, kernel)?;
    if !configuration.contains("CONFIG_") {
        let place = below(&args.root, &source);
        return Err(Error::unreadable(&place, "no kernel configuration"));
    }
    let judged = judge(&configuration);
    let name = |requirement: &Requirement| format!("CONFIG_{}", requirement.option);
    let written = if args.json {
        let names: Vec<String> = judged.iter().map(|(one, _)| name(one)).collect();
        let objects: Vec<_> = judged
            .iter()
            .zip(&names)
            .map(|((requirement, verdict), name)| {
                [
                    ("option", Value::Text(name)),
                    ("verdict", Value::Text(verdict.words())),
                    ("need", Value::Text(requirement.need.words())),
                ]
            })
            .collect();
        let source = source.display().to_string();
        let head = [("kernel", kernel.release.as_str()), ("source", &source)];
        json::write_document(&head, "requirements", &objects, out)
    } else {
        let rows: Vec<[String; 3]> = judged
            .iter()
            .map(|(requirement, verdict)| {
                [
                    name(requirement),
                    verdict.words().to_owned(),
                    requirement.need.words().to_owned(),
                ]
            })
            .collect();
        writeln!(out, "kernel {}, by {}", kernel.release, source.display())
            .and_then(|()| write_columns(&rows, out))
    };
    written.map_err(|source| Error::system("write to standard output", source))?;
    let options: Vec<String> = judged
        .iter()
        .filter(|(requirement, verdict)| {
            requirement.need != Need::Advice && *verdict == Verdict::Missing
        })
        .map(|(requirement, _)| name(requirement))
        .collect();
    if options.is_empty() {
        return Ok(());
    }
    Err(Error::Lacks {
        release: kernel.release.clone(),
        options,
    })
}

/// The first configuration that is there. The running kernel knows its own best.
fn find(root: &Path, kernel: &Kernel) -> Result<(PathBuf, String), Error> {
    let own = Path::new("/proc/config.gz");
    let places = [
        kernel.folder.join("config"),
        PathBuf::from(format!("/boot/config-{}", kernel.release)),
    ];
    if kernel.runs {
        let place = below(root, own);
        if let Some(packed) = read_bytes_if_there(&place)? {
            let content = Compression::Gzip.decode(&packed);
            let content = content.map_err(|why| Error::unreadable(&place, why))?;
            return Ok((own.to_path_buf(), text(content)));
        }
    }
    for place in &places {
        if let Some(content) = read_if_there(&below(root, place))? {
            return Ok((place.clone(), content));
        }
    }
    let own = kernel.runs.then(|| own.to_path_buf());
    Err(Error::NoConfiguration {
        release: kernel.release.clone(),
        places: own
            .into_iter()
            .chain(places)
            .map(|place| below(root, &place).display().to_string())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(configuration: &str, option: &str) -> Option<Verdict> {
        judge(configuration)
            .into_iter()
            .find(|(requirement, _)| requirement.option == option)
            .map(|(_, verdict)| verdict)
    }

    #[test]
    fn a_module_will_do_for_some_and_not_for_others() {
        let text =
            "CONFIG_XEN=m\nCONFIG_XENFS=m\nCONFIG_XEN_GNTDEV=y\n# CONFIG_XEN_PRIVCMD is not set\n";
        assert_eq!(verdict(text, "XEN"), Some(Verdict::Missing));
        assert_eq!(verdict(text, "XENFS"), Some(Verdict::MetAsModule));
        assert_eq!(verdict(text, "XEN_GNTDEV"), Some(Verdict::Met));
        assert_eq!(verdict(text, "XEN_PRIVCMD"), Some(Verdict::Missing));
        assert_eq!(verdict(text, "XEN_DEV_EVTCHN"), Some(Verdict::Missing));
        assert_eq!(verdict(text, "BRIDGE"), Some(Verdict::Unknown));
    }

    #[test]
    fn the_manual_has_the_words_of_each_verdict() {
        let manual = include_str!("../examples/json.roff");
        for verdict in [
            Verdict::Met,
            Verdict::MetAsModule,
            Verdict::Missing,
            Verdict::Unknown,
        ] {
            let words = format!("\\(lq{}\\(rq", verdict.words());
            assert!(manual.contains(&words), "{words}");
        }
    }

    #[test]
    fn other_machines_are_not_asked_for_what_only_x86_has() {
        assert_eq!(verdict("CONFIG_ARM64=y\n", "PCI_XEN"), None);
        assert_eq!(verdict("CONFIG_X86=y\n", "PCI_XEN"), Some(Verdict::Missing));
    }

    #[test]
    fn an_option_counts_by_its_old_name_too() {
        let old = "CONFIG_XEN_SCRUB_PAGES=y\n";
        assert_eq!(verdict(old, "XEN_SCRUB_PAGES_DEFAULT"), Some(Verdict::Met));
    }
}
