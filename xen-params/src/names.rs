//! Names that are alike, and lists of names in a sentence.

/// The longest name that is compared; no option's is longer.
pub(crate) const NAME_MAX: usize = 40;

/// The one of `names` that is most like `name`, if any is alike.
pub(crate) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.is_empty() || name.len() > NAME_MAX {
        return None;
    }
    let allowed = if name.len() < 3 {
        0
    } else {
        1 + name.len() / 5
    };
    names
        .filter(|other| other.len() <= NAME_MAX && other.len().abs_diff(name.len()) <= allowed)
        .map(|other| (distance(name.as_bytes(), other.as_bytes()), other))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, other)| other)
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
