//! What the administrator has set.

use std::path::Path;

use crate::Error;
use crate::root::Root;
use crate::value;

/// Our own settings file. It may hold nothing but settings.
pub const OWN_FILE: &str = "/etc/default/xen-dom0";

/// Every file with settings, the weakest first. All but ours belong to the
/// distributions' scripts and to upstream's, and are read so that what was set
/// there goes on working. systemd reads the same files in the same order.
pub const FILES: [&str; 4] = [
    "/etc/sysconfig/xencommons",
    "/etc/default/xencommons",
    "/etc/default/xen",
    OWN_FILE,
];

const NOT_TEXT: &str = "not text in UTF-8";

const EXPORT: &str = "systemd passes a line with export over";

/// The settings of the files, beaten by those of the environment. An empty one
/// counts as not set, whatever a weaker file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Sorted by name, and each name once.
    pairs: Vec<(String, String)>,
    remarks: Vec<String>,
}

impl Settings {
    /// Reads the files below the root, then the environment's variables. What
    /// no shell could set by its name is passed over there.
    ///
    /// # Errors
    /// A file that cannot be read, or a line of ours that is no setting.
    pub fn read(
        root: &Root,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut settings = Self::default();
        for file in FILES {
            if let Some(text) = root.read_bytes(Path::new(file))? {
                settings.add_file(file, &text)?;
            }
        }
        for (name, value) in environment.filter(|(name, _)| is_ours(name)) {
            settings.add(name, value);
        }
        Ok(settings)
    }

    /// In a file an empty one beats what a weaker file says: a unit that reads
    /// them all when it starts has it so too.
    fn add_of_file(&mut self, name: &str, value: String) {
        if value.is_empty() {
            self.pairs.retain(|(known, _)| known != name);
        }
        self.add(name.to_owned(), value);
    }

    fn add(&mut self, name: String, value: String) {
        if value.is_empty() {
            return;
        }
        let place = self.pairs.partition_point(|(known, _)| *known < name);
        match self.pairs.get_mut(place) {
            Some((known, old)) if *known == name => *old = value,
            _ => self.pairs.insert(place, (name, value)),
        }
    }

    fn add_file(&mut self, file: &str, text: &[u8]) -> Result<(), Error> {
        for (number, bytes) in value::joined(text) {
            // A note may be in any character set.
            let text = String::from_utf8_lossy(&bytes);
            let is_text = std::str::from_utf8(&bytes).is_ok();
            let line = text.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let plain = line.strip_prefix("export ").unwrap_or(line);
            let setting = plain.split_once('=').filter(|(name, _)| is_name(name));
            match setting {
                _ if !is_text && file == OWN_FILE => return Err(bad_line(file, number, NOT_TEXT)),
                Some((name, _)) if !is_text && is_ours(name) => {
                    return Err(bad_line(file, number, NOT_TEXT));
                }
                Some((name, raw)) if file == OWN_FILE || is_ours(name) => {
                    let Some(value) = value::meant(raw) else {
                        return Err(bad_line(file, number, value::OPEN_QUOTE));
                    };
                    let agreed = match value::agreed(raw) {
                        Ok(_) if plain.len() < line.len() => Err(EXPORT),
                        agreed => agreed,
                    };
                    match agreed {
                        // Both read it, each in its way.
                        Err(what) if file == OWN_FILE => return Err(bad_line(file, number, what)),
                        Err(what) => self.remarks.push(bad_line(file, number, what).to_string()),
                        Ok(_) => {}
                    }
                    let value = match file {
                        OWN_FILE => value,
                        _ => as_meant(name, value),
                    };
                    if is_ours(name) {
                        self.add_of_file(name, value);
                    }
                }
                Some(_) => {}
                // The others are shell scripts, and may do more than set.
                None if file != OWN_FILE => {}
                None => return Err(bad_line(file, number, "not KEY=value")),
            }
        }
        Ok(())
    }

