//! What a bridge can be set to: one table, for requests, replies and words.

use crate::values::Centiseconds;

/// One thing that a bridge can be set to.
#[derive(Debug)]
pub struct Kind {
    /// Its attribute (`IFLA_BR_*`, `linux/if_link.h`).
    pub attribute: u16,
    /// The attribute is one byte, not four.
    pub is_byte: bool,
    /// It is a time in hundredths of a second, else a switch.
    pub is_time: bool,
    /// As `ip link ... type bridge` names it.
    pub option: &'static str,
    /// As people name it.
    pub words: &'static str,
}

const fn kind(
    attribute: u16,
    is_byte: bool,
    is_time: bool,
    option: &'static str,
    words: &'static str,
) -> Kind {
    Kind {
        attribute,
        is_byte,
        is_time,
        option,
        words,
    }
}

/// All of them, in the order of the places below.
pub const KINDS: [Kind; 5] = [
    kind(5, false, false, "stp_state", "stp"),
    kind(1, false, true, "forward_delay", "forward delay"),
    kind(4, false, true, "ageing_time", "ageing"),
    kind(7, true, false, "vlan_filtering", "vlan filtering"),
    kind(23, true, false, "mcast_snooping", "mcast snooping"),
];
/// The spanning tree protocol runs, in the kernel or in a daemon.
pub const STP: usize = 0;
/// How long a new port listens and learns before it forwards.
pub const FORWARD_DELAY: usize = 1;
/// How long a silent station is remembered.
pub const AGEING: usize = 2;
/// VLAN tags are heeded.
pub const VLAN_FILTERING: usize = 3;
/// Multicast goes only where it is asked for.
pub const MCAST_SNOOPING: usize = 4;

/// What a bridge is set to, or is to be set to: a number for each of [`KINDS`],
/// or `None` where that is to be left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings(pub [Option<u32>; KINDS.len()]);

impl Settings {
    /// One of them alone.
    #[must_use]
    pub fn only(place: usize, value: Option<u32>) -> Self {
        let mut settings = Self::default();
        settings.0[place] = value;
        settings
    }

    /// The same without one of them.
    #[must_use]
    pub fn without(mut self, place: usize) -> Self {
        self.0[place] = None;
        self
    }

    /// The forward delay.
    #[must_use]
    pub fn delay(&self) -> Option<Centiseconds> {
        self.0[FORWARD_DELAY].map(Centiseconds)
    }

    /// It is switched on.
    #[must_use]
    pub fn is_on(&self, place: usize) -> bool {
        self.0[place].is_some_and(|value| value != 0)
    }

    /// Nothing is to be set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those of the other's that differ from these. The kernel keeps ticks,
    /// which need not be hundredths: a time may come back one less.
    #[must_use]
    pub fn differing(&self, named: &Self) -> Self {
        let mut differing = *named;
        for (place, kind) in KINDS.iter().enumerate() {
            let (now, then) = (self.0[place], named.0[place]);
            let slack = u32::from(kind.is_time);
            if now.zip(then).is_some_and(|(a, b)| a.abs_diff(b) <= slack) {
                differing.0[place] = None;
            }
        }
        differing
    }

    /// These, of the kinds that the other names.
    #[must_use]
    pub fn of_same_kinds(&self, other: &Self) -> Self {
        let mut same = *self;
        for (mine, its) in same.0.iter_mut().zip(other.0) {
            *mine = mine.filter(|_| its.is_some());
        }
        same
    }

    /// The kinds that have a value, with it.
    pub fn named(&self) -> impl Iterator<Item = (&'static Kind, u32)> {
        let pairs = KINDS.iter().zip(self.0);
        pairs.filter_map(|(kind, value)| Some((kind, value?)))
    }

    /// The arguments of `ip link ... type bridge`.
    #[must_use]
    pub fn arguments(&self) -> String {
        let words = |(kind, value): (&Kind, u32)| format!(" {} {value}", kind.option);
        self.named().map(words).collect()
    }

    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let words = |(kind, value): (&Kind, u32)| match (kind.is_time, value) {
            (true, time) => format!("{} {} s", kind.words, Centiseconds(time)),
            (false, 0) => format!("{} off", kind.words),
            (false, _) => format!("{} on", kind.words),
        };
        self.named().map(words).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_a_time_that_came_back_one_tick_less() {
        let now = Settings([Some(1), Some(399), Some(30_000), Some(0), Some(1)]);
        let named = Settings([Some(1), Some(400), Some(6_000), None, Some(0)]);
        let differing = now.differing(&named);
        assert_eq!(differing.words(), "ageing 60 s, mcast snooping off");
        let before = now.of_same_kinds(&differing);
        assert_eq!(before.arguments(), " ageing_time 30000 mcast_snooping 1");
    }
}
