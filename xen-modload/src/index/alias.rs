//! modules.alias and modules.symbols: `alias PATTERN module`.

use super::scan::positions;
use crate::pattern::{matches, underscored};

/// Adds the modules whose pattern matches the (underscored) name, in file order.
pub(super) fn find(lines: &[u8], name: &str, found: &mut Vec<String>) {
    let mut start = 0;
    let mut take = |end: usize| {
        let line = lines.get(start..end).unwrap_or_default();
        // Most lines are told apart by their pattern's first bytes.
        if may_start(line, name.as_bytes()) {
            let line = String::from_utf8_lossy(line);
            found.extend(module_if_match(&line, name).map(str::to_owned));
        }
        start = end + 1;
    };
    positions(lines, [b'\n'; 2], &mut take);
    take(lines.len());
}

const KEYWORD: &str = "alias ";

/// Does the line's pattern fit the name up to its first wildcard, or its end?
fn may_start(line: &[u8], name: &[u8]) -> bool {
    let pattern = line.get(KEYWORD.len()..).unwrap_or_default();
    for (a, b) in pattern.iter().zip(name) {
        match a {
            // Before all else: a name may hold such characters too.
            b'*' | b'?' | b'[' | b'\\' => return true,
            _ if a == b => {}
            b'-' if *b == b'_' => {}
            _ => return false,
        }
    }
    !pattern.is_empty()
}

fn module_if_match<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (pattern, module) = line.strip_prefix(KEYWORD)?.rsplit_once(' ')?;
    matches(&underscored(pattern), name).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALIAS: &str = "# Aliases extracted from modules themselves.\n\
        alias xen-backend:vif xen_netback\n\
        alias pci:v00004040d*sv*sd*bc*sc*i* netxen_nic\n\
        alias char-major-10-200 tun\n\
        alias pci:v00004040d0000[0-9]* second\n\
        alias cut\n";

    fn found(name: &str) -> Vec<String> {
        let mut found = vec![];
        find(ALIAS.as_bytes(), name, &mut found);
        found
    }

    #[test]
    fn finds_every_module_in_file_order() {
        assert_eq!(found("xen_backend:vif"), ["xen_netback"]);
        assert_eq!(
            found("pci:v00004040d00000001sv0sd0bc0sc0i0"),
            ["netxen_nic", "second"]
        );
        assert_eq!(found("char_major_10_200"), ["tun"]);
        assert!(found("xen_backend:vi").is_empty());
        assert!(found("xen_backend:viff").is_empty());
        assert!(found("cut").is_empty());
        assert!(found("").is_empty());
        // What is a wildcard in a pattern is a plain character in a name.
        assert_eq!(found("pci:v00004040d*x1sv0sd0bc0sc0i0"), ["netxen_nic"]);
    }
}
