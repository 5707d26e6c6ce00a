//! The named pieces of a grammar: numbers, sizes, devices, yes and no.

use super::size::{number, size};

/// What a piece takes from the beginning of a text.
#[derive(Debug, Default)]
pub(super) struct Bare {
    /// The lengths that it may take.
    pub lengths: Vec<usize>,
    /// The number of a size without a suffix.
    pub kib: Option<u64>,
}

impl From<Option<usize>> for Bare {
    fn from(length: Option<usize>) -> Self {
        Self {
            lengths: length.into_iter().collect(),
            kib: None,
        }
    }
}

const YES: [&str; 5] = ["yes", "on", "true", "enable", "1"];
const NO: [&str; 5] = ["no", "off", "false", "disable", "0"];

/// The lengths of the words for yes, if these count, and no.
pub(super) fn booleans(rest: &str, yes: bool) -> impl Iterator<Item = usize> {
    let yes = if yes { &YES[..] } else { &[] };
    let words = yes.iter().chain(&NO);
    words
        .filter(move |word| rest.starts_with(**word))
        .map(|word| word.len())
}

/// What a piece takes from the beginning of `rest`. Numbers take every digit
/// that they can, as Xen's readers do.
pub(super) fn read(name: &str, rest: &str) -> Bare {
    let (name, range) = name.split_once(' ').unwrap_or((name, ""));
    match name {
        "bool" | "no" => Bare {
            lengths: booleans(rest, name == "bool").collect(),
            kib: None,
        },
        "int" => integer(rest, range).into(),
        "dec" => decimal(rest, range).into(),
        "hex" => hexadecimal(rest).into(),
        "percent" => percent(rest).into(),
        "size" => match size(rest) {
            Ok((size, after)) => Bare {
                lengths: vec![rest.len() - after.len()],
                kib: (!size.has_suffix && size.bytes != 0).then_some(size.bytes >> 10),
            },
            Err(_) => Bare::default(),
        },
        "bdf" => device(rest, true).into(),
        "bd" => device(rest, false).into(),
        "feature" => feature(rest).into(),
        "dps" => frame(rest).into(),
        "word" => letters(rest, |c| c.is_ascii_alphanumeric() || "_-.+".contains(c)).into(),
        "char" => rest.chars().next().map(char::len_utf8).into(),
        "text" => Some(rest.len()).filter(|length| *length > 0).into(),
        _ => Bare::default(),
    }
}

/// What it is called in a message.
pub(super) fn name(kind: &str) -> String {
    let (name, range) = kind.split_once(' ').unwrap_or((kind, ""));
    let what = match name {
        "bool" => "yes or no",
        "no" => "no",
        "int" | "dec" => "a number",
        "hex" => "a hexadecimal number",
        "percent" => "a percentage below 100",
        "size" => "a size",
        "bdf" => "a device as BUS:DEVICE.FUNCTION",
        "bd" => "a device as BUS:DEVICE",
        "feature" => "a feature of the processor",
        "dps" => "data bits, parity and stop bits such as 8n1",
        "char" => "a character",
        _ => "a word",
    };
    match range.split_once("..") {
        Some((least, most)) => format!("{what} from {least} to {most}"),
        None => what.to_owned(),
    }
}

fn within(value: u64, range: &str) -> bool {
    let bounds = range
        .split_once("..")
        .and_then(|(least, most)| Some((least.parse::<u64>().ok()?, most.parse::<u64>().ok()?)));
    bounds.is_none_or(|(least, most)| (least..=most).contains(&value))
}

fn integer(rest: &str, range: &str) -> Option<usize> {
    let number = number(rest).ok()?;
    within(number.value, range).then_some(rest.len() - number.rest.len())
}

fn decimal(rest: &str, range: &str) -> Option<usize> {
    let length = letters(rest, |c| c.is_ascii_digit())?;
    within(rest[..length].parse().ok()?, range).then_some(length)
}

fn hexadecimal(rest: &str) -> Option<usize> {
    let digits = rest.strip_prefix("0x").unwrap_or(rest);
    let length = letters(digits, |c| c.is_ascii_hexdigit())?;
    u64::from_str_radix(&digits[..length], 16).ok()?;
    Some(rest.len() - digits.len() + length)
}

fn percent(rest: &str) -> Option<usize> {
    let number = number(rest).ok()?;
    let fits = number.value < 100 && number.rest.starts_with('%');
    fits.then_some(rest.len() - number.rest.len() + 1)
}

fn letters(rest: &str, is_one: impl Fn(char) -> bool) -> Option<usize> {
    let end = rest.find(|c| !is_one(c)).unwrap_or(rest.len());
    (end > 0).then_some(end)
}

/// `[SEGMENT:]BUS:DEVICE[.FUNCTION]`, hexadecimal but for the function.
fn device(rest: &str, has_function: bool) -> Option<usize> {
    let mut numbers = vec![];
    let mut at = 0;
    loop {
        let length = letters(&rest[at..], |c| c.is_ascii_hexdigit())?;
        numbers.push(u64::from_str_radix(&rest[at..at + length], 16).ok()?);
        at += length;
        if numbers.len() == 3 || !rest[at..].starts_with(':') {
            break;
        }
        at += 1;
    }
    let fits = match numbers[..] {
        [bus, device] => bus < 256 && device < 32,
        [segment, bus, device] => segment < 65536 && bus < 256 && device < 32,
        _ => false,
    };
    if !has_function {
        return fits.then_some(at);
    }
    let function = rest[at..].strip_prefix('.')?;
    let length = integer(function, "0..7")?;
    fits.then_some(at + 1 + length)
}

/// A feature's name, switched as `parse_boolean` of Xen reads it.
fn feature(rest: &str) -> Option<usize> {
    let length = letters(rest, |c| c.is_ascii_alphanumeric() || "_-.".contains(c))?;
    let after = &rest[length..];
    match after.strip_prefix('=') {
        None => Some(length),
        Some(_) if rest.starts_with("no-") => None,
        Some(value) => booleans(value, true).max().map(|word| length + 1 + word),
    }
}

/// How a byte goes over a serial line: data bits, parity, stop bits.
fn frame(rest: &str) -> Option<usize> {
    match rest.as_bytes() {
        [
            b'5'..=b'8',
            b'n' | b'o' | b'e' | b'm' | b's',
            b'1' | b'2',
            ..,
        ] => Some(3),
        _ => None,
    }
}