    /// The lines of others' files that systemd, which reads them too, takes
    /// otherwise than a shell.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The value, if it is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.iter();
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The words of a value, or of the default.
    ///
    /// # Errors
    /// A quote that is not closed.
    pub fn words(&self, name: &str, default: &str) -> Result<Vec<String>, Error> {
        shell_words::split(self.get(name).unwrap_or(default))
            .map_err(|_| bad_value(name, "a quote is not closed"))
    }

    /// A yes or a no; no where it is not set.
    ///
    /// # Errors
    /// A value that is neither.
    pub fn is_on(&self, name: &str) -> Result<bool, Error> {
        let value = self.get(name).unwrap_or("no");
        answer(value).ok_or_else(|| bad_value(name, &format!("{value} is neither yes nor no")))
    }

    /// Each setting with its value, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut settings = Self::default();
        for (name, value) in pairs {
            settings.add(name, value);
        }
        settings
    }
}

/// A value of a setting that cannot be followed.
pub(crate) fn bad_value(name: &str, what: &str) -> Error {
    Error::Setting {
        place: name.to_owned(),
        what: what.to_owned(),
    }
}

fn bad_line(file: &str, number: usize, what: &str) -> Error {
    Error::Setting {
        place: format!("{file}:{}", number + 1),
        what: what.to_owned(),
    }
}

/// Each line of a text that sets something, with what it is set to.
pub(crate) fn assignments(text: &str) -> Vec<(String, String)> {
    let pair = |(_, line): (usize, Vec<u8>)| {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        is_name(name).then(|| (name.to_owned(), value.to_owned()))
    };
    let lines = value::joined(text.as_bytes()).into_iter();
    lines.filter_map(pair).collect()
}

