//! One file of modprobe.d.

use super::{Config, SoftDependency};
use crate::pattern::underscored;

/// Adds what the file says. A line that nobody understands is complained of
/// and passed over, as modprobe does; and so is one that holds what is no text.
pub(super) fn parse(config: &mut Config, content: &str, file: &str) {
    for (number, line) in logical_lines(content) {
        if understand(config, &line).is_none() {
            let start = line.split_whitespace().next().unwrap_or_default();
            let start: String = start.chars().take(40).collect();
            let complaint = format!("{file} line {number}: passed over, starts with {start:?}");
            config.complaints.push(complaint);
        }
    }
}

/// Lines that say something, each with the number of its last physical line. A
/// backslash takes the line's end away; before anything else it only vanishes.
fn logical_lines(content: &str) -> impl Iterator<Item = (usize, String)> {
    let mut rest = content;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut line = String::new();
        loop {
            let (physical, after) = rest.split_once('\n').unwrap_or((rest, ""));
            number += 1;
            rest = after;
            if !take_backslashes(physical, &mut line) || rest.is_empty() {
                return Some((number, line));
            }
        }
    })
    .filter(|(_, line)| {
        let first = line.trim_start().chars().next();
        first.is_some_and(|first| first != '#')
    })
}

/// `true`: the line goes on.
fn take_backslashes(physical: &str, line: &mut String) -> bool {
    if !physical.contains('\\') {
        line.push_str(physical);
        return false;
    }
    let mut chars = physical.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) => line.push(escaped),
                None => return true,
            },
            _ => line.push(c),
        }
    }
    false
}

fn understand(config: &mut Config, line: &str) -> Option<()> {
    // Neither the kernel nor sh could be given all of it.
    if line.contains('\0') {
        return None;
    }
    let (command, rest) = word(line)?;
    let (first, rest) = word(rest)?;
    let first = pattern(first)?;
    match command {
        "alias" => {
            let (module, _) = word(rest)?;
            config.aliases.push((first, pattern(module)?));
        }
        "blacklist" => config.blacklist.push(first),
        "options" => {
            let options = some(rest)?.replace('\t', " ");
            config.options.push((first, options));
        }
        "install" => config.installs.push((first, some(rest)?.to_owned())),
        "remove" => config.removes.push((first, some(rest)?.to_owned())),
        "softdep" => config.softdeps.push(softdep(first, some(rest)?)),
        // modprobe of kmod 33 and later; only a wish for initramfs builders.
        "weakdep" => {}
        _ => return None,
    }
    Some(())
}

/// The name, underscored, if it closes each bracket that it opens.
fn pattern(name: &str) -> Option<String> {
    let mut rest = name;
    while let Some(at) = rest.find(['[', ']']) {
        let set = rest[at..].strip_prefix('[')?;
        rest = &set[set.find(']')? + 1..];
    }
    Some(underscored(name))
}

fn some(rest: &str) -> Option<&str> {
    (!rest.is_empty()).then_some(rest)
}

/// The first word, and all after the one blank that ends it.
fn word(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches([' ', '\t']);
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    (!word.is_empty()).then_some((word, rest))
}

/// Names that come before `pre:` and `post:` say nothing.
fn softdep(of: String, names: &str) -> SoftDependency {
    let mut softdep = SoftDependency {
        of,
        before: vec![],
        after: vec![],
    };
    let mut ignored = vec![];
    let mut list = &mut ignored;
    for word in names.split_whitespace() {
        match word {
            "pre:" => list = &mut softdep.before,
            "post:" => list = &mut softdep.after,
            name => list.push(name.to_owned()),
        }
    }
    softdep
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(content: &str) -> Config {
        let mut config = Config::default();
        parse(&mut config, content, "a.conf");
        config
    }

    #[test]
    fn options_keep_their_blanks_and_lose_backslashes_and_tabs() {
        let config = parsed("options loop a=\\d \\\n  b=\"x y\"\noptions  snd-pcsp\tx=1\ty=2 \n");
        assert_eq!(
            config.options,
            [
                ("loop".to_owned(), "a=d   b=\"x y\"".to_owned()),
                ("snd_pcsp".to_owned(), "x=1 y=2 ".to_owned()),
            ]
        );
        assert_eq!(config.options_of("loop", None), "a=d   b=\"x y\"");
    }

    #[test]
    fn a_comment_goes_on_after_a_backslash() {
        let config = parsed("# no \\\nblacklist tun\n  # nor this\nblacklist loop\n\n");
        assert_eq!(config.blacklist, ["loop"]);
        assert!(config.complaints.is_empty());
    }

    #[test]
    fn softdeps_before_and_after_and_no_others() {
        let config = parsed("softdep tun a pre: b-c d post: e pre: f\n");
        let softdep = config.softdep_of("tun").unwrap();
        assert_eq!(softdep.before, ["b-c", "d", "f"]);
        assert_eq!(softdep.after, ["e"]);
    }

    #[test]
    fn only_the_first_softdep_or_command_that_matches_counts() {
        let config = parsed(
            "softdep t* pre: a\nsoftdep tun pre: b\ninstall tun echo 1\ninstall t* echo 2\n",
        );
        assert_eq!(config.softdep_of("tun").unwrap().before, ["a"]);
        assert_eq!(config.install_of("tun", false), Some("echo 1"));
        assert_eq!(config.install_of("tap", false), Some("echo 2"));
        assert!(config.names_command("tun") && !config.names_command("tap"));
    }

    #[test]
    fn a_line_of_its_own_counts_first_where_a_name_is_known_by_it() {
        let config = parsed(
            "install xen* echo 1\ninstall xen-foo echo 2\n\
             remove x* echo 3\nremove xen-foo echo 4\nremove xbar echo 5\n",
        );
        assert_eq!(config.install_of("xen_foo", true), Some("echo 2"));
        assert_eq!(config.install_of("xen_foo", false), Some("echo 1"));
        assert_eq!(config.remove_of("xen_foo", true), Some("echo 3"));
        assert_eq!(config.remove_of("xbar", true), Some("echo 5"));
        assert_eq!(config.remove_of("xbar", false), Some("echo 3"));
    }

    #[test]
    fn complains_of_a_line_nobody_understands_and_goes_on() {
        let config = parsed("frobnicate x\nalias one\noptions xfs\nblacklist\nblacklist a\n");
        assert_eq!(config.blacklist, ["a"]);
        assert_eq!(config.complaints.len(), 4);
        assert_eq!(
            config.complaints[0],
            "a.conf line 1: passed over, starts with \"frobnicate\""
        );
    }

    #[test]
    fn complains_of_a_bracket_without_its_other_half() {
        let config = parsed(
            "alias f[oo tun\nalias g]o tun\nalias o[k]a tun\nblacklist t[un\noptions l]oop a=1\n\
             install a]b echo\nsoftdep c[d pre: loop\nalias x[]y tun\nalias q [r\nremove r] echo\n",
        );
        let names: Vec<&str> = config
            .aliases
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["o[k]a", "x[]y"]);
        assert_eq!(config.complaints.len(), 8);
        assert!(config.blacklist.is_empty() && config.options.is_empty());
    }

    #[test]
    fn takes_the_end_of_the_file_for_the_end_of_a_line() {
        assert_eq!(parsed("blacklist tun\\").blacklist, ["tun"]);
        assert_eq!(parsed("blacklist tun\\\n").blacklist, ["tun"]);
        assert_eq!(parsed("\\"), Config::default());
    }
}
