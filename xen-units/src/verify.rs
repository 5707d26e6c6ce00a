//! `verify`: units and init scripts of anybody, held against the traps.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Error;
use crate::cli::Verify;
use crate::machine::UNIT_FOLDERS;
use crate::modules;
use crate::readers::{self, Texts};
use crate::root::Root;
use crate::rules;
use crate::show::print;
use crate::tools;
use crate::traps::{IGNORED_SETTING, Trap};

/// Where a system has what is looked at.
const FOLDERS: [&str; 13] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/etc/init.d",
    "/etc/sv",
    "/etc/dinit.d",
    "/etc/xen/scripts",
    "/etc/modules-load.d",
    "/usr/lib/modules-load.d",
    "/etc/default",
    "/etc/sysconfig",
    "/etc/conf.d",
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

/// Prints what `verify` was asked for. What cannot be read is said on `err`,
/// and the rest is held against the traps all the same.
///
/// # Errors
/// What could not be read; else [`Error::Found`] where anything was found.
pub fn verify(args: &Verify, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let root = Root::named(&args.root)?;
    let mut reading = Reading::default();
    match &args.folder {
        Some(folder) if !root.has_folder(folder) => {
            let what = format!("{}: not a folder", folder.display());
            return Err(Error::Usage(what));
        }
        Some(folder) => reading.named(&root, folder),
        None => reading.system(&root),
    }
    let mut findings = findings(&reading.texts);
    if args.folder.is_none() {
        findings.retain(|finding| !is_overridden(&root, Path::new(&finding.path)));
    }
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
    let found = match findings.len() {
        0 => None,
        count => Some(Error::Found(count)),
    };
    let last = reading.failures.pop();
    for error in reading
        .failures
        .iter()
        .chain(&found)
        .filter(|_| last.is_some())
    {
        // Said for the reader's sake; the last one tells the status.
        let _ = writeln!(err, "xen-units: {error}");
    }
    last.or(found).map_or(Ok(()), Err)
}

fn line(finding: &Finding) -> String {
    let Trap { name, reason, fix } = finding.trap;
    let path = &finding.path;
    match &finding.what {
        Some(what) => format!("{path}: {name}: {what}: {reason}; {fix}"),
        None => format!("{path}: {name}: {reason}; {fix}"),
    }
}

/// The texts that are there, and what could not be read of them.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) texts: Texts,
    pub(crate) failures: Vec<Error>,
    links: Vec<PathBuf>,
}

impl Reading {
    /// Everything that a system has in its usual places.
    pub(crate) fn system(&mut self, root: &Root) {
        let mut seen = vec![];
        for folder in FOLDERS.map(Path::new) {
            // Where /lib is /usr/lib, once is enough.
            let real = root.below(folder).canonicalize().ok();
            if real.is_some() && !seen.contains(&real) {
                self.folder(root, folder);
                seen.push(real);
            }
        }
        for script in tools::XENDOMAINS.map(Path::new) {
            if !self.texts.iter().any(|(path, _)| path == script) {
                self.file(root, script);
            }
        }
    }

    /// Everything below the folder, and once what links there lead to, by the
    /// path where it is: of such links runit's folder of services is made.
    fn named(&mut self, root: &Root, folder: &Path) {
        let folder = root.resolve(folder);
        self.folder(root, &folder);
        let here = root.real(&folder).unwrap_or(folder);
        let mut seen = vec![here.clone()];
        let mut next = 0;
        while let Some(link) = self.links.get(next) {
            next += 1;
            // One that leads nowhere, or up, has nothing of this folder's.
            let Some(real) = root.real(link).filter(|real| !here.starts_with(real)) else {
                continue;
            };
            // Nor has what the kernel shows, without an end, anybody's units.
            let mut kernels = ["/proc", "/sys", "/dev"].iter();
            if kernels.any(|folder| real.starts_with(folder))
                || seen.iter().any(|known| real.starts_with(known))
            {
                continue;
            }
            if root.has_folder(&real) {
                self.folder(root, &real);
            } else {
                self.file(root, &real);
            }
            seen.push(real);
        }
    }

    /// Each text below the folder, by its path, sorted.
    fn folder(&mut self, root: &Root, folder: &Path) {
        let names = match root.names(folder) {
            Ok(names) => names,
            Err(error) => return self.failures.push(error),
        };
        for path in names.iter().map(|name| folder.join(name)) {
            // A link has its file elsewhere, or means that a unit is masked.
            if root.link_target(&path).is_some() {
                self.links.push(path);
                continue;
            }
            if root.has_folder(&path) {
                self.folder(root, &path);
            } else {
                self.file(root, &path);
            }
        }
    }

    fn file(&mut self, root: &Root, path: &Path) {
        // A log that a link leads to can have any size.
        match root.read_up_to(path, LARGEST as u64 + 1) {
            Ok(Some(bytes)) if bytes.len() <= LARGEST && !bytes.contains(&0) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.texts.push((path.to_path_buf(), text));
            }
            // No text, or nothing that holds one, such as a socket.
            Ok(_) | Err(Error::Setting { .. }) => {}
            Err(error) => self.failures.push(error),
        }
    }
}

/// What is wrong with these files, in their order.
#[must_use]
pub fn findings(texts: &[(PathBuf, String)]) -> Vec<Finding> {
    let mut all = vec![];
    for (path, text) in texts {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".in").unwrap_or(&name);
        let found = if is_unit(name) {
            let drop_ins = format!("{name}.d");
            let is_one = |other: &Path| is_below(other, &drop_ins) && is_conf(other);
            rules::in_unit(name, &with(text, texts, is_one))
        } else if is_below(path, "modules-load.d") {
            modules::in_list(text)
        } else if text.starts_with("#!") || is_below(path, "dinit.d") {
            // What runit and s6 send the process that the script has become.
            let signals =
                ["control/t", "control/d", "down-signal"].map(|one| path.with_file_name(one));
            let is_one = |other: &Path| name == "run" && signals.iter().any(|one| one == other);
            rules::in_script(&with(text, texts, is_one))
        } else if readers::is_settings(path) {
            let ignored = readers::ignored(path, text, texts).into_iter();
            let ignored = ignored.map(|name| (IGNORED_SETTING, Some(name)));
            modules::in_settings(text)
                .into_iter()
                .chain(ignored)
                .collect()
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

fn is_unit(name: &str) -> bool {
    let ends = [".service", ".socket", ".target"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether systemd never reads that unit: a stronger folder has another one of
/// its name, or masks it.
fn is_overridden(root: &Root, path: &Path) -> bool {
    let is_here = |folder: &str| path.parent() == Some(Path::new(folder));
    let strength = UNIT_FOLDERS.iter().position(|folder| is_here(folder));
    let name = path.file_name().unwrap_or_default();
    let stronger = UNIT_FOLDERS[..strength.unwrap_or(0)].iter();
    let mut others = stronger.map(|folder| Path::new(folder).join(name));
    is_unit(&name.to_string_lossy())
        && others.any(|other| root.has(&other) && root.real(&other) != root.real(path))
}

fn is_below(path: &Path, folder: &str) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(folder))
}

fn is_conf(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "conf")
}

/// The text, and after it those that belong to it.
fn with(text: &str, texts: &[(PathBuf, String)], is_one: impl Fn(&Path) -> bool) -> String {
    let others = texts.iter().filter(|(path, _)| is_one(path));
    let mut whole = text.to_owned();
    for (_, other) in others {
        whole.push('\n');
        whole.push_str(other);
    }
    whole
}
