//! modules.builtin.modinfo: `module.key=value`, each ended by a zero byte.

use crate::pattern::{matches, underscored};

/// The built-in modules that answer to the (underscored) modalias.
pub(super) fn find_alias(content: &str, name: &str) -> Vec<String> {
    content
        .split('\0')
        .filter_map(|record| {
            let (key, pattern) = record.split_once('=')?;
            let module = key.strip_suffix(".alias")?;
            matches(&underscored(pattern), name).then(|| underscored(module))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_aliases_and_no_other_keys() {
        let content = "zbud.alias=zpool-zbud\0zbud.license=GPL\0rtc.alias=platform:rtc*\0cut.al";
        assert_eq!(find_alias(content, "zpool_zbud"), ["zbud"]);
        assert_eq!(find_alias(content, "platform:rtc_cmos"), ["rtc"]);
        assert!(find_alias(content, "GPL").is_empty());
    }
}
