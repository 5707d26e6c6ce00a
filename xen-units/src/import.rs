//! `import`: settings that were made for other scripts become ours.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Import;
use crate::output::{self, File, Step};
use crate::readers;
use crate::root::Root;
use crate::settings::{FILES, OWN_FILE, assignments, is_ours};
use crate::show::print;
use crate::value;

/// The names that OpenRC's and runit's services have for them.
const RENAMED: [(&str, &str); 5] = [
    ("XENSTORED_OPTS", "XENSTORED_ARGS"),
    ("XENCONSOLED_OPTS", "XENCONSOLED_ARGS"),
    ("XENWATCHDOGD_OPTS", "XENWATCHDOGD_ARGS"),
    ("XEN_KERNEL_MODULES", "XEN_MODULES"),
    ("XENCONSOLED_LOG", "XENCONSOLED_TRACE"),
];

/// Where other scripts are, by which one sees what they make of a setting.
const SCRIPTS: [&str; 5] = [
    "/etc/init.d",
    "/etc/xen/scripts",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/etc/systemd/system",
];

/// Does what `import` was asked for.
///
/// # Errors
/// Every [`Error`] of reading and writing.
pub fn import(args: &Import, out: &mut dyn Write) -> Result<(), Error> {
    let root = Root::new(&args.root);
    let own = Path::new(OWN_FILE);
    let scripts = scripts(&root)?;
    let mut settings: Vec<(String, String)> = vec![];
    let mut said = vec![];
    for file in files(&root)? {
        let Some(bytes) = root.read_bytes(&file)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let unused = readers::ignored(&file, &text, &scripts);
        let place = file.display().to_string();
        for (name, raw) in assignments(&text) {
            let known = RENAMED.iter().find(|(other, _)| *other == name);
            let ours = known.map_or(name, |(_, ours)| *ours);
            // They are those of the xendomains script, which reads them itself.
            if name.starts_with("XENDOMAINS_") || !is_ours(ours) {
                continue;
            }
            let Some(value) = value::meant(raw).filter(|value| !value.is_empty()) else {
                continue;
            };
            let mut say =
                |words: &[&str]| said.push([&[place.as_str(), ": "], words].concat().concat());
            if unused.iter().any(|one| one == name) {
                let what = ": its own scripts ignored it; it counts from now on";
                say(&[name, what]);
            }
            if ours != name {
                say(&[name, ": is called ", ours, " here"]);
            }
            if value.contains(['$', '`']) {
                let what = ": not taken, a shell would have to work it out: ";
                say(&[name, what, raw]);
                continue;
            }
            say(&[ours, "=", &shell_words::quote(&value)]);
            settings.retain(|(known, _)| known != ours);
            settings.push((ours.to_owned(), value));
        }
    }
    let lines = settings
        .iter()
        .map(|(name, value)| format!("{name}={}\n", shell_words::quote(value)));
    let text = "# Written by xen-units\n".to_owned() + &lines.collect::<String>();
    let file = File::new(root.below(own), text);
    let steps = match output::look(&file, None)? {
        _ if settings.is_empty() => vec![],
        found => output::plan(vec![(file, found)], args.force)?,
    };
    if args.dry_run {
        said = steps.iter().map(Step::command).collect();
    } else {
        for step in &steps {
            output::apply(step)?;
        }
        if settings.is_empty() {
            said.push("nothing to take over".to_owned());
        }
    }
    print(said, out)
}

/// The files, the weakest first.
fn files(root: &Root) -> Result<Vec<PathBuf>, Error> {
    let conf = Path::new("/etc/conf.d");
    let names = root.names(conf)?.into_iter();
    let is_xens = |name: &String| name.starts_with("xen");
    let mut files: Vec<PathBuf> = names.filter(is_xens).map(|name| conf.join(name)).collect();
    files.extend(FILES.map(PathBuf::from));
    Ok(files)
}

fn scripts(root: &Root) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut texts = vec![];
    for folder in SCRIPTS.map(Path::new) {
        for name in root.names(folder)? {
            let path = folder.join(name);
            if root.has_file(&path) {
                let bytes = root.read_bytes(&path)?.unwrap_or_default();
                texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    // Ours read everything.
    texts.retain(|(_, text)| !text.contains("# Written by xen-units"));
    Ok(texts)
}
