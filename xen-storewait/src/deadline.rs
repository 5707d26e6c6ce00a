//! One moment, computed once, by which everything is done.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, ppoll};
use nix::sys::time::TimeSpec;

/// Longer than any wait; adding it to the clock cannot overflow.
const FOREVER: Duration = Duration::from_secs(1_000_000_000);

/// A moment of the monotonic clock, with the time that was given until then.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    given: Duration,
}

impl Deadline {
    /// So much from now; more than 30 years count as 30 years.
    #[must_use]
    pub fn after(given: Duration) -> Self {
        Self {
            at: Instant::now() + given.min(FOREVER),
            given,
        }
    }

    /// What is left of the time, zero once it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether the moment has passed.
    #[must_use]
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }

    /// The time that was given when this was made.
    #[must_use]
    pub fn given(self) -> Duration {
        self.given
    }

    /// So much from now, but never later than this.
    #[must_use]
    pub fn or_sooner(self, time: Duration) -> Self {
        let sooner = Self::after(time);
        if sooner.at < self.at { sooner } else { self }
    }

    /// poll(2) until then; how many descriptors are ready.
    pub(crate) fn poll(self, descriptors: &mut [PollFd<'_>]) -> Result<i32, Errno> {
        ppoll(
            descriptors,
            Some(TimeSpec::from_duration(self.left())),
            None,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_slept_until_and_not_less() {
        let deadline = Deadline::after(Duration::from_micros(1400));
        let ready = deadline.poll(&mut []);
        assert_eq!((ready, deadline.passed()), (Ok(0), true));
    }

    #[test]
    fn is_over_at_once_when_no_time_is_given() {
        let deadline = Deadline::after(Duration::ZERO);
        assert!(deadline.passed());
        assert_eq!(deadline.poll(&mut []), Ok(0));
    }

    #[test]
    fn takes_any_length_of_time() {
        let deadline = Deadline::after(Duration::MAX);
        assert!(!deadline.passed());
        assert!(deadline.left() > Duration::from_secs(900_000_000));
    }

    #[test]
    fn is_never_later_than_the_first_one() {
        let all = Deadline::after(Duration::from_millis(10));
        assert!(all.or_sooner(Duration::from_secs(9)).left() <= Duration::from_millis(10));
        assert!(all.or_sooner(Duration::ZERO).passed());
    }
}
