//! How each init system is told to start the chain at boot, and to leave
//! another one alone.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Init;
use crate::manifest::Manifest;
use crate::model::Name;
use crate::output::Step;
use crate::readers::is_ours;
use crate::rivals::{self, DINIT_FOLDER, RUNIT_FOLDERS, Rival, Started, WATCHDOG};
use crate::root::Root;
use crate::select::Chain;
use crate::{dinit, enabled, openrc, runit, systemd};

/// Where runit's stage 3 finds what it runs when the services were told to stop,
/// on Debian and on Void.
pub(crate) const RUNIT_WAY_DOWN: [&str; 3] = [
    "/etc/rc0.d/K00xen-dom0",
    "/etc/rc6.d/K00xen-dom0",
    "/etc/runit/shutdown.d/00-xen-dom0.sh",
];

/// The programs that put init scripts into runlevels, with how they are told to
/// and not to.
const SCRIPT_TOOLS: [(&str, [&str; 2], [&str; 2]); 3] = [
    ("/usr/sbin/update-rc.d", ["@", "defaults"], ["@", "remove"]),
    ("/sbin/chkconfig", ["--add", "@"], ["--del", "@"]),
    ("/sbin/insserv", ["@", ""], ["-r", "@"]),
];

const IN_THE_WAY: &str = "its unit is in /etc/systemd/system, where the mask would be: disable it \
    with systemctl, or move it away";

/// The links by which the chain is started at boot; none where programs of the
/// init system are to make them (see [`commands`]).
///
/// # Errors
/// [`Error::NotHere`] where nobody but the administrator can do it, and where
/// the init system would not find what they lead to.
pub fn links(
    init: Init,
    chain: &Chain,
    root: &Root,
    output: &Path,
) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
    require_read(init, root, output)?;
    let to = |folder: &str, name: &str| output.join(folder).join(name);
    let each = |link: &dyn Fn(&'static str) -> PathBuf, folder: &str| {
        let names = chain.wanted.iter().map(|name| name.as_str());
        names.map(|name| (link(name), to(folder, name))).collect()
    };
    Ok(match init {
        Init::Systemd => vec![(
            Path::new("/etc/systemd/system/multi-user.target.wants").join(systemd::TARGET),
            to("systemd/system", systemd::TARGET),
        )],
        Init::Openrc => chain
            .wanted
            .iter()
            .map(|name| {
                let level = Path::new("/etc/runlevels").join(openrc::runlevel(*name));
                (level.join(name.as_str()), to(openrc::FOLDER, name.as_str()))
            })
            .collect(),
        Init::Runit => {
            let mut folders = RUNIT_FOLDERS
                .iter()
                .map(|folder| root.resolve(Path::new(folder)));
            let Some(folder) = folders.find(|folder| root.has_folder(folder)) else {
                let what = format!("none of {} is there", RUNIT_FOLDERS.join(", "));
                return Err(Error::NotHere("enable for runit", what));
            };
            let mut links: Vec<_> = each(&|name| folder.join(name), runit::FOLDER);
            if chain.wanted.contains(&Name::Domains) {
                let last = to(runit::FOLDER, Name::Domains.as_str()).join(runit::LAST);
                let places = RUNIT_WAY_DOWN.iter().map(Path::new);
                let is_there = |place: &&Path| root.has_folder(place.parent().unwrap_or(place));
                links.extend(
                    places
                        .filter(is_there)
                        .map(|place| (place.into(), last.clone())),
                );
            }
            links
        }
        Init::Dinit => vec![(
            Path::new(DINIT_FOLDER).join(dinit::ALL),
            to(dinit::FOLDER, dinit::ALL),
        )],
        Init::Sysvinit => vec![],
        Init::S6 => {
            let what = "add the bundle xen-dom0 to your own, then compile and update the database";
            return Err(Error::NotHere("enable for s6", what.to_owned()));
        }
    })
}

