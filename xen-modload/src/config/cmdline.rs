//! Module options on the kernel command line (modprobe(8), the kernel's
//! `admin-guide/kernel-parameters.rst`).

use super::Config;
use crate::pattern::underscored;

/// Adds `module.parameter[=value]` as options, `modprobe.blacklist=` and
/// `module_blacklist=` as blacklist. The last is the kernel's own: it refuses
/// these modules whoever loads them.
pub(super) fn parse(config: &mut Config, line: &str, file: &str) {
    for word in words(line) {
        // No text: neither the kernel nor a command could be given it.
        if word.contains('\0') {
            let start: String = word.chars().take(40).collect();
            let complaint = format!("{file}: passed over, starts with {start:?}");
            config.complaints.push(complaint);
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        match (underscored(name).as_str(), value) {
            (key @ ("modprobe.blacklist" | "module_blacklist"), Some(list)) => {
                let names = list.trim_matches('"').split(',');
                let names = names.filter(|name| !name.is_empty());
                config.blacklist.extend(names.clone().map(underscored));
                // The kernel keeps the last list, and compares letter by letter.
                if key == "module_blacklist" {
                    config.refused = names.map(str::to_owned).collect();
                }
            }
            _ => add_option(config, name, value),
        }
    }
}

fn add_option(config: &mut Config, name: &str, value: Option<&str>) {
    let Some((module, parameter)) = name.split_once('.') else {
        return;
    };
    // A second dot makes it something else, such as a sysctl or a property;
    // quotes belong to values.
    if module.is_empty() || parameter.contains(['.', '"']) {
        return;
    }
    let option = match value {
        Some(value) => format!("{parameter}={value}"),
        None => parameter.to_owned(),
    };
    if !option.is_empty() {
        config.options.push((underscored(module), option));
    }
}

/// The line's words. Quotes around a whole word are moved to its value, which
/// is where the kernel wants them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            // The kernel and modprobe count the vertical tab, Rust does not.
            _ if (c.is_ascii_whitespace() || c == '\x0b') && !quoted => {
                words.push(std::mem::take(&mut word));
            }
            _ => word.push(c),
        }
    }
    // A quote that is never closed makes its word nobody's.
    if !quoted {
        words.push(word);
    }
    words.retain(|word| !word.is_empty());
    words.into_iter().map(move_quotes).collect()
}

fn move_quotes(word: String) -> String {
    let inner = word
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner.and_then(|inner| inner.split_once('=')) {
        Some((name, value)) => format!("{name}=\"{value}\""),
        // Without a value nobody knows what the quotes are for: it is no option.
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Config {
        let mut config = Config::default();
        parse(&mut config, line, "/proc/cmdline");
        config
    }

    #[test]
    fn takes_parameters_of_modules_and_leaves_the_rest() {
        let config = parsed(
            "quiet root=a.b loop.max_loop=8\x0bloop.max_part xen-netback.q=1 loop.a=b=c a.b.c=d .x=1\n",
        );
        assert_eq!(config.options_of("loop", None), "max_loop=8 max_part a=b=c");
        assert_eq!(config.options_of("xen_netback", None), "q=1");
        assert_eq!(config.options.len(), 4);
    }

    #[test]
    fn a_value_keeps_its_quotes_and_a_quoted_word_gives_them_to_its_value() {
        let config = parsed("loop.x=\"a b\" \"loop.y=c d\" loop.z=\"\"");
        assert_eq!(
            config.options_of("loop", None),
            "x=\"a b\" y=\"c d\" z=\"\""
        );
    }

    #[test]
    fn quotes_where_none_belong_make_no_option() {
        assert!(parsed("loop.a=\"x y\n").options.is_empty());
        assert!(parsed("loop.\"b=c d\"").options.is_empty());
        assert!(parsed("\"loop.b c\"").options.is_empty());
    }

    #[test]
    fn both_blacklists_count_in_both_spellings() {
        let config = parsed("modprobe.blacklist=a-b,,c module_blacklist=d\n");
        assert_eq!(config.blacklist, ["a_b", "c", "d"]);
        assert_eq!(config.refused, ["d"]);
    }

    #[test]
    fn the_kernel_keeps_the_last_list_and_no_other_spelling() {
        let config = parsed("module_blacklist=a module-blacklist=\"b_c,d-e\"\n");
        assert!(config.is_refused("b_c") && !config.is_refused("a"));
        assert!(config.blacklists("d_e") && !config.is_refused("d_e"));
    }
}
