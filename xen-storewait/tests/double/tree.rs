//! What is in the store: nodes, permissions, watches and transactions.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use xen_storewait::wire::{Kind, Message, PAYLOAD_MAX};

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;
type Answer = Result<Vec<u8>, &'static str>;

#[derive(Clone)]
struct Node {
    value: Vec<u8>,
    permissions: Vec<u8>,
}

struct Watch {
    path: String,
    token: String,
    writer: Writer,
}

struct Transaction {
    began: u64,
    nodes: BTreeMap<String, Node>,
    changed: Vec<String>,
}

/// All of it.
pub struct Tree {
    nodes: BTreeMap<String, Node>,
    /// Counts the changes.
    generation: u64,
    watches: Vec<Watch>,
    transactions: BTreeMap<u32, Transaction>,
    last_transaction: u32,
    pending: Vec<(Writer, Vec<u8>)>,
    /// So many commits fail with EAGAIN whatever happened.
    pub conflicts: usize,
    /// Nodes below this may not be written.
    pub read_only: Option<String>,
    /// An event that comes between each request and its reply.
    pub chatter: bool,
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Self {
            nodes: BTreeMap::new(),
            generation: 0,
            watches: vec![],
            transactions: BTreeMap::new(),
            last_transaction: 0,
            pending: vec![],
            conflicts: 0,
            read_only: None,
            chatter: false,
        };
        tree.nodes.insert("/".to_owned(), Node::new(b""));
        tree
    }
}

impl Node {
    fn new(value: &[u8]) -> Self {
        Self {
            value: value.to_vec(),
            permissions: b"n0\0".to_vec(),
        }
    }
}

impl Tree {
    /// An empty one with something changed.
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut tree = Self::default();
        change(&mut tree);
        tree
    }

    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.nodes.get(path).map(|node| node.value.clone())
    }

    pub fn write(&mut self, path: &str, value: &[u8]) {
        set(&mut self.nodes, path, Some(value));
        self.fire(&[path.to_owned()]);
        self.send_events();
    }

    pub fn remove(&mut self, path: &str) {
        remove(&mut self.nodes, path);
        self.fire(&[path.to_owned()]);
        self.send_events();
    }

    /// The payload of the reply, or the name of an error.
    pub fn answer(&mut self, request: &Message, writer: &Writer) -> Answer {
        if self.chatter {
            let event = event("/noise", "noise");
            let _ = writer.lock().unwrap().write_all(&event);
        }
        let words: Vec<&[u8]> = request.payload.splitn(2, |byte| *byte == 0).collect();
        let path = String::from_utf8_lossy(words[0]).into_owned();
        let rest = words.get(1).copied().unwrap_or_default();
        match request.kind {
            Kind::GET_DOMAIN_PATH => Ok(format!("/local/domain/{path}\0").into_bytes()),
            Kind::TRANSACTION_START => Ok(self.begin()),
            Kind::TRANSACTION_END => self.end(request.transaction, path == "T"),
            Kind::WATCH => self.watch(&path, rest, writer),
            Kind::UNWATCH => self.unwatch(&path, rest),
            _ if !path.starts_with('/') => Err("EINVAL"),
            kind => self.on_node(kind, request.transaction, &path, rest),
        }
    }

    fn on_node(&mut self, kind: Kind, transaction: u32, path: &str, rest: &[u8]) -> Answer {
        let changes = [Kind::WRITE, Kind::MKDIR, Kind::RM, Kind::SET_PERMS].contains(&kind);
        let protected = self.read_only.as_deref();
        if changes && protected.is_some_and(|prefix| path.starts_with(prefix)) {
            return Err("EACCES");
        }
        let generation = self.generation;
        let nodes = match self.transactions.get_mut(&transaction) {
            Some(transaction) => {
                if changes {
                    transaction.changed.push(path.to_owned());
                }
                &mut transaction.nodes
            }
            None if transaction != 0 => return Err("ENOENT"),
            None => &mut self.nodes,
        };
        let answer = on_nodes(nodes, generation, kind, path, rest)?;
        if changes && transaction == 0 {
            self.fire(&[path.to_owned()]);
        }
        Ok(answer)
    }

    fn begin(&mut self) -> Vec<u8> {
        self.last_transaction += 1;
        let transaction = Transaction {
            began: self.generation,
            nodes: self.nodes.clone(),
            changed: vec![],
        };
        self.transactions.insert(self.last_transaction, transaction);
        format!("{}\0", self.last_transaction).into_bytes()
    }

    fn end(&mut self, number: u32, commit: bool) -> Answer {
        let transaction = self.transactions.remove(&number).ok_or("ENOENT")?;
        if !commit {
            return ok();
        }
        if self.conflicts > 0 || transaction.began != self.generation {
            self.conflicts = self.conflicts.saturating_sub(1);
            return Err("EAGAIN");
        }
        self.nodes = transaction.nodes;
        self.fire(&transaction.changed);
        ok()
    }

    fn watch(&mut self, path: &str, token: &[u8], writer: &Writer) -> Answer {
        let token = String::from_utf8_lossy(token)
            .trim_end_matches('\0')
            .to_owned();
        let first = event(path, &token);
        self.pending.push((Arc::clone(writer), first));
        self.watches.push(Watch {
            path: path.to_owned(),
            token,
            writer: Arc::clone(writer),
        });
        ok()
    }

    fn unwatch(&mut self, path: &str, token: &[u8]) -> Answer {
        let token = String::from_utf8_lossy(token);
        let token = token.trim_end_matches('\0');
        let before = self.watches.len();
        self.watches
            .retain(|watch| watch.path != path || watch.token != token);
        if self.watches.len() == before {
            return Err("ENOENT");
        }
        ok()
    }

    fn fire(&mut self, paths: &[String]) {
        self.generation += 1;
        for path in paths {
            let removed_above = |watch: &Watch| watch.path.starts_with(&format!("{path}/"));
            for watch in &self.watches {
                let is_below = path == &watch.path || path.starts_with(&format!("{}/", watch.path));
                let fired = match (is_below, removed_above(watch)) {
                    (true, _) => path,
                    (false, true) => &watch.path,
                    (false, false) => continue,
                };
                let event = event(fired, &watch.token);
                self.pending.push((Arc::clone(&watch.writer), event));
            }
        }
    }

    /// Sends what the last changes have fired.
    pub fn send_events(&mut self) {
        for (writer, event) in self.pending.drain(..) {
            let _ = writer.lock().unwrap().write_all(&event);
        }
    }
}

