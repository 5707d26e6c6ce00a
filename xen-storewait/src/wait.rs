//! Waits until a node is as expected.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::elsewhere::{self, Ended};
use crate::escape::escape;
use crate::perform::Output;
use crate::readiness::ONE_ANSWER;
use crate::{Calls, Error, Expected};

/// The token of the only watch at a time.
const TOKEN: &str = "xen-storewait";

/// How it is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting<'a> {
    /// Waiting is one look.
    pub once: bool,
    /// Print each value that is seen: the process that waits asked for that.
    pub tell: bool,
    /// Where the device is.
    pub root: &'a Path,
}

pub(crate) fn wait(
    calls: &mut Calls<'_>,
    path: &[u8],
    expected: &Expected,
    how: Waiting<'_>,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let given = if how.once {
        Duration::ZERO
    } else {
        calls.deadline().given()
    };
    let awaited = match expected {
        Expected::Gone => format!("the absence of {}", escape(path)),
        Expected::There | Expected::Value(_) => escape(path),
    };
    let not_yet = |seen| Error::NotYet {
        awaited: awaited.clone(),
        seen,
        given,
    };
    let mut value = calls.read_if_there(path)?;
    if expected.is_met_by(value.as_deref()) {
        return Ok(());
    }
    if how.once {
        return Err(not_yet(words(value.as_deref())));
    }
    let through_device = calls.store.link().is_device();
    if through_device && !how.tell {
        let ended = elsewhere::wait(how.root, &expected.condition(path), calls.deadline())?;
        return match ended {
            Ended::Met => Ok(()),
            Ended::NotYet(seen) => Err(not_yet(seen)),
            Ended::Unanswered => Err(Error::Late {
                doing: format!("watch {}", escape(path)),
                received: 0,
            }),
        };
    }
    // Looked at again once it is watched, so that no change is missed.
    calls.watch(path, TOKEN)?;
    let mut looked = Instant::now();
    loop {
        match calls.read_if_there(path) {
            Ok(now) => value = now,
            // It has changed once more; that the store is silent is not true.
            Err(Error::Late { .. }) if looked.elapsed() < ONE_ANSWER => {
                return Err(not_yet(words(value.as_deref())));
            }
            Err(error) => return Err(error),
        }
        looked = Instant::now();
        if how.tell {
            output.line(words(value.as_deref()).as_bytes())?;
        }
        if expected.is_met_by(value.as_deref()) {
            if !through_device {
                // Too late to take it back is not too late for what was waited for.
                let _ = calls.unwatch(path, TOKEN);
            }
            return Ok(());
        }
        // The last watch may have left events of another path behind.
        let of_path = |event: &[u8]| event.starts_with(path) || path.starts_with(event);
        loop {
            match calls.next_event_for(|| format!("wait for {awaited}"))? {
                Some(event) if of_path(&event.path) => break,
                Some(_) => {}
                None => return Err(not_yet(words(value.as_deref()))),
            }
        }
    }
}

fn words(value: Option<&[u8]>) -> String {
    match value {
        Some(value) => format!("it is \"{}\"", escape(value)),
        None => "not there".to_owned(),
    }
}
