//! The kernel's device for tests: a terminal in raw mode, which can be opened
//! by its name, carries bytes both ways and can be polled.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::{Manner, Tree, serve};

/// A device with a store behind it. Dropped, nobody answers there any more.
pub struct Device {
    /// Open, so that the terminal lives as long as this.
    _client_side: File,
    tree: Arc<Mutex<Tree>>,
}

impl Device {
    /// Makes `dev/xen/xenbus` below the root.
    pub fn start(root: &Path, manner: Manner) -> Self {
        let pair = openpty(None, None).unwrap();
        let mut settings = tcgetattr(&pair.slave).unwrap();
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).unwrap();
        let client_side = File::from(pair.slave);
        let name = nix::unistd::ttyname(&client_side).unwrap();
        fs::create_dir_all(root.join("dev/xen")).unwrap();
        symlink(name, root.join("dev/xen/xenbus")).unwrap();
        let reader = File::from(pair.master);
        let writer = Box::new(reader.try_clone().unwrap());
        let tree = Arc::new(Mutex::new(Tree::default()));
        let its_tree = Arc::clone(&tree);
        thread::spawn(move || serve(reader, writer, manner, &its_tree));
        Self {
            _client_side: client_side,
            tree,
        }
    }

    /// As if another client had written it.
    pub fn write(&self, path: &str, value: &[u8]) {
        self.tree.lock().unwrap().write(path, value);
    }
}
