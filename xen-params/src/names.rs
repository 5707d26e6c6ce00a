//! Names that are alike, and lists of names in a sentence.

/// The longest name that is compared; no option's is longer.
pub(crate) const NAME_MAX: usize = 40;

/// The one of `names` that is most like `name`, if any is alike. What stands
/// beside one says whether it counts, and is asked last.
pub(crate) fn closest<'a, F: FnOnce() -> bool>(
    name: &str,
    names: impl Iterator<Item = (&'a str, F)>,
) -> Option<&'a str> {
    if name.is_empty() || name.len() > NAME_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for (other, counts) in names {
        let most = best.map_or(allowed(name), |(distance, _)| distance);
        if let Some(distance) = distance(name.as_bytes(), other.as_bytes(), most) {
            if best.is_none_or(|best| (distance, other) < best) && counts() {
                best = Some((distance, other));
            }
        }
    }
    best.map(|(_, other)| other)
}

/// How many letters may be other ones in a name that is alike.
pub(crate) fn allowed(name: &str) -> usize {
    if name.len() < 3 {
        0
    } else {
        1 + name.len() / 5
    }
}

/// Tells quickly of most names that they are not alike, by what
/// [`letters_of`] makes of them.
pub(crate) fn may_be_like(name: &str) -> impl Fn(u32) -> bool + use<> {
    let (allowed, letters) = (allowed(name), letters_of(name));
    move |other| (letters ^ other).count_ones() as usize <= 2 * allowed
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
pub(crate) fn letters_of(name: &str) -> u32 {
    name.bytes()
        .fold(0, |all, letter| all | 1 << (fold(letter) & 31))
}

/// The number of letters to change, add, leave out or swap with the next, if it
/// is at most `most`. So only places are looked at that are no more than that
/// apart.
fn distance(a: &[u8], b: &[u8], most: usize) -> Option<usize> {
    if b.len() > NAME_MAX || a.len().abs_diff(b.len()) > most {
        return None;
    }
    const FAR: u8 = u8::MAX / 2;
    let mut before = [FAR; NAME_MAX + 2];
    let mut last = [FAR; NAME_MAX + 2];
    // Fits: it is at most NAME_MAX.
    let short = |number: usize| u8::try_from(number).unwrap_or(FAR);
    for (place, cell) in last.iter_mut().enumerate().take(most.min(b.len()) + 1) {
        *cell = short(place);
    }
    let (limit, mut least) = (short(most), 0);
    for (i, letter) in a.iter().enumerate() {
        let mut row = [FAR; NAME_MAX + 2];
        if i < most {
            row[0] = short(i + 1);
        }
        let least_before = std::mem::replace(&mut least, row[0]);
        for j in i.saturating_sub(most)..b.len().min(i + 1 + most) {
            let differs = fold(*letter) != fold(b[j]);
            row[j + 1] = (last[j] + u8::from(differs))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && fold(*letter) == fold(b[j - 1]) && fold(a[i - 1]) == fold(b[j]) {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
            least = least.min(row[j + 1]);
        }
        // A swap reaches over one row, nothing over two.
        if least > limit && least_before > limit {
            return None;
        }
        before = last;
        last = row;
    }
    let distance = usize::from(last[b.len()]);
    (distance <= most).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over all places.
    fn whole(a: &str, b: &str) -> usize {
        distance(a.as_bytes(), b.as_bytes(), NAME_MAX).unwrap()
    }

    #[test]
    fn a_letter_changed_added_left_out_or_swapped_is_one() {
        assert_eq!(whole("iommu", "iommu"), 0);
        assert_eq!(whole("iomnu", "iommu"), 1);
        assert_eq!(whole("iomu", "iommu"), 1);
        assert_eq!(whole("iommmu", "iommu"), 1);
        assert_eq!(whole("ioumm", "iommu"), 2);
        assert_eq!(whole("imomu", "iommu"), 1);
        assert_eq!(whole("DOM0-mem", "dom0_mem"), 0);
        assert_eq!(whole("", "abc"), 3);
    }

    proptest::proptest! {
        #[test]
        fn no_alike_name_is_left_out_by_its_letters(a in "[a-z0-9_-]{1,12}", b in "[a-z0-9_-]{1,12}") {
            let differ = (letters_of(&a) ^ letters_of(&b)).count_ones() as usize;
            proptest::prop_assert!(differ <= 2 * whole(&a, &b));
        }

        #[test]
        fn a_bound_changes_no_distance_within_it(a in "[a-c]{0,9}", b in "[a-c]{0,9}", most in 0..9_usize) {
            let found = distance(a.as_bytes(), b.as_bytes(), most);
            proptest::prop_assert_eq!(found, Some(whole(&a, &b)).filter(|found| *found <= most));
        }
    }
}
