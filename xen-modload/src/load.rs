//! Doing: one module loaded, one command run. No decisions.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module, init_module};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};

use crate::compressed::Compression;
use crate::outcome::Failure;

/// The flag by which the kernel is asked to decompress the file itself
/// (MODULE_INIT_COMPRESSED_FILE, Linux 5.17); nix has no name for it.
const COMPRESSED_FILE: ModuleInitFlags = ModuleInitFlags::from_bits_retain(4);

/// Gives the kernel a module's file.
///
/// # Errors
/// The file cannot be read, or the kernel's answer: EEXIST where somebody else
/// was first.
pub fn insert(path: &Path, options: &str) -> Result<(), Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::doing(&format!("open {}", path.display()), &error))?;
    let options =
        CString::new(options).map_err(|_| Failure::because("its options hold a zero byte"))?;
    let Some(compression) = Compression::of(path) else {
        return finit_module(&file, &options, ModuleInitFlags::empty()).map_err(Failure::loading);
    };
    if kernel_decompresses(compression) {
        match finit_module(&file, &options, COMPRESSED_FILE) {
            Ok(()) => return Ok(()),
            // It can, but not this one.
            Err(Errno::EOPNOTSUPP) => {}
            Err(errno) => return Err(Failure::loading(errno)),
        }
    }
    let packed = fs::read(path)
        .map_err(|error| Failure::doing(&format!("read {}", path.display()), &error))?;
    let image = compression
        .decode(&packed)
        .map_err(|why| Failure::because(format!("decompress {}: {why}", path.display())))?;
    init_module(&image, &options).map_err(Failure::loading)
}

/// The kernel names the one kind of compression that it was built with.
fn kernel_decompresses(compression: Compression) -> bool {
    fs::read_to_string("/sys/module/compression")
        .is_ok_and(|name| name.trim() == compression.kernel_name())
}

/// Runs a command of modprobe.d as modprobe does: through sh, with the options
/// in the place of `$CMDLINE_OPTS` and the name in `$MODPROBE_MODULE`.
///
/// # Errors
/// It could not be run, or did not end well.
pub fn run_command(command: &str, module: &str, options: &str) -> Result<(), Failure> {
    let text = command.replace("$CMDLINE_OPTS", options);
    let status = spawn_shell(&text, module)
        .map_err(|errno| Failure::because(format!("run /bin/sh: {}", io::Error::from(errno))))?;
    let how = match status {
        WaitStatus::Exited(_, 0) => return Ok(()),
        WaitStatus::Exited(_, status) => format!("ended with status {status}"),
        WaitStatus::Signaled(_, signal, _) => format!("was ended by {}", signal.as_str()),
        _ => "did not end".to_owned(),
    };
    let reason = format!("its line in modprobe.d {how}: {command}");
    Err(Failure::because(reason))
}

/// What the command prints goes to standard error: standard output is for the
/// answer, which may be JSON.
fn spawn_shell(text: &str, module: &str) -> Result<WaitStatus, Errno> {
    let word = |word: &str| CString::new(word).map_err(|_| Errno::EINVAL);
    let mut environment = vec![word(&format!("MODPROBE_MODULE={module}"))?];
    for (name, value) in std::env::vars_os().filter(|(name, _)| name != "MODPROBE_MODULE") {
        let pair = [name.as_bytes(), b"=", value.as_bytes()].concat();
        environment.push(CString::new(pair).map_err(|_| Errno::EINVAL)?);
    }
    let arguments = [word("sh")?, word("-c")?, word(text)?];
    let mut files = PosixSpawnFileActions::init()?;
    files.add_dup2(2, 1)?;
    // Rust ignores SIGPIPE, and what is ignored is inherited.
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
    let child = posix_spawn(c"/bin/sh", &files, &attributes, &arguments, &environment)?;
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// The right that is lacking, if that is why the kernel answered EPERM: no other
/// module would fare better.
#[must_use]
pub fn missing_right() -> Option<&'static str> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    if !has_sys_module(&read("/proc/self/status")) {
        return Some("this process lacks CAP_SYS_MODULE");
    }
    if !is_whole_machine(&read("/proc/self/uid_map")) {
        return Some("only root of the machine itself may, not of a user namespace");
    }
    (read("/proc/sys/kernel/modules_disabled").trim() == "1")
        .then_some("kernel.modules_disabled is set until the next boot")
}

/// Why the kernel may have answered EPERM to this module, though it takes others.
#[must_use]
pub fn lockdown() -> Option<&'static str> {
    // The mode in force stands in brackets: none [integrity] confidentiality
    let modes = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    (modes.contains('[') && !modes.contains("[none]"))
        .then_some("the kernel is locked down, and takes only modules signed by a key it trusts")
}

/// Bit 16 of the effective capabilities. Unknown counts as there.
fn has_sys_module(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_none_or(|bits| bits & (1 << 16) != 0)
}

fn is_whole_machine(uid_map: &str) -> bool {
    let fields: Vec<&str> = uid_map.split_whitespace().collect();
    fields.is_empty() || fields == ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_capability_from_its_bit() {
        assert!(has_sys_module("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(!has_sys_module("CapEff:\t000001fffffeffff\n"));
        assert!(has_sys_module(""));
    }

    #[test]
    fn tells_a_user_namespace_from_the_machine() {
        assert!(is_whole_machine("         0          0 4294967295\n"));
        assert!(!is_whole_machine("         0       1000          1\n"));
    }

    #[test]
    fn a_command_gets_its_options_and_the_name() {
        let command = "test \"$CMDLINE_OPTS\" = 'a=1 b' && test $MODPROBE_MODULE = tun";
        assert_eq!(run_command(command, "tun", "a=1 b"), Ok(()));
        let failure = run_command("exit 3", "tun", "").unwrap_err();
        assert!(
            failure.reason.contains("ended with status 3: exit 3"),
            "{failure:?}"
        );
    }
}
