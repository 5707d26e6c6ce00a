//! A machine of its own for each test: the program in a root of its own
//! (`unshare -r chroot`), the kernel's answers put into its mouth by strace.
//! Needs strace and util-linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A machine of which only what matters here exists.
pub struct Machine {
    /// Its root folder.
    pub root: TempDir,
    /// Where its modules are, below that.
    pub modules: PathBuf,
}

/// What came of a run.
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
    /// The system calls that were asked for, as strace writes them.
    pub calls: String,
}

impl Machine {
    /// Under Xen, with nothing loaded and these lines in modules.dep.
    pub fn new(dep: &str) -> Self {
        let root = TempDir::new().expect("the test machine can be made");
        let release = nix::sys::utsname::uname().expect("the test machine can be made");
        let modules = Path::new("lib/modules").join(release.release());
        let machine = Self { root, modules };
        machine.install(Path::new(env!("CARGO_BIN_EXE_xen-modload")), "xen-modload");
        machine.install(Path::new("/bin/sh"), "bin/sh");
        machine.write("proc/xen/capabilities", b"control_d\n");
        machine.write("proc/modules", b"");
        machine.write_index(dep);
        machine
    }

    fn write_index(&self, dep: &str) {
        let path = self.modules.join("modules.dep");
        self.write(
            path.to_str().expect("the test machine can be made"),
            dep.as_bytes(),
        );
        for line in dep.lines() {
            let file = self.modules.join(
                line.split(':')
                    .next()
                    .expect("the test machine can be made"),
            );
            self.write(
                file.to_str().expect("the test machine can be made"),
                b"\x7fELF",
            );
        }
    }

    pub fn write(&self, path: &str, content: &[u8]) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().expect("the test machine can be made"))
            .expect("the test machine can be made");
        fs::write(path, content).expect("the test machine can be made");
    }

    /// A program and the libraries that it is linked with, if any.
    fn install(&self, program: &Path, name: &str) {
        let ldd = Command::new("ldd")
            .arg(program)
            .output()
            .expect("the test machine can be made");
        let text = String::from_utf8(ldd.stdout).expect("the test machine can be made");
        for library in text.split_whitespace().filter(|word| word.starts_with('/')) {
            let copy = self.root.path().join(&library[1..]);
            fs::create_dir_all(copy.parent().expect("the test machine can be made"))
                .expect("the test machine can be made");
            fs::copy(library, copy).expect("the test machine can be made");
        }
        let copy = self.root.path().join(name);
        fs::create_dir_all(copy.parent().expect("the test machine can be made"))
            .expect("the test machine can be made");
        // By cp: a file open for writing here may be so in another test's
        // child as well, and is busy then.
        let copied = Command::new("cp").arg(program).arg(copy).status();
        assert!(copied.expect("the test machine can be made").success());
    }

    /// Runs the program; the kernel answers as `inject` says (strace(1)).
    pub fn run(&self, inject: &[&str], args: &[&str]) -> Outcome {
        let log = tempfile::NamedTempFile::new().expect("the test machine can be made");
        let mut command = Command::new("unshare");
        command
            .args(["-r", "strace", "-qq", "-f", "-X", "raw", "-s", "200", "-o"])
            .arg(log.path())
            .args([
                "-e",
                "trace=finit_module,init_module,delete_module,openat,clone3",
            ]);
        for answer in inject {
            command.args(["-e", &format!("inject={answer}")]);
        }
        let output = command
            .arg("chroot")
            .arg(self.root.path())
            .arg("/xen-modload")
            .args(args)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .expect("the test machine can be made");
        Outcome {
            stdout: String::from_utf8(output.stdout).expect("the test machine can be made"),
            stderr: String::from_utf8(output.stderr).expect("the test machine can be made"),
            status: output.status.code(),
            calls: fs::read_to_string(log.path()).expect("the test machine can be made"),
        }
    }
}
