//! modules.alias and modules.symbols: the quick look finds what a plain look at
//! each line finds. The first line of the input is the name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_modload::parsers::modules_alias;
use xen_modload::{matches, underscored};

fn plain<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (pattern, module) = line.strip_prefix("alias ")?.rsplit_once(' ')?;
    matches(&underscored(pattern), name).then_some(module)
}

fuzz_target!(|input: &str| {
    let (name, content) = input.split_once('\n').unwrap_or((input, ""));
    let name = underscored(name);
    let found = modules_alias(content.as_bytes(), &name);
    let expected: Vec<&str> = content
        .split('\n')
        .filter_map(|line| plain(line, &name))
        .collect();
    assert_eq!(found, expected);
});
