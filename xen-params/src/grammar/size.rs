//! Numbers, sizes and yes or no (`simple_strtoull`, `parse_size_and_unit` and
//! `parse_bool` of Xen).

use std::fmt;

/// A number of bytes, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many.
    pub bytes: u64,
    /// It has a suffix. Without one Xen takes it for KiB.
    pub has_suffix: bool,
    /// It has a leading zero, which makes it octal.
    pub octal: bool,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let fits = |(shift, _): &&(u32, &str)| self.bytes.trailing_zeros() >= *shift;
        match units.iter().find(fits) {
            Some((shift, unit)) if self.bytes != 0 => write!(f, "{} {unit}", self.bytes >> shift),
            _ => write!(f, "{} bytes", self.bytes),
        }
    }
}

/// A whole number and what follows it.
pub(super) struct Number<'a> {
    pub value: u64,
    pub octal: bool,
    pub rest: &'a str,
}

/// Reads digits: hexadecimal after `0x`, octal after `0`, else decimal.
pub(super) fn number(text: &str) -> Result<Number<'_>, String> {
    let after_x = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .filter(|digits| digits.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (digits, radix) = match after_x {
        Some(digits) => (digits, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix));
    let (digits, rest) = digits.split_at(end.unwrap_or(digits.len()));
    if digits.is_empty() {
        return Err(if text.is_empty() {
            "a number is missing".to_owned()
        } else {
            format!("{text:?} is no number")
        });
    }
    Ok(Number {
        value: u64::from_str_radix(digits, radix)
            .map_err(|_| format!("{digits} is too large a number"))?,
        octal: radix == 8 && digits.len() > 1,
        rest,
    })
}

/// Reads a size that may be followed by something.
pub(super) fn size(text: &str) -> Result<(Size, &str), String> {
    let Number { value, octal, rest } = number(text)?;
    let shift = match rest.bytes().next().map(|byte| byte.to_ascii_uppercase()) {
        Some(b'T') => Some(40),
        Some(b'G') => Some(30),
        Some(b'M') => Some(20),
        Some(b'K') => Some(10),
        Some(b'B') => Some(0),
        _ => None,
    };
    let bytes = 1_u64
        .checked_shl(shift.unwrap_or(10))
        .and_then(|unit| value.checked_mul(unit))
        .ok_or_else(|| format!("{text} is too large a size"))?;
    let size = Size {
        bytes,
        has_suffix: shift.is_some(),
        octal,
    };
    Ok((size, &rest[usize::from(shift.is_some())..]))
}

/// A size: a number with T, G, M, K or B after it.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_size(text: &str) -> Result<Size, String> {
    match size(text)? {
        (size, "") => Ok(size),
        _ => Err(format!(
            "{text:?} is no size: a whole number, then T, G, M, K or B"
        )),
    }
}

/// A whole number, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// It has a minus.
    pub negative: bool,
    /// The number without it.
    pub value: u64,
    /// It has a leading zero, which makes it octal.
    pub octal: bool,
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{}", self.value)
    }
}

/// A whole number.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_integer(text: &str) -> Result<Integer, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Number { value, octal, rest } = number(digits)?;
    if !rest.is_empty() {
        return Err(format!("{text:?} is no whole number"));
    }
    Ok(Integer {
        negative: text.starts_with('-'),
        value,
        octal,
    })
}

/// Yes or no. Nothing at all is yes: a bare name switches on.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_boolean(text: &str) -> Result<bool, String> {
    match text {
        "" | "yes" | "on" | "true" | "enable" | "1" => Ok(true),
        "no" | "off" | "false" | "disable" | "0" => Ok(false),
        _ => Err(format!(
            "{text:?} is neither yes on true enable 1 nor no off false disable 0"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_without_a_suffix_is_in_kib() {
        assert_eq!(parse_size("512").map(|size| size.bytes), Ok(512 << 10));
        assert_eq!(parse_size("512B").map(|size| size.bytes), Ok(512));
        assert_eq!(parse_size("2g").map(|size| size.bytes), Ok(2 << 30));
        assert_eq!(parse_size("1T").map(|size| size.bytes), Ok(1 << 40));
        assert_eq!(parse_size("0x10M").map(|size| size.bytes), Ok(16 << 20));
    }

    #[test]
    fn a_leading_zero_makes_it_octal() {
        let size = parse_size("010M").unwrap();
        assert_eq!((size.bytes, size.octal), (8 << 20, true));
        assert!(!parse_size("0").unwrap().octal);
        assert!(parse_size("08M").is_err());
    }

    #[test]
    fn refuses_what_xen_would_not_read_to_its_end() {
        for text in ["", "M", "1.5G", "1GB", "1 G", "-1", "0x", "é", "1é"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert!(parse_size("16777216T").is_err());
        assert!(parse_size("99999999999999999999").is_err());
    }

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        let told = |text: &str| parse_size(text).unwrap().to_string();
        assert_eq!(told("1536M"), "1536 MiB");
        assert_eq!(told("2048M"), "2 GiB");
        assert_eq!(told("0"), "0 bytes");
        assert_eq!(told("100B"), "100 bytes");
    }

    #[test]
    fn integers_may_be_negative_or_hexadecimal() {
        let told = |text| parse_integer(text).map(|integer| integer.to_string());
        assert_eq!(told("-1").as_deref(), Ok("-1"));
        assert_eq!(told("0xff").as_deref(), Ok("255"));
        assert_eq!(told("-010").as_deref(), Ok("-8"));
        assert!(parse_integer("--1").is_err() && parse_integer("1x").is_err());
    }

    #[test]
    fn booleans_are_the_ten_words() {
        assert_eq!(parse_boolean("disable"), Ok(false));
        assert_eq!(parse_boolean(""), Ok(true));
        assert!(parse_boolean("On").is_err() && parse_boolean("y").is_err());
    }
}
