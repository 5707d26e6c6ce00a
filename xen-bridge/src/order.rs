//! Requests to the kernel that are kept for later, each as one line.

use nix::time::{ClockId, clock_gettime};

use crate::facts::Interface;
use crate::request::Request;
use crate::step::Step;

/// No kind of request (`NLMSG_NOOP` is 1).
const NO_REQUEST: u16 = 0;

/// A request to the kernel, kept for later as one line: its kind
/// (`RTM_NEWADDR` and so on), its flags, what is behind the header in
/// hexadecimal digits, and the same as a shell command for whoever has to do
/// it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order;

impl Order {
    /// What a step asks of the kernel; `None` where that is nothing yet.
    #[must_use]
    pub fn of(step: &Step, bridge: &Interface) -> Option<String> {
        let (request, flags) = match step {
            Step::HeedRouters(accept_ra) => (heeding(*accept_ra), 0),
            _ => step.request(bridge)?,
        };
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
        let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
        let message: String = request.payload.iter().flat_map(digits).collect();
        let command = step.commands(&bridge.name).join("; ");
        Some(format!("{} {flags} {message} {command}", request.kind))
    }

    /// The step that asks it, that many seconds later; `None` where the file
    /// was tampered with.
    #[must_use]
    pub fn step(order: &str, seconds: u32) -> Option<Step> {
        let mut words = order.splitn(4, ' ');
        let kind = words.next()?.parse().ok()?;
        let flags = words.next()?.parse().ok()?;
        let pairs = words.next()?.as_bytes().chunks(2);
        let payload = pairs.map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        });
        let payload: Vec<u8> = payload.collect::<Option<_>>()?;
        if kind == NO_REQUEST {
            return payload.first().map(|it| Step::HeedRouters(*it));
        }
        let command = words.next()?.to_owned();
        Some(Step::Kept(
            Request { kind, payload },
            flags,
            command,
            seconds,
        ))
    }
}

/// What is written to a file is kept in the same form.
fn heeding(accept_ra: u8) -> Request {
    let payload = vec![accept_ra];
    Request {
        kind: NO_REQUEST,
        payload,
    }
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Seconds since the machine was started, sleep included.
#[must_use]
pub fn uptime() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_BOOTTIME);
    time.map_or(0, |time| u64::try_from(time.tv_sec()).unwrap_or(0))
}

/// How long ago that was.
#[must_use]
pub fn seconds_since(at: u64) -> u32 {
    u32::try_from(uptime().saturating_sub(at)).unwrap_or(u32::MAX)
}
