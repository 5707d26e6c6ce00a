//! modules.dep: what a plain look at each line finds, damaged or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::{modules_dep, modules_dep_damage, modules_dep_names};

/// The name in one line, underscored.
fn plain_name(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let file = line[..colon].rsplit(|byte| *byte == b'/').next()?;
    let name = file.split(|byte| *byte == b'.').next()?;
    let fits = !name.is_empty() && name.len() <= usize::from(u16::MAX);
    fits.then(|| String::from_utf8_lossy(name).replace('-', "_"))
}

fuzz_target!(|input: &[u8]| {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let whole = input.is_empty() || input.ends_with(b"\n");
    if whole {
        lines.pop();
    }
    let plain: Vec<Option<String>> = lines.iter().map(|line| plain_name(line)).collect();
    let names = modules_dep_names(input);
    let expected: Vec<&String> = plain.iter().flatten().collect();
    assert_eq!(names.iter().collect::<Vec<_>>(), expected);
    let damaged = !whole || plain.iter().any(Option::is_none);
    assert_eq!(modules_dep_damage(input).is_some(), damaged);
    for name in names.iter().take(8) {
        if name.contains('\u{fffd}') {
            continue;
        }
        match modules_dep(input, name) {
            Some(Ok((path, needs))) => assert!(path.len() > 0 && !needs.contains('\n')),
            Some(Err(_)) => assert!(!whole),
            None => panic!("{name} is listed and not found"),
        }
    }
});
