//! Writes an index in its binary form, as depmod does.

use std::collections::BTreeMap;

#[derive(Default)]
struct Node {
    children: BTreeMap<u8, Node>,
    /// With their priorities.
    values: Vec<(u32, String)>,
}

/// The index of these keys and their values, whose priorities are their places.
pub fn write(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut root = Node::default();
    for (priority, (key, value)) in (1..).zip(pairs) {
        let mut node = &mut root;
        for character in key.bytes() {
            node = node.children.entry(character).or_default();
        }
        node.values.push((priority, (*value).to_owned()));
    }
    let mut file = [0xb007_f457_u32, 0x0002_0001, 0]
        .map(u32::to_be_bytes)
        .concat();
    let offset = add(&mut file, &root);
    file[8..12].copy_from_slice(&offset.to_be_bytes());
    file
}

/// Children come before their parent. A node that only leads to another one is
/// a character of that one's prefix.
fn add(file: &mut Vec<u8>, mut node: &Node) -> u32 {
    let mut prefix = vec![];
    while node.values.is_empty() && node.children.len() == 1 {
        let (character, child) = node.children.first_key_value().expect("it has one");
        prefix.push(*character);
        node = child;
    }
    let offsets: BTreeMap<u8, u32> = node
        .children
        .iter()
        .map(|(character, child)| (*character, add(file, child)))
        .collect();
    let mut offset = length(file.len());
    if !prefix.is_empty() {
        offset |= 0x8000_0000;
        file.extend(prefix);
        file.push(0);
    }
    if let (Some((first, _)), Some((last, _))) =
        (offsets.first_key_value(), offsets.last_key_value())
    {
        offset |= 0x2000_0000;
        file.extend([*first, *last]);
        for character in *first..=*last {
            let child = offsets.get(&character).copied().unwrap_or_default();
            file.extend(child.to_be_bytes());
        }
    }
    if !node.values.is_empty() {
        offset |= 0x4000_0000;
        file.extend(length(node.values.len()).to_be_bytes());
        for (priority, value) in &node.values {
            file.extend(priority.to_be_bytes());
            file.extend(value.bytes().chain([0]));
        }
    }
    offset
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("a test's index is small")
}
