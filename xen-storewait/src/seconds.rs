//! Seconds as decimal numbers, such as `2` or `0.5`.
//!
//! Done with whole numbers: what the standard library needs to read and print
//! floating point numbers would be a fiftieth of the program.

use std::time::Duration;

/// The longest time that is taken: more than 30 years.
const LONGEST: u64 = 1_000_000_000;

/// Reads a number of seconds; digits beyond the ninth after the point do not
/// count. Else what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_number(whole) || !is_number(part) {
        return Err("a number of seconds expected, such as 2 or 0.5");
    }
    let seconds = if whole.is_empty() {
        0
    } else {
        let seconds = whole.parse().ok().filter(|seconds| *seconds <= LONGEST);
        seconds.ok_or("at most 1000000000 seconds can be waited")?
    };
    let digits = part.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Ok(Duration::new(seconds, nanoseconds))
}

/// The time as a number of seconds, without zeros at the end.
pub(crate) fn print(time: Duration) -> String {
    let text = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_decimals() {
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse(".25"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("2."), Ok(Duration::from_secs(2)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        assert_eq!(parse("0.0000000019"), Ok(Duration::from_nanos(1)));
        assert_eq!(parse("1000000000"), Ok(Duration::from_secs(LONGEST)));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for bad in [
            "", ".", "-1", "+1", "inf", "nan", "1e3", "soon", "5s", "1.2.3",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("1000000001").unwrap_err().starts_with("at most "));
        assert!(parse("99999999999999999999999").is_err());
    }

    #[test]
    fn prints_as_few_digits_as_tell_it() {
        assert_eq!(print(Duration::from_secs(30)), "30");
        assert_eq!(print(Duration::from_millis(500)), "0.5");
        assert_eq!(print(Duration::from_micros(1_000_250)), "1.00025");
        assert_eq!(print(Duration::ZERO), "0");
    }
}
