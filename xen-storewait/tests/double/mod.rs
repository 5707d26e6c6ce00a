//! A store for tests: it speaks the protocol on a socket of its own, or
//! misbehaves in one of the ways in which stores do.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod device;
mod tree;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket,
};
use xen_storewait::wire::{Decoder, Kind, Message};

pub use tree::Tree;

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As a store should.
    Honest,
    /// Takes requests and never answers.
    Silent,
    /// Answers the first request, and no other.
    SilentAfterTheFirst,
    /// One byte of each answer in so much time.
    Slow(Duration),
    /// Answers with something else altogether.
    Garbage,
    /// Announces a payload of four gigabytes.
    GiantLength,
    /// Answers another question.
    WrongKind,
    /// Answers another request.
    WrongNumber,
    /// A good reply that says something else.
    WrongContent,
    /// Answers each request with this error.
    Refusing(&'static str),
    /// Sends events instead of an answer, and never ends.
    Flooding,
    /// Closes each connection at once.
    Closing,
    /// Closes after so many bytes of the answer.
    ClosingAfter(usize),
    /// Listens, but accepts nobody, as a process that was stopped.
    Stopped,
}

/// A store on a socket. Dropped, it is as dead as after SIGKILL: its
/// connections are closed and the socket stays behind.
pub struct Double {
    path: PathBuf,
    tree: Arc<Mutex<Tree>>,
    connections: Arc<Mutex<Vec<UnixStream>>>,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Double {
    /// Makes its socket anew, as both stores do, and serves it.
    pub fn start(path: &Path, manner: Manner) -> Self {
        Self::start_with(path, manner, Tree::default())
    }

    pub fn start_with(path: &Path, manner: Manner, tree: Tree) -> Self {
        let bound = bind_socket(path);
        // As both stores: a queue of one.
        listen(&bound, Backlog::new(1).unwrap()).unwrap();
        let listener = UnixListener::from(bound);
        let (stop, stopped) = UnixStream::pair().unwrap();
        let tree = Arc::new(Mutex::new(tree));
        let connections = Arc::new(Mutex::new(vec![]));
        let (its_tree, its_connections) = (Arc::clone(&tree), Arc::clone(&connections));
        let thread = thread::spawn(move || {
            accept_all(&listener, &stopped, manner, &its_tree, &its_connections);
        });
        Self {
            path: path.to_path_buf(),
            tree,
            connections,
            stop,
            thread: Some(thread),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the store now.
    pub fn value(&self, path: &str) -> Option<Vec<u8>> {
        self.tree.lock().unwrap().read(path)
    }

    /// As if another client had written it.
    pub fn write(&self, path: &str, value: &[u8]) {
        self.tree.lock().unwrap().write(path, value);
    }

    /// As if another client had removed it.
    pub fn remove(&self, path: &str) {
        self.tree.lock().unwrap().remove(path);
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> usize {
        self.connections.lock().unwrap().len()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.stop.shutdown(Shutdown::Both);
        let _ = self.thread.take().map(JoinHandle::join);
        for connection in self.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// A socket that is bound; nobody listens yet.
pub fn bind_socket(path: &Path) -> OwnedFd {
    let _ = std::fs::remove_file(path);
    let (family, kind) = (AddressFamily::Unix, SockType::Stream);
    let bound = socket(family, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(bound.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
    bound
}

fn accept_all(
    listener: &UnixListener,
    stopped: &UnixStream,
    manner: Manner,
    tree: &Arc<Mutex<Tree>>,
    connections: &Arc<Mutex<Vec<UnixStream>>>,
) {
    loop {
        let awaited = if manner == Manner::Stopped {
            PollFlags::empty()
        } else {
            PollFlags::POLLIN
        };
        let mut descriptors = [
            PollFd::new(listener.as_fd(), awaited),
            PollFd::new(stopped.as_fd(), PollFlags::POLLIN),
        ];
        poll(&mut descriptors, PollTimeout::NONE).unwrap();
        if descriptors[1].any().unwrap() {
            return;
        }
        let (stream, _) = listener.accept().unwrap();
        connections
            .lock()
            .unwrap()
            .push(stream.try_clone().unwrap());
        let tree = Arc::clone(tree);
        thread::spawn(move || {
            let writer = stream.try_clone().unwrap();
            serve(&stream, Box::new(writer), manner, &tree);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

/// Serves one connection until it ends.
pub fn serve(
    mut reader: impl Read,
    writer: Box<dyn Write + Send>,
    manner: Manner,
    tree: &Arc<Mutex<Tree>>,
) {
    let writer = Arc::new(Mutex::new(writer));
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    let mut answered = 0;
    if manner == Manner::Closing {
        return;
    }
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        decoder.push(&buffer[..count]);
        while let Some(request) = decoder.next_message().unwrap() {
            let is_silent =
                manner == Manner::Silent || (manner == Manner::SilentAfterTheFirst && answered > 0);
            if is_silent {
                continue;
            }
            answered += 1;
            let mut tree = tree.lock().unwrap();
            let payload = tree.answer(&request, &writer);
            let bytes = reply(&request, payload, manner);
            let mut writer = writer.lock().unwrap();
            let sent = match manner {
                Manner::Slow(time) => bytes.iter().try_for_each(|byte| {
                    thread::sleep(time);
                    writer.write_all(&[*byte])
                }),
                Manner::Flooding => {
                    let event = tree::event("/noise", "noise").repeat(100);
                    while writer.write_all(&event).is_ok() {}
                    return;
                }
                Manner::ClosingAfter(count) => {
                    let _ = writer.write_all(&bytes[..count.min(bytes.len())]);
                    return;
                }
                _ => writer.write_all(&bytes),
            };
            drop(writer);
            if sent.is_err() {
                return;
            }
            tree.send_events();
        }
    }
}

fn reply(request: &Message, payload: Result<Vec<u8>, &'static str>, manner: Manner) -> Vec<u8> {
    let payload = match manner {
        Manner::Refusing(name) => Err(name),
        Manner::WrongContent => Ok(b"/local/domain/7\0".to_vec()),
        _ => payload,
    };
    let (kind, payload) = match payload {
        Ok(payload) => (request.kind, payload),
        Err(name) => (Kind::ERROR, format!("{name}\0").into_bytes()),
    };
    let mut message = Message {
        kind,
        request: request.request,
        transaction: request.transaction,
        payload,
    };
    match manner {
        Manner::Garbage => return b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec(),
        Manner::WrongKind => message.kind = Kind::RM,
        Manner::WrongNumber => message.request += 7,
        _ => {}
    }
    let mut bytes = message.encode().unwrap();
    if manner == Manner::GiantLength {
        bytes[12..16].copy_from_slice(&u32::MAX.to_ne_bytes());
    }
    bytes
}
