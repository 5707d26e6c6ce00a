//! Lines that stand in files.

use predicates::str::contains;

use crate::params;

#[test]
fn lint_knows_files_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let grub_cfg = write(
        "grub.cfg",
        "menuentry 'Xen' {\n\
         \tmultiboot2\t/boot/xen-4.17-amd64.gz placeholder smt=x ${xen_rm_opts}\n\
         \tmodule2\t/boot/vmlinuz-6.1 placeholder root=/dev/sda1 ro dom0_mem=1G\n}\n",
    );
    let defaults = write(
        "grub",
        "GRUB_TIMEOUT=5\nGRUB_CMDLINE_XEN=\"noreboot root=/dev/sda\"\n",
    );
    let xen_cfg = write(
        "xen.cfg",
        "[global]\ndefault=a\n[a]\noptions=conswitch=#\nkernel=vmlinuz\n",
    );
    params(&["lint", &grub_cfg, &defaults, &xen_cfg])
        .assert()
        .code(6)
        .stdout(format!(
            "{grub_cfg}:2: error: smt=x: \"x\" is neither yes on true enable 1 nor no off false \
             disable 0\n\
             {grub_cfg}:3: error: dom0_mem=1G: an option of Xen: it belongs on the hypervisor's \
             line\n\
             {defaults}:2: error: root=/dev/sda: an option of Linux: it belongs on the Dom0 \
             kernel's line\n\
             {xen_cfg}:4: error: conswitch=: in xen.cfg # begins a comment, even inside a word\n"
        ))
        .stderr("xen-params: 4 errors found\n");
    let none = write(
        "plain-grub.cfg",
        "menuentry 'Linux' {\n\tlinux /vmlinuz quiet\n}\n",
    );
    params(&["lint", &none]).assert().code(5).stderr(format!(
        "xen-params: {none}: no command line of Xen in it\n"
    ));
    // Below another root, where paths are that root's.
    params(&["lint", "--root"])
        .arg(folder.path())
        .arg("/grub")
        .assert()
        .code(6)
        .stdout(contains("/grub:2: error: root=/dev/sda"));
}

#[test]
fn a_file_that_is_not_there_is_no_option() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.cfg").display().to_string();
    let said = format!("xen-params: read {none}: No such file or directory (os error 2)\n");
    for arguments in [
        &["lint", &none][..],
        &["diff", "smt=0", &none],
        &["--from", &none],
    ] {
        params(arguments)
            .assert()
            .code(1)
            .stdout("")
            .stderr(said.clone());
    }
    params(&["lint", "noreboot boot/none"])
        .assert()
        .code(6)
        .stdout("error: boot/none: Xen has no such option\n");
    let folder = folder.path().display().to_string();
    params(&["lint", &folder]).assert().code(1).stderr(format!(
        "xen-params: read {folder}: Is a directory (os error 21)\n"
    ));
}

#[test]
fn diff_and_from_read_lines_out_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wanted = write("xen-params", "smt=0 noreboot\n");
    let installed = write(
        "grub.cfg",
        "menuentry x {\n\tmultiboot2 /boot/xen.gz placeholder smt=1 ${xen_rm_opts}\n}\n",
    );
    params(&["diff", &wanted, &installed])
        .assert()
        .code(6)
        .stdout("-smt=0\n+smt=1\n-noreboot\n");
    params(&["--xen", "all", "--from", &installed, "loglvl=all"])
        .assert()
        .success()
        .stdout("smt=1 loglvl=all\n");
    let other = write("other.cfg", "[global]\nkernel=vmlinuz\n");
    params(&["diff", &wanted, &other])
        .assert()
        .code(5)
        .stderr(format!(
            "xen-params: {other}: no command line of Xen in it\n"
        ));
}

#[test]
fn a_file_s_line_is_the_one_that_boots() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let grub = write(
        "grub",
        "GRUB_CMDLINE_XEN=\"\"\nGRUB_CMDLINE_XEN_DEFAULT=\"dom0_mem=4G,max:4G com1=115200,8n1\"\n",
    );
    params(&["--from", &grub, "smt=0"])
        .assert()
        .success()
        .stdout("dom0_mem=4G,max:4G com1=115200,8n1 smt=0\n")
        .stderr("");
    params(&["diff", &grub, "dom0_mem=4G,max:4G com1=115200,8n1"])
        .assert()
        .success();
    let partly = write("partly", "\nGRUB_CMDLINE_XEN=\"$MORE dom0_mem=512M\"\n");
    let no_section = write(
        "xen.cfg",
        "[global]\ndefault=b\n[a]\noptions=smt=0\nkernel=vmlinuz\n",
    );
    for (file, said) in [
        (
            &partly,
            "2: $MORE: not set before in this file, so the line cannot be known",
        ),
        (
            &no_section,
            "2: default=b: no section has that name, so xen.efi finds no kernel",
        ),
    ] {
        for arguments in [&["--from", file, "smt=0"][..], &["diff", file, "smt=0"]] {
            params(arguments)
                .assert()
                .code(6)
                .stdout("")
                .stderr(format!("xen-params: {file}:{said}\n"));
        }
    }
    // As Debian's package has it.
    let none = write(
        "none.cfg",
        "echo a\n#GRUB_CMDLINE_XEN=\"\"\n# dom0_mem=4G\n",
    );
    for arguments in [&["lint", &none][..], &["diff", &none, "smt=0"]] {
        params(arguments).assert().code(5).stderr(format!(
            "xen-params: {none}: no command line of Xen in it\n"
        ));
    }
}

#[test]
fn what_is_written_for_grub_is_read_back_as_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("zz-xen-dom0.cfg");
    let line = "ivrs_ioapic[4]=00:14.0 crashkernel=72M<4G";
    let words: Vec<&str> = line.split(' ').collect();
    let written = params(&["--format", "grub"])
        .args(&words)
        .assert()
        .success();
    std::fs::write(&own, &written.get_output().stdout).unwrap();
    let own = own.to_str().unwrap();
    params(&["lint", own]).assert().success().stdout("");
    params(&["diff", own, line]).assert().success().stdout("");
    params(&["--from", own])
        .assert()
        .success()
        .stdout(format!("{line}\n"));
}

#[test]
fn the_release_that_xl_info_names_is_the_one_that_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("info");
    let text = "xen_version : 4.17.5\nxen_commandline : fred=1\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    params(&["lint", path]).assert().code(6).stdout(format!(
        "{path}:2: error: fred=1: since Xen 4.21, not in 4.17\n"
    ));
    for xen in ["4.21", "all"] {
        params(&["lint", "--xen", xen, path]).assert().success();
    }
}