/// The names that the chain's programs, upstream's scripts and Debian's use.
pub(crate) fn is_ours(name: &str) -> bool {
    is_name(name)
        && ((name.starts_with("XEN") && !name.starts_with("XEN_UNITS_")) || name == "QEMU_XEN")
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A value as the file's own scripts take it: to upstream's launch-xenstore
/// whatever `XENSTORED_TRACE` is set to is a yes.
pub(crate) fn as_meant(name: &str, value: String) -> String {
    if name == "XENSTORED_TRACE" && !value.is_empty() && answer(&value).is_none() {
        return "yes".to_owned();
    }
    value
}

fn answer(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(file: &str, text: &str) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        settings.add_file(file, text.as_bytes())?;
        Ok(settings)
    }

    #[test]
    fn reads_what_sh_and_systemd_agree_on() {
        let text = "# note\nXENSTORED_ARGS=\"-a  'b c'\"\n XENSTORED=/x\nXEN_EMPTY=\nPATH=/y\n";
        let settings = parse(OWN_FILE, text).unwrap();
        assert_eq!(settings.get("XENSTORED"), Some("/x"));
        assert_eq!(settings.get("XEN_EMPTY"), None);
        assert_eq!(settings.get("PATH"), None);
        assert_eq!(settings.words("XENSTORED_ARGS", "").unwrap(), ["-a", "b c"]);
    }

    #[test]
    fn ignores_what_is_script_in_files_of_others() {
        let text = "if [ -f /x ]; then\n XENSTORED=/a\nfi\n";
        assert_eq!(
            parse("/etc/default/xen", text).unwrap().get("XENSTORED"),
            Some("/a")
        );
        assert_eq!(
            parse(OWN_FILE, "XENSTORED=/a\nfi\n")
                .unwrap_err()
                .to_string(),
            "/etc/default/xen-dom0:2: not KEY=value"
        );
    }

    #[test]
    fn refuses_in_our_file_what_systemd_reads_otherwise_and_remarks_on_it_elsewhere() {
        let note = "systemd takes the note for a part of the value: give it a line of its own";
        let both = "a shell and systemd read it differently: put the whole value in single \
            quotes, or in double ones where it has a single one";
        for (line, value, complaint) in [
            ("export XENSTORED_ARGS=-v", "-v", EXPORT),
            ("XENSTORED_ARGS=4096 # enough", "4096", note),
            ("XENSTORED_ARGS=-a b", "-a b", both),
            ("XENSTORED_ARGS=-v\r", "-v", both),
        ] {
            assert_eq!(
                parse(OWN_FILE, line).unwrap_err().to_string(),
                format!("/etc/default/xen-dom0:1: {complaint}")
            );
            let settings = parse("/etc/default/xen", line).unwrap();
            assert_eq!(settings.get("XENSTORED_ARGS"), Some(value));
            assert_eq!(
                settings.remarks(),
                [format!("/etc/default/xen:1: {complaint}")]
            );
        }
        // Of what is nobody's here nothing is said.
        let settings = parse("/etc/default/xen", "export OTHER=a b\n").unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn takes_a_trace_as_upstreams_script_takes_it() {
        for (value, expected) in [("y", "yes"), ("[yes|on|1]", "yes"), ("off", "off")] {
            let line = format!("XENSTORED_TRACE='{value}'");
            let settings = parse("/etc/default/xencommons", &line).unwrap();
            assert_eq!(settings.get("XENSTORED_TRACE"), Some(expected));
        }
        assert!(
            parse(OWN_FILE, "XENSTORED_TRACE=y")
                .unwrap()
                .is_on("XENSTORED_TRACE")
                .is_err()
        );
    }

    #[test]
    fn names_the_line_with_an_open_quote() {
        assert_eq!(
            parse("/etc/default/xen", "\nXENSTORED_ARGS='a\n")
                .unwrap_err()
                .to_string(),
            "/etc/default/xen:2: a quote is not closed"
        );
    }

    #[test]
    fn takes_an_empty_one_for_the_end_of_what_a_weaker_file_says() {
        let mut settings = parse(FILES[0], "XEN_BRIDGE=br5\nXENSTORED_TRACE=1\n").unwrap();
        settings.add_file(FILES[1], b"XEN_BRIDGE=\n").unwrap();
        assert_eq!(
            settings.iter().collect::<Vec<_>>(),
            [("XENSTORED_TRACE", "1")]
        );
        // In the environment it is not set.
        settings.add("XENSTORED_TRACE".to_owned(), String::new());
        assert_eq!(settings.get("XENSTORED_TRACE"), Some("1"));
    }

    #[test]
    fn takes_any_character_set_in_a_note_and_only_there() {
        let read = |file: &str, text: &[u8]| {
            let mut settings = Settings::default();
            let result = settings.add_file(file, text);
            result.map(|()| settings).map_err(|error| error.to_string())
        };
        let noted = read(OWN_FILE, b"# na\xefve\nXEN_BRIDGE=br0\n").unwrap();
        assert_eq!(noted.get("XEN_BRIDGE"), Some("br0"));
        let complaint = "/etc/default/xen-dom0:2: not text in UTF-8";
        for text in [&b"\nXEN_BRIDGE=\xef\n"[..], b"\nOTHER=\xef\n"] {
            assert_eq!(read(OWN_FILE, text).unwrap_err(), complaint);
        }
        assert!(read("/etc/default/xen", b"OTHER=\xef\n").is_ok());
        assert!(read("/etc/default/xen", b"XENSTORED=\xef\n").is_err());
    }

    #[test]
    fn passes_over_what_is_no_name_in_the_environment() {
        let root = Root::new(Path::new("/nowhere"));
        let pairs = [("XEN_X;id", "1"), ("XEN_X", "2")].map(|(n, v)| (n.into(), v.into()));
        let settings = Settings::read(&root, pairs.into_iter()).unwrap();
        assert_eq!(settings.iter().collect::<Vec<_>>(), [("XEN_X", "2")]);
    }

    #[test]
    fn takes_an_answer_only_if_it_is_yes_or_no() {
        let one = |value: &str| Settings::from_iter([("XENSTORED_TRACE".into(), value.into())]);
        assert!(one("On").is_on("XENSTORED_TRACE").unwrap());
        assert!(!one("no").is_on("XENSTORED_TRACE").unwrap());
        assert!(!one("").is_on("XENSTORED_TRACE").unwrap());
        assert!(one("maybe").is_on("XENSTORED_TRACE").is_err());
    }
}
