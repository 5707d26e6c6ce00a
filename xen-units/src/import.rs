//! `import`: settings that were made for other scripts become ours.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::chain;
use crate::cli::Import;
use crate::machine::Machine;
use crate::model::Name;
use crate::output::{self, File, Step};
use crate::readers::{self, Texts};
use crate::root::Root;
use crate::settings::{FILES, OWN_FILE, Settings, as_meant, assignments};
use crate::show::print;
use crate::tools;
use crate::used::is_used;
use crate::value;
use crate::verify::Reading;
use crate::{Error, XenVersion};

/// The names that OpenRC's and runit's services have for them.
const RENAMED: [(&str, &str); 6] = [
    ("XENSTORED_OPTS", "XENSTORED_ARGS"),
    ("XENSTORED_STUBDOM", "XENSTORETYPE"),
    ("XENCONSOLED_OPTS", "XENCONSOLED_ARGS"),
    ("XENWATCHDOGD_OPTS", "XENWATCHDOGD_ARGS"),
    ("XEN_KERNEL_MODULES", "XEN_MODULES"),
    ("XENCONSOLED_LOG", "XENCONSOLED_TRACE"),
];

/// The settings of the xendomains script. It goes on reading them itself.
const DOMAINS: [&str; 2] = ["/etc/sysconfig/xendomains", "/etc/default/xendomains"];

/// What becomes of a setting.
enum Fate {
    /// It is ours from now on, by this name and with this value.
    Taken(String, String),
    /// It is not, for this reason.
    Left(String),
}

/// Does what `import` was asked for.
///
/// # Errors
/// Every [`Error`] of reading and writing.
pub fn import(args: &Import, out: &mut dyn Write) -> Result<(), Error> {
    let root = Root::named(&args.root)?;
    let scripts = scripts(&root)?;
    let machine = Machine {
        version: XenVersion::running(&root).or_else(|| XenVersion::newest_installed(&root)),
        root: root.clone(),
        settings: Settings::default(),
        programs: PathBuf::from("/usr/bin"),
    };
    let mut settings: Vec<(String, String)> = vec![];
    let mut said = vec![];
    for file in files(&root)? {
        let Some(bytes) = root.read_bytes(&file)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let unused = readers::ignored(&file, &text, &scripts);
        let is_own = file == Path::new(OWN_FILE);
        let reader = Reader::of(&root, &file, &scripts);
        for (name, raw) in assignments(&text) {
            let (name, raw) = (name.as_str(), raw.as_str());
            let mut say = |what: &str| said.push([&place(&file), ": ", what].concat());
            let fate = match &reader {
                Some(reader) => Fate::Left(reader.makes_of(name)),
                None => fate(&machine, name, raw, is_own),
            };
            match fate {
                // It takes back what a weaker file says.
                Fate::Left(reason) if reason.is_empty() => {
                    settings.retain(|(known, _)| known != our_name(name));
                }
                Fate::Left(reason) => say(&[name, ": ", &reason].concat()),
                Fate::Taken(ours, value) => {
                    if unused.iter().any(|one| one == name) {
                        let what = ": its own scripts ignored it; it counts from now on";
                        say(&[name, what].concat());
                    }
                    if ours != name {
                        say(&[name, ": is called ", &ours, " here"].concat());
                    }
                    say(&[&ours, "=", &value::quoted(&value)].concat());
                    settings.retain(|(known, _)| *known != ours);
                    settings.push((ours, value));
                }
            }
        }
    }
    let steps = write(&root, &settings, args.force)?;
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

fn place(path: &Path) -> String {
    path.display().to_string()
}

/// The steps that make the file of these settings; none without any.
fn write(root: &Root, settings: &[(String, String)], force: bool) -> Result<Vec<Step>, Error> {
    let lines = settings
        .iter()
        .map(|(name, value)| format!("{name}={}\n", value::quoted(value)));
    let text = "# Written by xen-units\n".to_owned() + &lines.collect::<String>();
    let file = File::new(root.below(Path::new(OWN_FILE)), text);
    match output::look(&file, None)? {
        _ if settings.is_empty() => Ok(vec![]),
        found => output::plan(vec![(file, found)], force),
    }
}

/// What becomes of a setting that the chain may use. Of an empty one, which is
/// none, nothing is said.
fn fate(machine: &Machine, name: &str, raw: &str, is_own: bool) -> Fate {
    let left = |reason: &str| Fate::Left(["not taken, ", reason].concat());
    let Some(value) = value::meant(raw) else {
        return left(value::OPEN_QUOTE);
    };
    if value.is_empty() {
        return Fate::Left(String::new());
    }
    if value.contains(['$', '`']) {
        return left(&["a shell would have to work it out: ", raw].concat());
    }
    if is_own {
        return Fate::Taken(name.to_owned(), value);
    }
    let ours = our_name(name);
    if !is_used(ours) {
        return left("nothing here uses it");
    }
    let value = match name {
        "XENSTORED_STUBDOM" if value.eq_ignore_ascii_case("yes") => "domain".to_owned(),
        "XENSTORED_STUBDOM" => "daemon".to_owned(),
        _ => as_meant(ours, value),
    };
    match refusal(machine, ours, &value) {
        Some(what) => left(&what),
        None => Fate::Taken(ours.to_owned(), value),
    }
}

/// What a setting of that name is called here.
fn our_name(name: &str) -> &str {
    let known = RENAMED.iter().find(|(other, _)| *other == name);
    known.map_or(name, |(_, ours)| *ours)
}

/// Why the chain could not be written with this setting.
fn refusal(machine: &Machine, name: &str, value: &str) -> Option<String> {
    let mut machine = machine.clone();
    machine.settings = Settings::from_iter([(name.to_owned(), value.to_owned())]);
    Name::ALL.iter().find_map(|link| {
        match chain::service(*link, &machine) {
            Err(Error::Setting { what, .. }) => Some(what),
            // One that was named, not one that is merely not there.
            Err(Error::NotInstalled { looked, .. }) if looked == [value] => {
                Some([value, " is not installed"].concat())
            }
            _ => None,
        }
    })
}

/// Who reads the settings for the domains, and what it uses of them.
struct Reader<'a>(Option<&'a (PathBuf, String)>);

