//! `verify`: units and init scripts of anybody, held against the traps.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Error;
use crate::cli::Verify;
use crate::root::Root;
use crate::rules;
use crate::settings::assignments;
use crate::show::print;
use crate::traps::{IGNORED_SETTING, Trap};

/// Where a system has what is looked at.
const FOLDERS: [&str; 9] = [
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/etc/init.d",
    "/etc/xen/scripts",
    "/etc/modules-load.d",
    "/usr/lib/modules-load.d",
    "/etc/default",
    "/etc/sysconfig",
];

/// What is larger is no script.
const LARGEST: usize = 256 * 1024;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The trap.
    pub trap: Trap,
    /// The word that it is about, such as a module.
    pub what: Option<String>,
}

/// Prints what `verify` was asked for.
///
/// # Errors
/// [`Error::Found`] where anything was found, and what cannot be read.
pub fn verify(args: &Verify, out: &mut dyn Write) -> Result<(), Error> {
    let root = Root::new(&args.root);
    let mut texts = vec![];
    match &args.folder {
        Some(folder) if !root.has_folder(folder) => {
            let what = format!("{}: not a folder", folder.display());
            return Err(Error::Usage(what));
        }
        Some(folder) => read(&root, folder, &mut texts)?,
        None => {
            let mut seen = vec![];
            for folder in FOLDERS.map(Path::new) {
                // Where /lib is /usr/lib, once is enough.
                let real = root.below(folder).canonicalize().ok();
                if real.is_some() && !seen.contains(&real) {
                    read(&root, folder, &mut texts)?;
                    seen.push(real);
                }
            }
        }
    }
    let findings = findings(&texts);
    let lines = if args.json {
        let object = |finding: &Finding| {
            json!({
                "file": finding.path,
                "name": finding.trap.name,
                "what": finding.what.as_deref().unwrap_or(""),
                "reason": finding.trap.reason,
                "fix": finding.trap.fix,
            })
        };
        vec![format!(
            "{:#}",
            findings.iter().map(object).collect::<Value>()
        )]
    } else {
        findings.iter().map(line).collect()
    };
    print(lines, out)?;
    match findings.len() {
        0 => Ok(()),
        count => Err(Error::Found(count)),
    }
}

fn line(finding: &Finding) -> String {
    let Trap { name, reason, fix } = finding.trap;
    let path = &finding.path;
    match &finding.what {
        Some(what) => format!("{path}: {name}: {what}: {reason}; {fix}"),
        None => format!("{path}: {name}: {reason}; {fix}"),
    }
}

/// Each text below the folder, by its path, sorted.
fn read(root: &Root, folder: &Path, texts: &mut Vec<(PathBuf, String)>) -> Result<(), Error> {
    for name in root.names(folder)? {
        let path = folder.join(&name);
        // A link has its file elsewhere, or means that a unit is masked.
        if root.link_target(&path).is_some() {
            continue;
        }
        if root.has_folder(&path) {
            read(root, &path, texts)?;
        } else if root.has_file(&path) {
            let bytes = root.read_bytes(&path)?.unwrap_or_default();
            if bytes.len() <= LARGEST && !bytes.contains(&0) {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                texts.push((path, text));
            }
        }
    }
    Ok(())
}

/// What is wrong with these files, in their order.
#[must_use]
pub fn findings(texts: &[(PathBuf, String)]) -> Vec<Finding> {
    let mut all = vec![];
    for (path, text) in texts {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".in").unwrap_or(&name);
        let found = if [".service", ".socket", ".target"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            rules::in_unit(text)
        } else if is_below(path, "modules-load.d") {
            rules::in_modules(text)
        } else if text.starts_with("#!") {
            rules::in_script(text)
        } else if is_below(path, "default")
            || is_below(path, "sysconfig")
            || name.starts_with("default.")
        {
            let ignored = ignored(path, text, texts).into_iter();
            ignored.map(|name| (IGNORED_SETTING, Some(name))).collect()
        } else {
            vec![]
        };
        for (trap, what) in found {
            let finding = Finding {
                path: path.display().to_string(),
                trap,
                what,
            };
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
    }
    all
}

fn is_below(path: &Path, folder: &str) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(folder))
}

/// The settings of a file that none of the scripts that read the file uses.
/// One that is only proposed there, in a comment, is one too.
#[must_use]
pub fn ignored(path: &Path, text: &str, texts: &[(PathBuf, String)]) -> Vec<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Debian's package has its file elsewhere, by that name.
    let name = name.strip_prefix("default.").unwrap_or(&name);
    if !name.starts_with("xen") || name == "xen-dom0" {
        return vec![];
    }
    // "default/xen" alone, not the start of "default/xendomains"; upstream puts
    // the folder before it at build time. OpenRC gives a script the file of its
    // own name.
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let reads = |text: &str, part: &str| {
        text.match_indices(part).any(|(at, part)| {
            let next = text[at + part.len()..].chars().next();
            !next.is_some_and(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        })
    };
    let parts = ["default/", "sysconfig/", "@/"].map(|folder| [folder, name].concat());
    let is_reader = |other: &Path, text: &str| {
        let is_namesake =
            folder == "conf.d" && other.file_name().is_some_and(|other| other == name);
        is_namesake || parts.iter().any(|part| reads(text, part))
    };
    let readers: Vec<&str> = texts
        .iter()
        .filter(|(other, text)| other != path && is_reader(other, text))
        .map(|(_, text)| text.as_str())
        .collect();
    if readers.is_empty() {
        return vec![];
    }
    let uncommented = text.replace("\n#", "\n");
    let mut ignored = vec![];
    for (name, _) in assignments(&uncommented) {
        let is_used = readers.iter().any(|text| text.contains(name));
        if !is_used && !ignored.iter().any(|known| known == name) {
            ignored.push(name.to_owned());
        }
    }
    ignored
}
