//! A second way to the store, tried while its socket refuses: does one live?

use std::path::PathBuf;

use crate::greeting::{Greeting, Progress};
use crate::link::Link;
use crate::{Deadline, Store};

/// How far it has come.
pub(crate) enum Probe {
    NotYet,
    Asked(Greeting),
    Answered(PathBuf),
    Useless,
}

impl Probe {
    /// Asks through the first device that opens, once, without waiting for
    /// the answer.
    pub(crate) fn ask(&mut self, devices: &[PathBuf], deadline: Deadline) {
        if !matches!(self, Self::NotYet) {
            return;
        }
        let mut open = devices
            .iter()
            .filter_map(|path| Some(Store::over(Link::open_device(path).ok()?, path)));
        let store = open.next();
        let asked = store.and_then(|store| Greeting::send(store, deadline).ok());
        *self = asked.map_or(Self::Useless, Self::Asked);
    }

    /// The question, while it has no answer.
    pub(crate) fn asked(&self) -> Option<&Greeting> {
        match self {
            Self::Asked(greeting) => Some(greeting),
            _ => None,
        }
    }

    /// Takes what has come of an answer.
    pub(crate) fn hear(&mut self) {
        let Self::Asked(greeting) = std::mem::replace(self, Self::Useless) else {
            return;
        };
        *self = match greeting.advance() {
            Ok(Progress::Answered(store)) => Self::Answered(store.path().to_path_buf()),
            Ok(Progress::Waiting(greeting)) => Self::Asked(greeting),
            Err(_) => Self::Useless,
        };
    }
}
