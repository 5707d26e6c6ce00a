//! How long to wait before the next try, where no event will tell.

use std::time::Duration;

/// 1, 2, 4 … 512 ms, then each second. listen(2) raises no event, so after
/// bind(2) a socket must be tried again: soon at first, since most stores
/// listen at once, and seldom later.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    steps: u32,
}

impl Ladder {
    /// The next wait.
    pub(crate) fn step(&mut self) -> Duration {
        let step = match self.steps {
            steps @ 0..=9 => Duration::from_millis(1 << steps),
            _ => Duration::from_secs(1),
        };
        self.steps = self.steps.saturating_add(1);
        step
    }

    /// Something has happened: be quick again.
    pub(crate) fn reset(&mut self) {
        self.steps = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_half_a_second_and_then_stays_at_one() {
        let mut ladder = Ladder::default();
        let steps: Vec<_> = (0..12).map(|_| ladder.step().as_millis()).collect();
        assert_eq!(steps, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]);
    }

    #[test]
    fn begins_anew_from_an_event() {
        let mut ladder = Ladder::default();
        ladder.step();
        ladder.step();
        ladder.reset();
        assert_eq!(ladder.step().as_millis(), 1);
    }
}
