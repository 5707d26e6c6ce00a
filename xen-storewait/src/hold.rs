//! Stays connected, and ends when the store does.

use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::greeting::greet;
use crate::notify::Notify;
use crate::{Deadline, Error, Store};

/// The longest time between two questions.
const INTERVAL: Duration = Duration::from_secs(5);

/// So much later than asked for nobody wakes who was not stopped.
const OVERSLEPT: Duration = Duration::from_millis(500);

/// Asks the store from time to time, and tells the service manager `READY=1`,
/// then `WATCHDOG=1` for each answer if it wants to hear that.
///
/// Returns only when the store closes the connection ([`Error::Died`]), or has
/// not answered for as long as `silence` ([`Error::Silent`]), or where nobody
/// is there to be told `READY=1`.
pub(crate) fn hold(
    store: &mut Store,
    silence: Duration,
    notify: &Notify,
    watchdog: Option<Duration>,
) -> Result<(), Error> {
    let interval = INTERVAL.min(silence / 2);
    let interval = watchdog.map_or(interval, |watchdog| interval.min(watchdog));
    let mut is_told = false;
    loop {
        if !is_told {
            is_told = notify.send("READY=1\nSTATUS=the store answers")?;
        }
        if watchdog.is_some() {
            // Whoever does not hear it will act; the store lives all the same.
            let _ = notify.send("WATCHDOG=1");
        }
        let path = store.path().to_path_buf();
        let failed = |fault| match fault {
            Fault::Late(_) => Error::Silent {
                path: path.clone(),
                silence,
            },
            fault => Error::of_request("hold".to_owned(), &path, fault),
        };
        idle(store, Deadline::after(interval)).map_err(failed)?;
        // Not what is left by the clock: this process may have been stopped
        // (a signal, a frozen cgroup) while it idled, and the store be well.
        ask(store, silence.saturating_sub(interval)).map_err(failed)?;
    }
}

/// Asks, and asks again where this process was stopped while it waited.
fn ask(store: &mut Store, patience: Duration) -> Result<(), Fault> {
    loop {
        let asked = Instant::now();
        match greet(store, Deadline::after(patience)) {
            Err(Fault::Late(_)) if asked.elapsed() > patience + OVERSLEPT => {}
            answer => return answer,
        }
    }
}

/// Sleeps, but notices when the connection is closed.
fn idle(store: &mut Store, until: Deadline) -> Result<(), Fault> {
    while store.receive(until)? {
        store.take_events()?;
        while store.pop_event().is_some() {}
        if until.passed() {
            break;
        }
    }
    Ok(())
}
