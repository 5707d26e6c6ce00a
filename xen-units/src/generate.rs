//! Everything is written, for one init system.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::{Generate, Init};
use crate::enable;
use crate::enabled;
use crate::exec;
use crate::extras;
use crate::folders;
use crate::machine::{Machine, is_masked};
use crate::manifest::{self, Manifest};
use crate::model::Name;
use crate::output::{self, File, Found, Step};
use crate::rivals::{self, Rival};
use crate::root::Root;
use crate::select::{Chain, Choices};
use crate::settings::bad_value;
use crate::show::print;
use crate::store;
use crate::usage::wrong;
use crate::{Error, XenVersion};
use crate::{dinit, openrc, runit, s6, systemd, sysvinit};

/// Writes what `generate` was asked for.
///
/// # Errors
/// Every [`Error`].
pub fn generate(args: &Generate, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let root = Root::new(&args.place.root);
    if !root.contains(&args.output) {
        let what = format!("{} is not below --root", args.output.display());
        return Err(wrong("--output", Some("XEN_UNITS_OUTPUT"), what));
    }
    let args = &Generate {
        output: root.inside(&args.output),
        ..args.clone()
    };
    if args.disable {
        let path = args.output.join(manifest::NAME);
        let mut list = Manifest::parse(&root.read(&path)?.unwrap_or_default());
        let (steps, left) = disable(args, &root, &mut list)?;
        carry_out(&steps, args, out, err)?;
        if let Some(path) = enable::others_watchdog(&root, &args.output, &list) {
            // By its name it cannot be told from ours, so it is not put back.
            let _ = writeln!(
                err,
                "xen-units: {} is another chain's: put it back and enable it, if it is to \
                 start again",
                path.display()
            );
        }
        // A mask is how an administrator takes a package's link back.
        let is_masked = args.init == Init::Systemd && is_masked(&root, systemd::TARGET);
        return if left.is_empty() || is_masked {
            Ok(())
        } else {
            Err(Error::StillEnabled(left))
        };
    }
    let machine = args.place.machine_with(crate::lasting())?;
    if args.store_socket {
        require_own_socket(args.init, &machine)?;
    }
    let choices = Choices::chosen(args.domains, args.watchdog, &root)?;
    let mut chain = Chain::of(&machine, choices)?.for_init(args.init, &machine, choices)?;
    if args.store_socket {
        chain = chain.with_store_socket();
    }
    let (extras, network_remarks) = extras::files(&machine, args.init, &chain, &args.output)?;
    let rivals = rivals::enabled(&machine.root, args.init)?;
    let mut files = files_of(args, &chain, &machine)?;
    files.extend(extras);
    let Plan { steps, left } = plan(args, &machine, &chain, files, &rivals)?;

    let absent = chain.absent.iter().filter(|_| args.verbose);
    let read = match args.init {
        // The others' scripts have a shell read them.
        Init::Systemd => machine.settings.remarks(),
        _ => &[],
    };
    let remarks = chain.remarks.iter().chain(absent).chain(&network_remarks);
    let remarks = remarks.chain(read);
    for remark in remarks {
        // Said for the reader's sake; what is done does not depend on it.
        let _ = writeln!(err, "xen-units: {remark}");
    }
    if !rivals.is_empty() && !args.enable {
        let named = rivals::named(&rivals);
        let _ = writeln!(
            err,
            "xen-units: another chain is enabled, to be masked before this one is: {named}"
        );
    }
    for path in left {
        let _ = writeln!(err, "xen-units: {}", Error::Changed(path));
    }
    carry_out(&steps, args, out, err)
}

