//! `xen.cfg`, which `xen.efi` reads from the folder that it lies in
//! (`docs/misc/efi.pandoc` and `xen/common/efi/boot.c` of Xen).

use crate::format::BootFiles;
use crate::format::entries::name_of;
use crate::line::Line;
use crate::{Arch, Error};

/// The section that is booted by default.
pub(super) const NORMAL: &str = "normal";

/// The section to fall back on.
pub(super) const SAFE: &str = "safe";

/// The file's text: a normal section, which is the default, and a safe one,
/// to be had by `xen.efi safe`.
///
/// # Errors
/// `#`, which begins a comment wherever it stands, anything but printable
/// ASCII, or a file name with a space.
pub fn xen_cfg(line: &Line, arch: Arch, files: &BootFiles) -> Result<String, Error> {
    for word in line.words() {
        if let Some(what) = unfit(word.text) {
            let word = word.text.to_owned();
            return Err(Error::Uncarried { word, what });
        }
    }
    let check = |flag: &str, text: &str| match unfit(text) {
        Some(what) => Err(Error::setting(flag, format!("{text:?}: {what}"))),
        None => Ok(()),
    };
    // xen.efi looks for files beside itself.
    let beside = |path: &str| match path.strip_prefix('/') {
        Some(_) => name_of(path).to_owned(),
        None => path.to_owned(),
    };
    let file = |flag: &str, path: &str| {
        let name = beside(path);
        check(flag, &name)?;
        if name.contains(' ') {
            let what = format!("{name:?}: in xen.cfg a space ends a file's name");
            return Err(Error::setting(flag, what));
        }
        Ok(name)
    };
    let mut body = format!("kernel={}", file("--kernel", &files.kernel)?);
    check("--linux-cmdline", &files.linux_cmdline)?;
    files.fits(0)?;
    if !files.linux_cmdline.is_empty() {
        body += &format!(" {}", files.linux_cmdline);
    }
    body.push('\n');
    if let Some(ramdisk) = &files.ramdisk {
        body += &format!("ramdisk={}\n", file("--ramdisk", ramdisk)?);
    }
    Ok(format!(
        "# Made by xen-params. The files are looked for beside xen.efi.\n\
         [global]\n\
         default={NORMAL}\n\
         \n\
         [{NORMAL}]\n\
         options={line}\n\
         {body}\
         \n\
         [{SAFE}]\n\
         options={}\n\
         {body}",
        safe_line(line, arch)
    ))
}

/// Why a text would not come out as it is.
fn unfit(text: &str) -> Option<String> {
    let bad = text
        .chars()
        .find(|c| *c == '#' || !(c.is_ascii_graphic() || *c == ' '));
    bad.map(|c| match c {
        '#' => "in xen.cfg # begins a comment, even inside a word".to_owned(),
        c => format!("xen.cfg cannot carry {c:?}, only printable ASCII"),
    })
}

/// A line to fall back on: what shows messages is kept, everything else is
/// left to Xen, for it may be what is wrong; messages are not held back and a
/// crash does not reboot. On Arm memory is kept too, Xen has no default there.
#[must_use]
pub fn safe_line(line: &Line, arch: Arch) -> Line {
    const SHOWS: [&str; 7] = ["com1", "com2", "console", "dbgp", "dtuart", "font", "vga"];
    let mut safe = Line::default();
    for word in line.words() {
        let kept = SHOWS.contains(&word.key()) || arch == Arch::Aarch64 && word.key() == "dom0_mem";
        if kept {
            safe.add(word.text);
        }
    }
    safe.add("loglvl=all guest_loglvl=all noreboot");
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BootFiles {
        BootFiles {
            kernel: "vmlinuz-6.1".to_owned(),
            ramdisk: Some("initrd.img-6.1".to_owned()),
            linux_cmdline: "root=/dev/sda1 ro".to_owned(),
        }
    }

    #[test]
    fn writes_both_sections() {
        let line = Line::parse("dom0_mem=1G,max:1G com1=115200 console=com1,vga");
        assert_eq!(
            xen_cfg(&line, Arch::X86_64, &files()).unwrap(),
            "# Made by xen-params. The files are looked for beside xen.efi.\n\
             [global]\n\
             default=normal\n\
             \n\
             [normal]\n\
             options=dom0_mem=1G,max:1G com1=115200 console=com1,vga\n\
             kernel=vmlinuz-6.1 root=/dev/sda1 ro\n\
             ramdisk=initrd.img-6.1\n\
             \n\
             [safe]\n\
             options=com1=115200 console=com1,vga loglvl=all guest_loglvl=all noreboot\n\
             kernel=vmlinuz-6.1 root=/dev/sda1 ro\n\
             ramdisk=initrd.img-6.1\n"
        );
    }

    #[test]
    fn the_safe_line_of_arm_keeps_its_memory() {
        let line = Line::parse("dom0_mem=1G noreboot dtuart=/soc/uart");
        assert_eq!(
            safe_line(&line, Arch::Aarch64).to_string(),
            "dom0_mem=1G dtuart=/soc/uart loglvl=all guest_loglvl=all noreboot"
        );
    }

    #[test]
    fn refuses_what_would_be_cut_off() {
        let refused = |line: &str, files: BootFiles| {
            xen_cfg(&Line::parse(line), Arch::X86_64, &files).is_err()
        };
        assert!(refused("conswitch=#", files()));
        assert!(refused("tee=é", files()));
        let with = |kernel: &str, linux_cmdline: &str| BootFiles {
            kernel: kernel.to_owned(),
            linux_cmdline: linux_cmdline.to_owned(),
            ..files()
        };
        assert!(refused("", with("vmlinuz 6.1", "")));
        assert!(refused("", with("vmlinuz", "root=LABEL=a#b")));
        assert!(refused("", with("vmlinuz", "root=a\tb")));
        assert!(!refused("", with("vmlinuz", "")));
    }
}
