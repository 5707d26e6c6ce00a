//! Names that are alike, and lists of names in a sentence.

/// The longest name that is compared; no option's is longer.
pub(crate) const NAME_MAX: usize = 40;

/// The one of `names` that is most like `name`, if any is alike.
pub(crate) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.is_empty() || name.len() > NAME_MAX {
        return None;
    }
    let allowed = allowed(name);
    names
        .filter(may_be_like(name))
        .map(|other| (distance(name.as_bytes(), other.as_bytes()), other))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, other)| other)
}

/// How many letters may be other ones in a name that is alike.
fn allowed(name: &str) -> usize {
    if name.len() < 3 {
        0
    } else {
        1 + name.len() / 5
    }
}

/// Tells quickly of most names that they are not alike.
pub(crate) fn may_be_like(name: &str) -> impl Fn(&&str) -> bool {
    let (allowed, length, letters) = (allowed(name), name.len(), letters_of(name));
    move |other| {
        other.len() <= NAME_MAX
            && other.len().abs_diff(length) <= allowed
            && (letters ^ letters_of(other)).count_ones() as usize <= 2 * allowed
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Case and the two kinds of dash are what people mix up first.
fn fold(letter: u8) -> u8 {
    match letter {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    }
}

/// The letters of a name, each a bit. One change takes one away and brings one
/// at most, so most names need not be compared letter by letter.
fn letters_of(name: &str) -> u32 {
    name.bytes()
        .fold(0, |all, letter| all | 1 << (fold(letter) & 31))
}

/// The number of letters to change, add, leave out or swap with the next.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before = [0; NAME_MAX + 1];
    let mut last: [usize; NAME_MAX + 1] = std::array::from_fn(|place| place);
    for (i, letter) in a.iter().enumerate() {
        let mut row = [i + 1; NAME_MAX + 1];
        for (j, other) in b.iter().enumerate() {
            let differs = fold(*letter) != fold(*other);
            row[j + 1] = (last[j] + usize::from(differs))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && fold(*letter) == fold(b[j - 1]) && fold(a[i - 1]) == fold(*other) {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_alike_name_is_left_out_by_its_letters(a in "[a-z0-9_-]{1,12}", b in "[a-z0-9_-]{1,12}") {
            let differ = (letters_of(&a) ^ letters_of(&b)).count_ones() as usize;
            proptest::prop_assert!(differ <= 2 * distance(a.as_bytes(), b.as_bytes()));
        }
    }
}