fn carry_out(
    steps: &[Step],
    args: &Generate,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Error> {
    if args.dry_run {
        return print(steps.iter().map(Step::command).collect(), out);
    }
    for step in steps {
        output::apply(step)?;
        if args.verbose {
            let _ = writeln!(err, "xen-units: {}", step.done());
        }
    }
    let is_run = |step: &&Step| matches!(step, Step::Run(_));
    let lines: Vec<String> = steps.iter().filter(is_run).map(Step::command).collect();
    if lines.is_empty() {
        return Ok(());
    }
    exec::shell(&["exec >/dev/null", &lines.join("\n")].join("\n"), &[])
}

/// What takes back what is enabled, by the list of it and by what leads to files
/// of ours: it has to work where Xen's tools are gone, a setting is wrong or a
/// file was changed. Beside the steps, what enables it still.
fn disable(
    args: &Generate,
    root: &Root,
    list: &mut Manifest,
) -> Result<(Vec<Step>, Vec<PathBuf>), Error> {
    let mut steps = enable::undo(root, list);
    let mut left = vec![];
    for path in enabled::links(root, args.init)? {
        let step = Step::Unlink(root.below(&path));
        if steps.contains(&step) {
            continue;
        }
        if enabled::may_go(root, &path) {
            steps.push(step);
        } else {
            left.push(path);
        }
    }
    if args.init == Init::Sysvinit {
        let mut scripts: Vec<&str> = scripts(list.files.iter().map(|(path, _)| path)).collect();
        for name in Name::ALL.map(Name::as_str) {
            let links = enabled::in_runlevels(root, name)?;
            let is_ours = links.iter().any(|link| enabled::is_ours(root, link));
            if is_ours && !scripts.contains(&name) {
                scripts.push(name);
            }
        }
        steps.extend(enable::commands(&scripts, root, &args.output, false)?);
    }
    let path = args.output.join(manifest::NAME);
    let file = File::new(root.below(&path), list.text());
    if root.has(&path) && output::look(&file, None)? != Found::Same {
        steps.push(Step::Write(file));
    }
    Ok((steps, left))
}

/// The names of the init scripts among files.
fn scripts<'a>(files: impl Iterator<Item = &'a PathBuf>) -> impl Iterator<Item = &'a str> {
    files.filter_map(|path| path.strip_prefix(sysvinit::FOLDER).ok()?.to_str())
}

/// The init system's own files.
fn files_of(args: &Generate, chain: &Chain, machine: &Machine) -> Result<Vec<File>, Error> {
    let services = &chain.services;
    let folders = folders::commands(&folders::entries(machine));
    if args.init == Init::Dinit {
        // Newer versions put a variable's value where a dollar sign is.
        let is_plain = crate::is_one_line(&args.output)
            && !args.output.as_os_str().as_encoded_bytes().contains(&b'$');
        let complaint = match (args.output.is_relative(), is_plain) {
            (true, _) => "dinit needs an absolute path, which its files have in them",
            (_, false) => "no path that dinit's files could have in them",
            _ => "",
        };
        if !complaint.is_empty() {
            let variable = Some("XEN_UNITS_OUTPUT");
            return Err(wrong("--output", variable, complaint.to_owned()));
        }
    }
    Ok(match args.init {
        Init::Systemd => units(chain, machine, args.store_socket)?,
        Init::Openrc => openrc::files(services, &folders),
        Init::Sysvinit => sysvinit::files(services, &folders),
        Init::Runit => runit::files(services, &folders),
        Init::S6 => s6::files(services, &chain.wanted, &folders),
        Init::Dinit => dinit::files(services, &chain.wanted, &folders, &args.output),
    })
}

/// What is to be done, and what somebody has changed and keeps.
#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    left: Vec<PathBuf>,
}

/// Every step: the files, what is no longer written, the links, and the list of
/// all that, before and behind.
fn plan(
    args: &Generate,
    machine: &Machine,
    chain: &Chain,
    files: Vec<File>,
    rivals: &[Rival],
) -> Result<Plan, Error> {
    let root = &machine.root;
    let list = args.output.join(manifest::NAME);
    let before = Manifest::parse(&root.read(&list)?.unwrap_or_default());
    let mut after = Manifest {
        files: vec![],
        ..before.clone()
    };
    let mut plan = Plan::default();
    plan.write(files, args, root, &before, &mut after)?;
    let written = plan.steps.len();
    plan.take_away(args, root, &before, &mut after);
    let links = match args.enable {
        true => Some(enable::links(args.init, chain, root, &args.output)?),
        false => None,
    };
    // Before what they lead to.
    let lost = enable::take_back(root, &args.output, links.as_deref(), &mut after);
    plan.steps.splice(written..written, lost);
    if args.output == Path::new("/etc") {
        let has = |file: &PathBuf| after.files.iter().any(|(known, _)| known == file);
        let gone = before.files.iter().map(|(file, _)| file);
        let gone = gone.filter(|file| !has(file));
        let gone: Vec<&str> = scripts(gone).collect();
        plan.steps.extend(enable::forget(&gone, root)?);
    }
    if let Some(links) = links {
        plan.enable(args, root, chain, links, rivals, &mut after)?;
    }
    // Killed half-way, the next run is to know everything of this one too.
    let first = before.joined(&after);
    let list = root.below(&list);
    plan.steps.extend(output::left_behind(&list)?);
    let mut known = before.text();
    if plan.steps.iter().any(|step| !matches!(step, Step::Run(_))) {
        known = first.text();
        let first = File::new(&list, &known);
        if output::look(&first, None)? != Found::Same {
            plan.steps.insert(0, Step::Write(first));
        }
    } else if list.symlink_metadata().is_err() {
        known.clear();
    }
    let last = after.text();
    if known != last {
        plan.steps.push(Step::Write(File::new(&list, last)));
    }
    Ok(plan)
}