fn on_nodes(
    nodes: &mut BTreeMap<String, Node>,
    generation: u64,
    kind: Kind,
    path: &str,
    rest: &[u8],
) -> Answer {
    match kind {
        Kind::WRITE => set(nodes, path, Some(rest)),
        Kind::MKDIR => set(nodes, path, None),
        Kind::RM if !nodes.contains_key(parent(path)) => return Err("ENOENT"),
        Kind::RM => remove(nodes, path),
        _ => {
            let children = children(nodes, path);
            let node = nodes.get_mut(path).ok_or("ENOENT")?;
            match kind {
                Kind::READ => return Ok(node.value.clone()),
                Kind::GET_PERMS => return Ok(node.permissions.clone()),
                Kind::SET_PERMS => node.permissions = rest.to_vec(),
                Kind::DIRECTORY if children.len() > PAYLOAD_MAX => return Err("E2BIG"),
                Kind::DIRECTORY => return Ok(children),
                Kind::DIRECTORY_PART => return part_of(&children, generation, rest),
                _ => return Err("ENOSYS"),
            }
        }
    }
    ok()
}

fn part_of(children: &[u8], generation: u64, offset: &[u8]) -> Answer {
    let offset = String::from_utf8_lossy(offset);
    let offset: usize = offset
        .trim_end_matches('\0')
        .parse()
        .map_err(|_| "EINVAL")?;
    let mut part = format!("{generation}\0").into_bytes();
    let rest = children.get(offset..).unwrap_or_default();
    let mut taken = 0;
    for name in rest.split_inclusive(|byte| *byte == 0) {
        if part.len() + taken + name.len() >= PAYLOAD_MAX {
            break;
        }
        taken += name.len();
    }
    part.extend(&rest[..taken]);
    if taken == rest.len() {
        part.push(0);
    }
    Ok(part)
}

fn children(nodes: &BTreeMap<String, Node>, path: &str) -> Vec<u8> {
    let prefix = format!("{}/", path.trim_end_matches('/'));
    let names = nodes.keys().filter_map(|key| key.strip_prefix(&prefix));
    let names = names.filter(|name| !name.is_empty() && !name.contains('/'));
    names
        .flat_map(|name| format!("{name}\0").into_bytes())
        .collect()
}

fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

fn set(nodes: &mut BTreeMap<String, Node>, path: &str, value: Option<&[u8]>) {
    if path != "/" {
        set(nodes, parent(path), None);
    }
    let node = nodes
        .entry(path.to_owned())
        .or_insert_with(|| Node::new(b""));
    if let Some(value) = value {
        node.value = value.to_vec();
    }
}

fn remove(nodes: &mut BTreeMap<String, Node>, path: &str) {
    let below = format!("{path}/");
    nodes.retain(|key, _| key != path && !key.starts_with(&below));
}

pub fn event(path: &str, token: &str) -> Vec<u8> {
    Message {
        kind: Kind::WATCH_EVENT,
        request: 0,
        transaction: 0,
        payload: format!("{path}\0{token}\0").into_bytes(),
    }
    .encode()
    .unwrap()
}

fn ok() -> Answer {
    Ok(b"OK\0".to_vec())
}
