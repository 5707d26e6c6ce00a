//! `/etc/default/grub.d/zz-xen-dom0.cfg`: two shell variables, read by
//! grub-mkconfig, which copies their values into `grub.cfg`.

use crate::Error;
use crate::line::{LINE_MAX, Line};

/// The file's text. The name must sort behind the `xen.cfg` of Debian's Xen
/// package, or that one wins.
///
/// # Errors
/// A quote or a backslash: GRUB would hand them on with one more backslash. Or
/// the line is too long with what grub-mkconfig adds.
pub fn grub_defaults(line: &Line) -> Result<String, Error> {
    let mut words = vec![];
    for word in line.words() {
        if let Some(what) = unfit_for_grub(word.text) {
            let word = word.text.to_owned();
            return Err(Error::Uncarried { word, what });
        }
        words.push(for_grub(word.text));
    }
    fits(line)?;
    let words = words.join(" ");
    // Inside single quotes a shell sees only the quote itself.
    let quoted = words.replace('\'', r"'\''");
    Ok(format!(
        "# The command line of the Xen hypervisor, made by xen-params. After a\n\
         # change run update-grub. _DEFAULT is empty, so that nothing is added.\n\
         GRUB_CMDLINE_XEN='{quoted}'\n\
         GRUB_CMDLINE_XEN_DEFAULT=''\n"
    ))
}

/// What stands before the line in GRUB's entries, ours and grub-mkconfig's.
pub(super) const PLACEHOLDER: &str = "placeholder";

/// What these add under UEFI.
pub(super) const UNDER_UEFI: &str = "no-real-mode edd=off";

/// Xen keeps the whole of what GRUB hands to it.
///
/// # Errors
/// [`Error::Uncarried`], with the last option.
pub(super) fn fits(line: &Line) -> Result<(), Error> {
    let length = format!("{PLACEHOLDER} {line} {UNDER_UEFI}").len();
    let Some(last) = line.words().last().filter(|_| length > LINE_MAX) else {
        return Ok(());
    };
    Err(Error::Uncarried {
        word: last.text.to_owned(),
        what: format!(
            "the line has {length} bytes with what GRUB's entries add; Xen keeps {LINE_MAX} for \
             xl info"
        ),
    })
}

/// Why GRUB would not hand a word on as it is.
pub(super) fn unfit_for_grub(word: &str) -> Option<String> {
    (word.contains(['\'', '"', '\\']) || !word.is_ascii()).then(|| {
        "GRUB does not hand quotes, backslashes and letters beyond ASCII on as they are".to_owned()
    })
}

/// A word as it must stand in `grub.cfg`, a script of its own, to reach Xen.
pub(super) fn for_grub(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-=,.:+/%@".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        let text = grub_defaults(&Line::parse(line)).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("GRUB_CMDLINE_XEN="));
        line.unwrap()["GRUB_CMDLINE_XEN=".len()..].to_owned()
    }

    #[test]
    fn an_ordinary_line_stands_as_it_is() {
        let line = "dom0_mem=1G+25%,max:8G com1=115200,8n1 crashkernel=256M,below=4G";
        assert_eq!(value(line), format!("'{line}'"));
        assert_eq!(value(""), "''");
    }

    #[test]
    fn what_grub_s_own_script_would_cut_is_quoted_for_it() {
        assert_eq!(
            value("a ivrs_hpet[0]=00:14.0"),
            r"'a '\''ivrs_hpet[0]=00:14.0'\'''"
        );
        let words = shell_words::split(&value("rmrr=0x1=0:0:1d.0;0x2=0:0:1a.0")).unwrap();
        assert_eq!(words, ["'rmrr=0x1=0:0:1d.0;0x2=0:0:1a.0'"]);
        assert_eq!(
            shell_words::split(&words[0]).unwrap(),
            ["rmrr=0x1=0:0:1d.0;0x2=0:0:1a.0"]
        );
    }

    #[test]
    fn refuses_what_grub_would_change() {
        for word in ["conswitch=\\", "tee=\"x\"", "tee='x'", "tee=é"] {
            assert!(grub_defaults(&Line::parse(word)).is_err(), "{word}");
        }
    }
}
