//! What holds for every content, whatever it is.

use proptest::prelude::*;
use xen_modload::parsers::{
    command_line, modprobe_d, modules_alias, modules_builtin_modinfo, modules_dep,
    modules_dep_damage, modules_dep_names, proc_modules,
};
use xen_modload::{Compression, Verdict, judge, matches, underscored};

/// A module's name as people write them, dashes and all.
const NAME: &str = "[a-z][a-z0-9_-]{0,12}";

/// The pattern that matches this text and nothing else.
fn quoted(text: &str) -> String {
    text.chars().flat_map(|c| ['\\', c]).collect()
}

proptest! {
    #[test]
    fn nothing_makes_a_parser_panic(
        text in any::<String>(),
        bytes in any::<Vec<u8>>(),
        name in any::<String>(),
    ) {
        let _ = (modprobe_d(&text), command_line(&text), proc_modules(&text));
        let _ = (modules_dep(&bytes, &name), modules_dep_names(&bytes));
        let _ = modules_alias(&bytes, &name);
        let _ = modules_builtin_modinfo(&text, &name);
        let _ = (judge(&text), matches(&text, &name));
        for compression in [Compression::Gzip, Compression::Xz, Compression::Zstd] {
            prop_assert!(compression.decode(&bytes).is_err());
        }
    }

    #[test]
    fn every_line_is_understood_or_complained_of(lines in "((alias|options|install|softdep|x) ?[a-z ]{0,9}\n){0,9}") {
        let config = modprobe_d(&lines);
        let understood = config.aliases.len()
            + config.options.len()
            + config.installs.len()
            + config.softdeps.len();
        prop_assert_eq!(understood + config.complaints.len(), lines.lines().count());
    }

    #[test]
    fn a_line_in_the_middle_changes_no_other(before in "[ -~\n]{0,60}", after in "[ -~\n]{0,60}") {
        // A backslash at its end would make the next line a part of it.
        prop_assume!(!before.ends_with('\\'));
        let with = modprobe_d(&format!("{before}\nblacklist in-the-middle\n{after}"));
        let without = modprobe_d(&format!("{before}\n\n{after}"));
        prop_assert!(with.blacklists("in_the_middle"));
        prop_assert_eq!(with.options, without.options);
        prop_assert_eq!(with.aliases, without.aliases);
        prop_assert_eq!(with.complaints, without.complaints);
    }

    #[test]
    fn what_a_module_needs_is_read_back(
        names in proptest::collection::btree_set("[a-z][a-z0-9_]{0,12}", 1..12),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        // Each needs all before it, the nearest first.
        let needs = |number: usize| {
            let needs = names[..number].iter().rev();
            needs.map(|name| format!(" k/{name}.ko")).collect::<String>()
        };
        let content: String = names
            .iter()
            .enumerate()
            .map(|(number, name)| format!("k/{name}.ko:{}\n", needs(number)))
            .collect();
        prop_assert_eq!(&modules_dep_names(content.as_bytes()), &names);
        prop_assert_eq!(modules_dep_damage(content.as_bytes()), None);
        for (number, name) in names.iter().enumerate() {
            let found = modules_dep(content.as_bytes(), name);
            prop_assert_eq!(found, Some(Ok((format!("k/{name}.ko"), needs(number)))));
        }
        // Wherever it is cut off, there is the right answer or none.
        for end in 0..content.len() {
            let cut = &content.as_bytes()[..end];
            let whole = cut.is_empty() || cut.ends_with(b"\n");
            prop_assert_eq!(modules_dep_damage(cut).is_none(), whole);
            for (number, name) in names.iter().enumerate() {
                if let Some(Ok(found)) = modules_dep(cut, name) {
                    prop_assert_eq!(found, (format!("k/{name}.ko"), needs(number)));
                }
            }
        }
    }

    #[test]
    fn an_alias_is_found_by_its_pattern(name in NAME, module in NAME, rest in "[a-z0-9:]{0,9}") {
        let lines = format!("alias other x\nalias {name}:* {module}\nalias {name} y\n");
        let asked = underscored(&format!("{name}:{rest}"));
        prop_assert_eq!(modules_alias(lines.as_bytes(), &asked), [module]);
    }

    #[test]
    fn both_spellings_are_one_name(name in NAME) {
        let dashed = name.replace('_', "-");
        let plain = name.replace('-', "_");
        prop_assert_eq!(underscored(&dashed), plain.as_str());
        let config = modprobe_d(&format!("blacklist {dashed}\noptions {dashed} a=1\n"));
        prop_assert!(config.blacklists(&plain));
        prop_assert_eq!(config.options_of(&plain, None), "a=1");
    }

    #[test]
    fn a_pattern_fits_what_its_wildcards_stand_for(
        parts in proptest::collection::vec("[ -~]{0,6}", 1..5),
        between in "[ -~]{0,6}",
        one in proptest::char::range(' ', '~'),
    ) {
        let pattern = |wildcard: &str| {
            let parts: Vec<String> = parts.iter().map(|part| quoted(part)).collect();
            parts.join(wildcard)
        };
        prop_assert!(matches(&pattern("*"), &parts.join(&between)));
        prop_assert!(matches(&pattern("?"), &parts.join(&one.to_string())));
        prop_assert!(matches(&pattern("[ -~]"), &parts.join(&one.to_string())));
        prop_assert!(!matches(&pattern("[! -~]"), &parts.join(&one.to_string())) || parts.len() == 1);
    }

    #[test]
    fn options_of_the_command_line_are_their_modules(module in NAME, value in "[a-z0-9,]{0,9}") {
        let config = command_line(&format!("quiet {module}.key={value} root=a.b \"{module}.two=x {value}\""));
        let expected = format!("key={value} two=\"x {value}\"");
        prop_assert_eq!(config.options_of(&underscored(&module), None), expected);
    }

    #[test]
    fn an_option_has_the_verdict_of_its_value(value in "[ymn]") {
        let line = match value.as_str() {
            "n" => "# CONFIG_XENFS is not set\n".to_owned(),
            value => format!("CONFIG_XENFS={value}\n"),
        };
        let judged = judge(&line);
        let found = judged.iter().find(|(one, _)| one.option == "XENFS");
        let expected = match value.as_str() {
            "y" => Verdict::Met,
            "m" => Verdict::MetAsModule,
            _ => Verdict::Missing,
        };
        prop_assert_eq!(found.map(|(_, verdict)| *verdict), Some(expected));
    }

    #[test]
    fn lines_of_proc_modules_are_read_back(
        names in proptest::collection::vec("[a-z][a-z0-9_]{0,9}", 0..6),
        holders in 0..99_u32,
    ) {
        let users: String = names.iter().map(|name| format!("{name},")).collect();
        let users = if users.is_empty() { "-" } else { &users };
        let modules = proc_modules(&format!("x 16384 {holders} {users} Live 0x0\n"));
        prop_assert_eq!(modules.len(), 1);
        prop_assert_eq!(&modules[0].used_by, &names);
        prop_assert_eq!((modules[0].holders, modules[0].live), (holders, true));
    }
}
