//! Requests out, replies and events in.

use std::io;

use nix::poll::PollFlags;

use crate::fault::Fault;
use crate::wire::{HEADER_SIZE, Kind, Message, PAYLOAD_MAX};
use crate::{Deadline, Refusal, Store, WatchEvent};

impl Store {
    /// Sends a request and waits for its reply.
    pub(crate) fn exchange(
        &mut self,
        kind: Kind,
        transaction: u32,
        payload: Vec<u8>,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Fault> {
        let request = self.send(kind, transaction, payload, deadline)?;
        loop {
            // Looked at before what has come: there may be no end of events.
            let was_last = deadline.passed();
            if let Some(payload) = self.take_reply(kind, request)? {
                return Ok(payload);
            }
            if was_last || !self.receive(deadline)? {
                self.abandoned.push(request);
                return Err(Fault::Late(self.decoder.pending()));
            }
        }
    }

    /// Sends a request; its number, for [`Store::take_reply`].
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        transaction: u32,
        payload: Vec<u8>,
        deadline: Deadline,
    ) -> Result<u32, Fault> {
        if self.out_of_step {
            return Err(Fault::Closed);
        }
        if payload.len() > self.link.payload_max() {
            return Err(Fault::TooLong(payload.len()));
        }
        self.watching |= kind == Kind::WATCH;
        // Never 0: events have that.
        self.last_request = self.last_request.checked_add(1).unwrap_or(1);
        let bytes = Message {
            kind,
            request: self.last_request,
            transaction,
            payload,
        }
        .encode()?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match self.link.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.link.ready(PollFlags::POLLOUT, deadline)? {
                        self.out_of_step = rest.len() < bytes.len();
                        return Err(Fault::Late(0));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.last_request)
    }

    /// Waits until something has come. `false`: too late.
    pub(crate) fn receive(&mut self, deadline: Deadline) -> Result<bool, Fault> {
        if !self.link.ready(PollFlags::POLLIN, deadline)? {
            return Ok(false);
        }
        self.receive_what_is_there()?;
        Ok(true)
    }

    /// Reads once, without waiting.
    pub(crate) fn receive_what_is_there(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; HEADER_SIZE + PAYLOAD_MAX];
        match self.link.read(&mut buffer) {
            Ok(0) => Err(Fault::Closed),
            Ok(count) => {
                self.decoder.push(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// The reply to a request, if all of it has come. Events are put by.
    pub(crate) fn take_reply(
        &mut self,
        kind: Kind,
        request: u32,
    ) -> Result<Option<Vec<u8>>, Fault> {
        while let Some(message) = self.next_message()? {
            if self.put_by(&message)? {
                continue;
            }
            if message.request != request {
                return self.lost(format!(
                    "a reply to request {}, not {request}",
                    message.request
                ));
            }
            if message.kind == Kind::ERROR {
                return Err(Fault::Refused(Refusal::parse(&message.payload)));
            }
            if message.kind != kind {
                return self.lost(format!("{} in reply to {kind}", message.kind));
            }
            return Ok(Some(message.payload));
        }
        Ok(None)
    }

    /// Puts by the events that have come.
    pub(crate) fn take_events(&mut self) -> Result<(), Fault> {
        while let Some(message) = self.next_message()? {
            if !self.put_by(&message)? {
                return self.lost(format!("{} that nobody asked for", message.kind));
            }
        }
        Ok(())
    }

    /// How much has come of a message that is not whole yet.
    pub(crate) fn pending(&self) -> usize {
        self.decoder.pending()
    }

    fn next_message(&mut self) -> Result<Option<Message>, Fault> {
        self.decoder.next_message().map_err(|error| {
            self.out_of_step = true;
            error.into()
        })
    }

    /// Keeps an event, drops a reply that is too late. `false`: it is neither.
    fn put_by(&mut self, message: &Message) -> Result<bool, Fault> {
        if message.kind != Kind::WATCH_EVENT {
            let before = self.abandoned.len();
            self.abandoned.retain(|late| *late != message.request);
            return Ok(self.abandoned.len() < before);
        }
        if !self.watching {
            return self.lost("an event that nobody asked for".to_owned());
        }
        let mut words = message.payload.split(|byte| *byte == 0);
        let (Some(path), Some(token)) = (words.next(), words.next()) else {
            return self.lost("an event without path and token".to_owned());
        };
        self.events.push_back(WatchEvent {
            path: path.to_vec(),
            token: token.to_vec(),
        });
        Ok(true)
    }

    fn lost<T>(&mut self, what: String) -> Result<T, Fault> {
        self.out_of_step = true;
        Err(Fault::Wrong(what))
    }
}
