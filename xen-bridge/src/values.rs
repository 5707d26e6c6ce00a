//! What an option's value can be: lists, hardware addresses, times.

use std::fmt;
use std::str::FromStr;

/// Words of one value, split as a shell does, so that an environment variable
/// can hold several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words<T>(pub Vec<T>);

impl<T: FromStr<Err = String>> FromStr for Words<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = shell_words::split(text).map_err(|error| error.to_string())?;
        let parsed = words.iter().map(|word| {
            word.parse::<T>().map_err(|why| {
                if words.len() > 1 {
                    format!("{word}: {why}")
                } else {
                    why
                }
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

/// All words of an option that may be given several times, each once.
pub(crate) fn flatten<T: Clone + PartialEq>(lists: &[Words<T>]) -> Vec<T> {
    let mut flat: Vec<T> = vec![];
    for item in lists.iter().flat_map(|list| &list.0) {
        if !flat.contains(item) {
            flat.push(item.clone());
        }
    }
    flat
}

/// An Ethernet address that an interface can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// What a bridge has that no port is left of; nobody can set it.
    pub const NONE: Self = Self([0; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = [0; 6];
        let mut digits = text.split([':', '-']);
        for byte in &mut bytes {
            *byte = digits
                .next()
                .filter(|pair| pair.len() == 2 && !pair.starts_with('+'))
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or("a hardware address is six bytes, as in 00:16:3e:12:34:56")?;
        }
        if digits.next().is_some() {
            return Err("a hardware address has no more than six bytes".to_owned());
        }
        if bytes == [0; 6] || bytes[0] & 1 == 1 {
            return Err("no interface can have a multicast or zero hardware address".to_owned());
        }
        Ok(Self(bytes))
    }
}

/// A time as the kernel counts it for bridges: hundredths of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Centiseconds(pub u32);

impl Centiseconds {
    /// A time of whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds * 100)
    }

    /// The same in thousandths of a second.
    #[must_use]
    pub fn milliseconds(self) -> u64 {
        u64::from(self.0) * 10
    }
}

/// In seconds, without a fraction that is zero.
impl fmt::Display for Centiseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (seconds, 0) => write!(formatter, "{seconds}"),
            (seconds, rest) if rest % 10 == 0 => write!(formatter, "{seconds}.{}", rest / 10),
            (seconds, rest) => write!(formatter, "{seconds}.{rest:02}"),
        }
    }
}

impl FromStr for Centiseconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || fraction.len() > 2 {
            return Err("seconds are a number with at most two decimals".to_owned());
        }
        let hundredths = format!("{whole}{fraction:0<2}");
        hundredths
            .parse()
            .map(Self)
            .map_err(|_| "that is too long a time".to_owned())
    }
}

/// The longest forward delay that IEEE 802.1D allows, and the shortest that
/// the kernel keeps with STP on.
pub const LONGEST_FORWARD_DELAY: Centiseconds = Centiseconds::from_seconds(30);
/// See [`LONGEST_FORWARD_DELAY`].
pub const SHORTEST_STP_DELAY: Centiseconds = Centiseconds::from_seconds(2);
/// What STP gets where nothing was named: the default of IEEE 802.1D.
pub const USUAL_STP_DELAY: Centiseconds = Centiseconds::from_seconds(15);
/// The longest ageing time that IEEE 802.1D allows.
pub const LONGEST_AGEING: Centiseconds = Centiseconds::from_seconds(1_000_000);

/// The smallest that IPv6 runs over (RFC 8200).
pub const SMALLEST_V6_MTU: u32 = 1280;

pub(crate) fn parse_forward_delay(text: &str) -> Result<Centiseconds, String> {
    at_most(LONGEST_FORWARD_DELAY, "forward delay", text)
}

pub(crate) fn parse_ageing(text: &str) -> Result<Centiseconds, String> {
    at_most(LONGEST_AGEING, "ageing time", text)
}

/// What IPv4 and Ethernet allow (`ETH_MIN_MTU`, `ETH_MAX_MTU`).
pub(crate) fn parse_mtu(text: &str) -> Result<u32, String> {
    let mtu = text.parse().ok().filter(|mtu| (68..=65535).contains(mtu));
    mtu.ok_or_else(|| "the longest packet has 68 to 65535 bytes".to_owned())
}

/// At most an hour: who waits longer does something else in between.
pub(crate) fn parse_seconds(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= 3600);
    seconds.ok_or_else(|| "a whole number of seconds, at most 3600".to_owned())
}

pub(crate) fn parse_confirm(text: &str) -> Result<u32, String> {
    let seconds = parse_seconds(text).ok().filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| "a whole number of seconds, from 1 to 3600".to_owned())
}

fn at_most(limit: Centiseconds, what: &str, text: &str) -> Result<Centiseconds, String> {
    let time: Centiseconds = text.parse()?;
    if time > limit {
        return Err(format!("the {what} is at most {limit} s"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_seconds() {
        for (text, hundredths, back) in [
            ("0", 0, "0"),
            ("15", 1500, "15"),
            ("0.5", 50, "0.5"),
            ("1.25", 125, "1.25"),
            ("2.00", 200, "2"),
        ] {
            let time: Centiseconds = text.parse().unwrap();
            assert_eq!((time.0, time.to_string().as_str()), (hundredths, back));
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.234",
            "1s",
            "99999999999",
        ] {
            assert!(text.parse::<Centiseconds>().is_err(), "{text}");
        }
        assert!(parse_forward_delay("30").is_ok() && parse_forward_delay("30.01").is_err());
    }

    #[test]
    fn reads_hardware_addresses() {
        let mac: Mac = "00:16:3E:12-34-56".parse().unwrap();
        assert_eq!(mac.to_string(), "00:16:3e:12:34:56");
        for text in [
            "",
            "00:16:3e:12:34",
            "00:16:3e:12:34:56:78",
            "0:16:3e:12:34:56",
            "+0:16:3e:12:34:56",
            "01:16:3e:12:34:56",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }

    #[test]
    fn splits_lists_as_a_shell_does() {
        let words: Words<Mac> = "00:16:3e:00:00:01  '00:16:3e:00:00:02'".parse().unwrap();
        assert_eq!(words.0.len(), 2);
        assert!("'open".parse::<Words<Mac>>().is_err());
        assert_eq!("  ".parse::<Words<Mac>>().unwrap().0, vec![]);
    }
}