impl<'a> Reader<'a> {
    /// `None` where the file is not one for the domains. The script is the one
    /// that xen-domains runs, or the one that this one runs in its turn.
    fn of(root: &Root, file: &Path, scripts: &'a Texts) -> Option<Self> {
        if file.file_name()? != "xendomains" {
            return None;
        }
        let script = |path: &&str| scripts.iter().find(|(other, _)| other == Path::new(path));
        let is_run = |(path, _): &&(PathBuf, String)| !root.is_of_openrc(path);
        let reader = tools::XENDOMAINS.iter().filter_map(script).filter(is_run);
        let reads = |(path, text): &&(PathBuf, String)| readers::reads(path, text, file);
        Some(Self(reader.clone().find(reads)))
    }

    fn makes_of(&self, name: &str) -> String {
        match self.0 {
            Some((script, text)) if readers::uses(text, name) => {
                let how = "stays there and goes on counting: xen-domains runs ";
                [how, &place(script), ", which reads it"].concat()
            }
            Some((script, _)) => ["stays there, where ", &place(script), " ignores it"].concat(),
            None => "stays there, where no script that xen-domains runs reads it".to_owned(),
        }
    }
}

/// The files, the weakest first.
fn files(root: &Root) -> Result<Vec<PathBuf>, Error> {
    let conf = Path::new("/etc/conf.d");
    let names = root.names(conf)?.into_iter();
    let is_xens = |name: &String| name.starts_with("xen");
    let mut files: Vec<PathBuf> = names.filter(is_xens).map(|name| conf.join(name)).collect();
    files.extend(DOMAINS.iter().chain(&FILES).map(PathBuf::from));
    Ok(files)
}

/// The other scripts, by which one sees what they make of a setting.
fn scripts(root: &Root) -> Result<Texts, Error> {
    let mut reading = Reading::default();
    reading.system(root);
    if let Some(error) = reading.failures.pop() {
        return Err(error);
    }
    // Ours read everything.
    let mut texts = reading.texts;
    texts.retain(|(_, text)| !readers::is_ours(text));
    Ok(texts)
}