/// All but runit's links count by their names alone, which are looked up where
/// the init system has its files.
fn require_read(init: Init, root: &Root, output: &Path) -> Result<(), Error> {
    let (doing, folders): (_, &[&str]) = match init {
        Init::Systemd => (
            "enable for systemd",
            &["/etc", "/usr/local/lib", "/usr/lib", "/lib"],
        ),
        Init::Openrc => ("enable for openrc", &["/etc"]),
        Init::Dinit => ("enable for dinit", &["/etc", "/usr/local/lib", "/lib"]),
        Init::Runit if output.is_relative() => ("enable for runit", &["an absolute path"]),
        Init::Runit | Init::Sysvinit | Init::S6 => return Ok(()),
    };
    let output_is = root.resolve(output);
    if folders
        .iter()
        .any(|folder| root.resolve(Path::new(folder)) == output_is)
    {
        return Ok(());
    }
    let (read, output) = (folders.join(", "), output.display());
    let what = format!("{output} is nothing that it reads, only {read}");
    Err(Error::NotHere(doing, what))
}

/// The steps that make those links, and note them.
///
/// # Errors
/// [`Error::Setting`] where somebody else's file or link is in the place of one.
pub fn make(
    links: Vec<(PathBuf, PathBuf)>,
    root: &Root,
    before: &[Step],
    manifest: &mut Manifest,
) -> Result<Vec<Step>, Error> {
    let mut steps = vec![];
    for (path, target) in links {
        let place = root.below(&path);
        let goes = |step: &Step| matches!(step, Step::Unlink(gone) if *gone == place);
        let is_free = !root.has(&path) || before.iter().any(goes);
        let is_so = !is_free && root.link_target(&path).as_ref() == Some(&target);
        if !is_free && !is_so {
            let is_ours = enabled::is_ours(root, &path) && enabled::may_go(root, &path);
            if !is_ours {
                let what = "in the place of a link that enables the chain: move it away";
                return Err(Error::Setting {
                    place: path.display().to_string(),
                    what: what.to_owned(),
                });
            }
            steps.push(Step::Unlink(place.clone()));
        }
        if !is_so {
            steps.push(Step::Link(place, target.clone()));
        }
        if !manifest.links.iter().any(|(known, _)| *known == path) {
            manifest.links.push((path, target));
        }
    }
    Ok(steps)
}

/// The steps that take links of an earlier run back: those that this run, if it
/// enables, does not make, and those that lead to what it takes away.
pub fn take_back(
    root: &Root,
    output: &Path,
    wanted: Option<&[(PathBuf, PathBuf)]>,
    manifest: &mut Manifest,
) -> Vec<Step> {
    let mut steps = vec![];
    for link in std::mem::take(&mut manifest.links) {
        let (path, target) = &link;
        let has = |below: &Path| {
            let mut files = manifest.files.iter();
            files.any(|(file, _)| file.starts_with(below))
        };
        let is_lost = target.strip_prefix(output).is_ok_and(|below| !has(below));
        if !is_lost && wanted.is_none_or(|wanted| wanted.contains(&link)) {
            manifest.links.push(link);
        } else if root.link_target(path).as_ref() == Some(target) {
            steps.push(Step::Unlink(root.below(path)));
        }
    }
    steps
}

/// The steps by which init scripts that go are in no runlevel any more.
///
/// # Errors
/// A folder that cannot be read.
pub fn forget(names: &[&str], root: &Root) -> Result<Vec<Step>, Error> {
    let tool = SCRIPT_TOOLS[0].0;
    let has_tool = root.is_real() && root.has_program(Path::new(tool));
    let mut steps = vec![];
    for name in names {
        let links = enabled::in_runlevels(root, name)?;
        if has_tool && !links.is_empty() {
            let words = [tool, "-f", name, "remove"];
            steps.push(Step::Run(words.map(str::to_owned).to_vec()));
        } else {
            // The other tools would look for the script.
            steps.extend(links.iter().map(|link| Step::Unlink(root.below(link))));
        }
    }
    Ok(steps)
}

/// The commands that put init scripts into their runlevels, or out of them.
///
/// # Errors
/// [`Error::NotHere`] where there is no program for it, or in another root:
/// their order depends on every script there.
pub fn commands(names: &[&str], root: &Root, output: &Path, on: bool) -> Result<Vec<Step>, Error> {
    let what = if !root.is_real() {
        "not below --root: run it in there".to_owned()
    } else if output != Path::new("/etc") {
        format!("the scripts are in {}, not in /etc", output.display())
    } else if let Some(tool) = SCRIPT_TOOLS
        .iter()
        .find(|(tool, _, _)| root.has_program(Path::new(tool)))
    {
        let (tool, add, remove) = tool;
        let words = if on { add } else { remove };
        let command = |name: &str| {
            let words = words.iter().filter(|word| !word.is_empty());
            let mut line = vec![(*tool).to_owned()];
            // Without it only a script that is gone is forgotten.
            if !on && tool.ends_with("update-rc.d") {
                line.push("-f".to_owned());
            }
            line.extend(words.map(|word| word.replace('@', name)));
            Step::Run(line)
        };
        return Ok(names.iter().map(|name| command(name)).collect());
    } else {
        "neither update-rc.d nor chkconfig nor insserv is there".to_owned()
    };
    Err(Error::NotHere("enable for sysvinit", what))
}

