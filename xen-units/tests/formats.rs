//! The files of init systems that cannot be run here, held against what their
//! documentation says a file is made of.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use common::{copy_of, generate_for};

/// A machine with everything that can be written, for Xen 4.20.
fn written(init: &str) -> tempfile::TempDir {
    let root = copy_of("debian-12");
    generate_for(init, "/etc", root.path())
        .args(["--watchdog", "--xen", "4.20"])
        .assert()
        .success();
    root
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o111 == 0o111
}

/// No service may need itself through others.
fn assert_no_circle(needs: &dyn Fn(&str) -> Vec<String>, services: &[String]) {
    for start in services {
        let mut seen = needs(start);
        let mut next = 0;
        while next < seen.len() {
            assert_ne!(&seen[next], start);
            for name in needs(&seen[next].clone()) {
                assert!(services.contains(&name), "{name} is no service");
                if !seen.contains(&name) {
                    seen.push(name);
                }
            }
            next += 1;
        }
    }
}

/// https://skarnet.org/software/s6-rc/s6-rc-compile.html
#[test]
fn s6_definitions_are_what_its_compiler_reads() {
    let root = written("s6");
    let folder = root.path().join("etc/s6-rc/sv");
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let services = names(&folder);
    assert_eq!(services.len(), 11);
    for name in &services {
        let files = names(&folder.join(name));
        let (must, may): (&[&str], &[&str]) = match read(&format!("{name}/type")).as_str() {
            "bundle\n" => (&["contents.d"], &[]),
            "oneshot\n" => (
                &["up"],
                &["down", "dependencies.d", "timeout-up", "flag-essential"],
            ),
            "longrun\n" => (
                &["run", "finish"],
                &[
                    "dependencies.d",
                    "down-signal",
                    "timeout-kill",
                    "flag-essential",
                ],
            ),
            other => panic!("{name}: {other}"),
        };
        for file in must {
            assert!(files.iter().any(|one| one == file), "{name}: no {file}");
        }
        for file in &files {
            let is_known = file == "type" || [must, may].concat().contains(&file.as_str());
            assert!(is_known, "{name}: {file}");
        }
        for script in ["run", "finish"].iter().filter(|file| must.contains(file)) {
            assert!(is_executable(&folder.join(name).join(script)), "{name}");
        }
        for line in ["up", "down"]
            .iter()
            .filter(|file| files.iter().any(|one| one == **file))
        {
            assert_is_one_command(&read(&format!("{name}/{line}")));
        }
    }
    let bundle = names(&folder.join("xen-dom0/contents.d"));
    assert_eq!(bundle.len(), 10);
    let needs = |name: &str| match folder.join(name).join("dependencies.d") {
        path if path.exists() => names(&path),
        _ => vec![],
    };
    assert_no_circle(&needs, &services);
}

/// A line of execline (https://skarnet.org/software/execline/execlineb.html):
/// words, of which one may stand in double quotes, where a backslash takes the
/// meaning of what comes after it. Here the third word is a shell's script.
fn assert_is_one_command(text: &str) {
    let is_comment = |line: &&str| !line.starts_with("# ");
    let text: Vec<&str> = text.lines().filter(is_comment).collect();
    let text = text.join("\n");
    let quoted = text.strip_prefix("/bin/sh -c \"").unwrap();
    let mut script = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => script.extend(chars.next()),
            '"' => break,
            _ => script.push(c),
        }
    }
    assert_eq!(chars.as_str().trim(), "", "{text}");
    let status = Command::new("sh").args(["-n", "-c", &script]).status();
    assert!(status.unwrap().success(), "{script}");
}

/// dinit-service(5), as of 0.10 and later.
#[test]
fn dinit_descriptions_are_what_it_reads() {
    const KEYS: [&str; 12] = [
        "type",
        "command",
        "stop-command",
        "depends-ms",
        "depends-on",
        "waits-for",
        "restart",
        "restart-delay",
        "term-signal",
        "start-timeout",
        "stop-timeout",
        "logfile",
    ];
    let root = written("dinit");
    let folder = root.path().join("etc/dinit.d");
    let mut services = names(&folder);
    services.retain(|name| name != "xen-dom0.d");
    assert_eq!(services.len(), 11);
    let values = |name: &str, key: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.map(|line| line.split_once(" = ").unwrap());
        let mut found = vec![];
        for (one, value) in pairs {
            assert!(KEYS.contains(&one), "{name}: {one}");
            // Nothing that is quoted, or put in from a variable.
            assert!(!value.contains(['"', '\\', '$', '#']), "{name}: {value}");
            if one == key {
                found.push(value.to_owned());
            }
        }
        found
    };
    for name in &services {
        let kind = values(name, "type");
        let allowed = ["scripted", "process", "internal"];
        assert!(allowed.contains(&kind[0].as_str()), "{name}");
        for command in values(name, "command") {
            let script = command.split(' ').next().unwrap().trim_start_matches('/');
            assert!(is_executable(&root.path().join(script)), "{command}");
        }
    }
    let needs = |name: &str| {
        ["depends-ms", "depends-on", "waits-for"]
            .map(|key| values(name, key))
            .concat()
    };
    assert_no_circle(&needs, &services);
}

/// The headers of LSB (Debian's insserv(8) reads them).
#[test]
fn init_scripts_say_where_they_belong() {
    let root = written("sysvinit");
    let folder = root.path().join("etc/init.d");
    let header = |name: &str, key: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let start = format!("# {key}:");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        let words = line.unwrap_or_else(|| panic!("{name}: no {key}"));
        words.split_whitespace().map(str::to_owned).collect()
    };
    let mut services = names(&folder);
    services.retain(|name| name.starts_with("xen-"));
    assert_eq!(services.len(), 10);
    for name in &services {
        assert_eq!(header(name, "Provides"), [name.as_str()]);
        for key in [
            "Required-Start",
            "Required-Stop",
            "Default-Start",
            "Short-Description",
        ] {
            header(name, key);
        }
        let stops = header(name, "Default-Stop");
        let is_stopped = [
            "xen-store",
            "xen-store-watch",
            "xen-console",
            "xen-qemu",
            "xen-watchdog",
            "xen-domains",
        ];
        assert_eq!(
            !stops.is_empty(),
            is_stopped.contains(&name.as_str()),
            "{name}"
        );
    }
    let needs = |name: &str| {
        let mut all = [header(name, "Required-Start"), header(name, "Should-Start")].concat();
        all.retain(|name| services.contains(name));
        all
    };
    assert_no_circle(&needs, &services);
}