impl Plan {
    /// One that somebody has changed is left as it is, and all others are
    /// written: that is what dpkg does with an administrator's changes. One that
    /// somebody else wrote ends it all before it has begun.
    fn write(
        &mut self,
        files: Vec<File>,
        args: &Generate,
        root: &Root,
        before: &Manifest,
        after: &mut Manifest,
    ) -> Result<(), Error> {
        let folder = root.below(&args.output);
        for file in files {
            let path = file.path.clone();
            let mut file = file.below(&folder);
            self.steps.extend(output::left_behind(&file.path)?);
            let is = output::look(&file, Some((before, &path)))?;
            let is_rival = args.replace && is == Found::Foreign && rivals::may_be_at(&path);
            if is == Found::Changed && !args.force {
                after.keep(&path, before);
                self.left.push(file.path);
                continue;
            }
            after.add(&path, &file.text);
            if is == Found::Ours {
                file.keep_mode();
            }
            let steps = output::plan(vec![(file, is)], args.force || is_rival)?;
            self.steps.extend(steps);
        }
        Ok(())
    }

    /// A file of an earlier run goes, unless somebody has made it theirs.
    fn take_away(&mut self, args: &Generate, root: &Root, before: &Manifest, after: &mut Manifest) {
        for (number, (path, _)) in before.files.iter().enumerate() {
            // After a run that was killed there may be two lines for one file.
            let is_second = before.files[..number]
                .iter()
                .any(|(known, _)| known == path);
            if is_second || after.files.iter().any(|(known, _)| known == path) {
                continue;
            }
            let place = root.below(&args.output).join(path);
            let Ok(content) = std::fs::read(&place) else {
                continue;
            };
            match before.wrote(path, &content) {
                Some(true) => {}
                _ if args.force => self.steps.push(Step::Keep(place.clone())),
                _ => {
                    after.keep(path, before);
                    self.left.push(place);
                    continue;
                }
            }
            self.steps.push(Step::Remove(place));
        }
    }

    fn enable(
        &mut self,
        args: &Generate,
        root: &Root,
        chain: &Chain,
        links: Vec<(PathBuf, PathBuf)>,
        rivals: &[Rival],
        after: &mut Manifest,
    ) -> Result<(), Error> {
        if !rivals.is_empty() && !args.replace {
            let mend = "put it out of the way with --replace";
            return Err(Error::Rivals(rivals::named(rivals), mend));
        }
        let steps = enable::replace(args.init, rivals, root, after)?;
        self.steps.extend(steps);
        let steps = enable::make(links, root, &self.steps, after)?;
        self.steps.extend(steps);
        if args.init == Init::Sysvinit {
            let names: Vec<&str> = chain.wanted.iter().map(|name| name.as_str()).collect();
            let commands = enable::commands(&names, root, &args.output, true)?;
            self.steps.extend(commands);
        }
        Ok(())
    }
}

/// Where systemd's units go, below the output folder.
pub(crate) const UNITS: &str = "systemd/system";

/// systemd's files.
pub(crate) fn units(
    chain: &Chain,
    machine: &Machine,
    store_socket: bool,
) -> Result<Vec<File>, Error> {
    let folder = Path::new(UNITS);
    let mut files = vec![];
    let mut add = |name: &str, text: &str| files.push(File::new(folder.join(name), text));
    add(systemd::TARGET, &systemd::target(&chain.wanted));
    for service in &chain.services {
        add(&systemd::unit_name(service.name), &systemd::unit(service));
    }
    for (name, text) in systemd::others(machine, chain)? {
        add(name, &text);
    }
    if store_socket {
        add(systemd::SOCKET, systemd::STORE_SOCKET);
    }
    Ok(files)
}

/// Sockets made for it are of use only to a daemon that takes them, by what
/// systemd leaves in its environment.
fn require_own_socket(init: Init, machine: &Machine) -> Result<(), Error> {
    if init != Init::Systemd {
        let what = "only systemd makes sockets for it".to_owned();
        let variable = Some("XEN_UNITS_STORE_SOCKET");
        return Err(wrong("--store-socket", variable, what));
    }
    if store::is_domain(machine) {
        let what = "a store in a domain takes no socket (--store-socket)";
        return Err(bad_value("XENSTORETYPE", what));
    }
    let version = machine.version;
    match version {
        Some(old) if old < XenVersion::OWN_SOCKET => Ok(()),
        _ => Err(Error::OwnSocket { version }),
    }
}