/// The steps that put another chain out of the way; what was done is noted, but
/// for what is called as ours: put back, it would start ours.
///
/// # Errors
/// [`Error::NotHere`] and [`Error::Rivals`] where it can be done by hand only.
pub fn replace(
    init: Init,
    rivals: &[Rival],
    root: &Root,
    manifest: &mut Manifest,
) -> Result<Vec<Step>, Error> {
    let mut steps = vec![];
    for rival in rivals {
        let is_ours_by_name = rival.name == WATCHDOG;
        if init == Init::Systemd && !is_ours_by_name {
            let path = PathBuf::from(format!("/etc/systemd/system/{}.service", rival.name));
            if root.has(&path) {
                let named = rivals::named(std::slice::from_ref(rival));
                return Err(Error::Rivals(named, IN_THE_WAY));
            }
            steps.push(Step::Link(root.below(&path), "/dev/null".into()));
            manifest.masks.push(path);
            continue;
        }
        match &rival.started {
            Started::ByLink(path, target) => {
                steps.push(Step::Unlink(root.below(path)));
                if !is_ours_by_name {
                    manifest.unlinked.push((path.clone(), target.clone()));
                }
            }
            Started::ByRunlevel(link) => {
                let tool = Path::new(SCRIPT_TOOLS[0].0);
                if !root.is_real() || !root.has_program(tool) {
                    let what = format!("disable {} by hand ({link})", rival.name);
                    return Err(Error::NotHere("replace another chain", what));
                }
                let words: &[&str] = if is_ours_by_name {
                    &[SCRIPT_TOOLS[0].0, "-f", rival.name, "remove"]
                } else {
                    manifest.disabled.push(rival.name.to_owned());
                    &[SCRIPT_TOOLS[0].0, rival.name, "disable"]
                };
                let words = words.iter().map(|word| (*word).to_owned());
                steps.push(Step::Run(words.collect()));
            }
            // A mask would be for ours, which has the same name.
            Started::ByUnit(link) => steps.push(Step::Unlink(root.below(Path::new(link)))),
        }
    }
    Ok(steps)
}

/// The steps that take back what an earlier run has linked and put out of the
/// way, and nothing that was changed since.
pub fn undo(root: &Root, manifest: &mut Manifest) -> Vec<Step> {
    let mut steps = vec![];
    for (path, target) in std::mem::take(&mut manifest.links) {
        if root.link_target(&path).is_some_and(|found| found == target) {
            steps.push(Step::Unlink(root.below(&path)));
        }
    }
    for path in std::mem::take(&mut manifest.masks) {
        if root
            .link_target(&path)
            .is_some_and(|found| found == Path::new("/dev/null"))
        {
            steps.push(Step::Unlink(root.below(&path)));
        }
    }
    for (path, target) in std::mem::take(&mut manifest.unlinked) {
        if !root.has(&path) {
            steps.push(Step::Link(root.below(&path), target));
        }
    }
    for name in std::mem::take(&mut manifest.disabled) {
        let words = [SCRIPT_TOOLS[0].0, &name, "enable"];
        steps.push(Step::Run(words.map(str::to_owned).to_vec()));
    }
    steps
}

/// The watchdog of another chain that was in the place of ours, as it is kept.
#[must_use]
pub fn others_watchdog(root: &Root, output: &Path, manifest: &Manifest) -> Option<PathBuf> {
    let mut kept = manifest.files.iter().filter_map(|(path, _)| {
        let mut names = path.components().map(|part| part.as_os_str());
        let is_watchdogs = names.any(|name| Path::new(name).file_stem() == Some(WATCHDOG.as_ref()));
        let mut name = path.file_name()?.to_owned();
        name.push(".bak");
        is_watchdogs.then(|| output.join(path.with_file_name(name)))
    });
    kept.find(|path| {
        let text = root.read(path).ok().flatten();
        text.is_some_and(|text| !is_ours(&text))
    })
}
