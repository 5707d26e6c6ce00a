//! `install --boot-entry`.

use std::fs;
use std::path::Path;

use predicates::str::contains;

use crate::{copy, install_entry, read, write};

#[test]
fn grub_s_settings_go_where_its_script_looks() {
    let root = copy("debian");
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    let line = ["--boot-entry", "grub", "--dom0-mem", "1G,max:1G"];
    install_entry(root.path(), &line)
        .assert()
        .success()
        .stdout("");
    let whole = read(root.path(), "etc/default/grub");
    assert!(whole.starts_with("GRUB_TIMEOUT=5\n# BEGIN xen-params "));
    assert!(whole.contains("GRUB_CMDLINE_XEN='dom0_mem=1G,max:1G'\n"));
    install_entry(root.path(), &line).assert().success();
    assert_eq!(read(root.path(), "etc/default/grub"), whole);

    fs::create_dir_all(root.path().join("etc/default/grub.d")).unwrap();
    install_entry(root.path(), &line).assert().success();
    let own = read(root.path(), "etc/default/grub.d/zz-xen-dom0.cfg");
    assert!(own.ends_with("GRUB_CMDLINE_XEN='dom0_mem=1G,max:1G'\nGRUB_CMDLINE_XEN_DEFAULT=''\n"));
}

#[test]
fn the_safe_entry_of_grub_s_own_menu_stands_beside_it() {
    let root = copy("debian");
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    let custom = root.path().join("boot/grub/custom.cfg");
    let line = ["--boot-entry", "grub", "smt=0"];
    install_entry(root.path(), &line).assert().success();
    assert!(!custom.exists());
    install_entry(root.path(), &line)
        .env("XEN_PARAMS_SAFE", "1")
        .assert()
        .success()
        .stderr("");
    assert!(read(root.path(), "etc/default/grub").contains("GRUB_CMDLINE_XEN='smt=0'\n"));
    let entries = fs::read_to_string(&custom).unwrap();
    assert!(entries.contains("--id xen-dom0-safe "), "{entries}");
    // It is what the other form writes.
    install_entry(root.path(), &["--boot-entry", "grub-entry", "smt=0", "-v"])
        .assert()
        .success()
        .stderr("");
    // Without it they stay, for they may be what that form wrote, and that is said.
    install_entry(root.path(), &["--boot-entry", "grub", "smt=0"])
        .assert()
        .success()
        .stdout("")
        .stderr(format!(
            "xen-params: warning: {}: without --safe its entries stay as they are, also where \
             their kernel goes: take out the block of xen-params, or renew it with --safe or \
             --boot-entry grub-entry\n",
            custom.display()
        ));
    assert_eq!(fs::read_to_string(&custom).unwrap(), entries);
    // Nothing of it is written where a part cannot be.
    install_entry(root.path(), &["--boot-entry", "grub", "smt=1", "--safe"])
        .args(["--kernel", "/boot/none"])
        .assert()
        .code(5);
    assert!(read(root.path(), "etc/default/grub").contains("GRUB_CMDLINE_XEN='smt=0'\n"));
}

#[test]
fn a_setting_behind_ours_does_not_win() {
    let root = copy("debian");
    let line = ["--boot-entry", "grub", "smt=0"];
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    install_entry(root.path(), &line).assert().success();
    let late = read(root.path(), "etc/default/grub") + "GRUB_CMDLINE_XEN=\"late\"\n";
    write(root.path(), "etc/default/grub", &late);
    install_entry(root.path(), &line).assert().success();
    let script = ". \"$0\"; printf %s \"$GRUB_CMDLINE_XEN\"";
    let value = std::process::Command::new("sh")
        .args(["-euc", script])
        .arg(root.path().join("etc/default/grub"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(value.stdout).unwrap(), "smt=0");
    assert_eq!(read(root.path(), "etc/default/grub.bak.1"), late);
}

#[test]
fn a_changed_entry_is_kept_as_bak_and_another_s_is_refused() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("etc/default/grub.d")).unwrap();
    let path = "etc/default/grub.d/zz-xen-dom0.cfg";
    let line = |mem| ["--boot-entry", "grub", "--dom0-mem", mem];
    install_entry(root.path(), &line("1G,max:1G"))
        .assert()
        .success();
    let first = read(root.path(), path);
    install_entry(root.path(), &line("2G,max:2G"))
        .assert()
        .success();
    assert_eq!(read(root.path(), &format!("{path}.bak")), first);
    write(root.path(), path, "GRUB_CMDLINE_XEN='by hand'\n");
    install_entry(root.path(), &line("1G,max:1G"))
        .assert()
        .code(6)
        .stderr(contains("not written by xen-params"));
    assert_eq!(read(root.path(), path), "GRUB_CMDLINE_XEN='by hand'\n");
}

#[test]
fn a_link_to_the_settings_is_not_cut() {
    let root = copy("debian");
    write(root.path(), "etc/grub-settings", "GRUB_TIMEOUT=5\n");
    fs::create_dir_all(root.path().join("etc/default")).unwrap();
    let link = root.path().join("etc/default/grub");
    std::os::unix::fs::symlink("../grub-settings", &link).unwrap();
    let line = ["--boot-entry", "grub", "noreboot"];
    install_entry(root.path(), &line)
        .assert()
        .code(6)
        .stderr(contains("a link to ../grub-settings, not written by"));
    assert!(fs::read_link(&link).is_ok());
    assert_eq!(read(root.path(), "etc/grub-settings"), "GRUB_TIMEOUT=5\n");
}

#[test]
fn a_wrong_line_reaches_no_boot_loader() {
    let root = copy("debian");
    for entry in ["grub", "grub-entry", "efi", "limine"] {
        for folder in ["etc/default/grub.d", "boot/grub"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        install_entry(
            root.path(),
            &["--boot-entry", entry, "--dir", "/efi", "iomu=1"],
        )
        .assert()
        .code(6)
        .stderr("xen-params: iomu=1: Xen has no such option (did you mean iommu?)\n");
        assert!(!root.path().join("efi").exists());
        let settings = root.path().join("etc/default/grub.d");
        assert_eq!(fs::read_dir(settings).unwrap().count(), 0);
    }
}

#[test]
fn the_folder_of_xen_efi_has_all_that_is_named_in_it() {
    let root = copy("debian");
    let line = [
        "--boot-entry",
        "efi",
        "--dir",
        "/efi",
        "--dom0-mem",
        "1G,max:1G",
    ];
    install_entry(root.path(), &line)
        .assert()
        .success()
        .stdout("");
    let cfg = read(root.path(), "efi/xen.cfg");
    for named in cfg.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key, "kernel" | "ramdisk").then(|| value.split(' ').next().unwrap())
    }) {
        assert!(root.path().join("efi").join(named).is_file(), "{named}");
    }
    assert!(root.path().join("efi/xen.efi").is_file());
    assert!(cfg.contains("[safe]\n"));
}

#[test]
fn a_dry_run_of_an_entry_prints_commands_that_do_the_same() {
    let line = ["--boot-entry", "limine", "--dir", "/esp", "noreboot"];
    let (done, told) = (copy("debian"), copy("debian"));
    install_entry(done.path(), &line).assert().success();
    let output = install_entry(told.path(), &line)
        .arg("--dry-run")
        .assert()
        .success();
    assert!(!told.path().join("esp").exists());
    let script = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let status = std::process::Command::new("sh")
        .args(["-ec", &script])
        .status();
    assert!(status.unwrap().success());
    for name in ["limine.conf", "dom0/xen", "dom0/xen.efi", "dom0/xen.cfg"] {
        let path = format!("esp/{name}");
        let content = |root: &Path| fs::read(root.join(&path)).unwrap();
        assert_eq!(content(done.path()), content(told.path()), "{path}");
    }
}

#[test]
fn an_entry_names_no_kernel_that_is_not_there() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    let none = root.path().join("boot/none");
    for entry in ["grub-entry", "efi", "limine"] {
        for (flag, variable) in [
            ("--kernel", "XEN_PARAMS_KERNEL"),
            ("--ramdisk", "XEN_PARAMS_RAMDISK"),
        ] {
            let line = ["--boot-entry", entry, "--dir", "/esp"];
            let said =
                |from: &str| format!("xen-params: {from}: {}: no such file\n", none.display());
            install_entry(root.path(), &line)
                .args([flag, "/boot/none"])
                .assert()
                .code(5)
                .stderr(said(flag));
            install_entry(root.path(), &line)
                .env(variable, "/boot/none")
                .assert()
                .code(5)
                .stderr(said(variable));
        }
    }
    assert!(!root.path().join("esp").exists());
}

#[test]
fn what_a_loader_cannot_carry_is_not_installed() {
    let root = copy("debian");
    write(root.path(), "proc/cmdline", "root=LABEL=a#b ro\n");
    let line = ["--boot-entry", "efi", "--dir", "/efi"];
    install_entry(root.path(), &line).assert().code(6).stderr(
        "xen-params: /proc/cmdline: \"root=LABEL=a#b ro\": in xen.cfg # begins a comment, \
             even inside a word (name another line with --linux-cmdline)\n",
    );
    install_entry(root.path(), &line)
        .args(["--linux-cmdline", "ro", "conswitch=#"])
        .assert()
        .code(6)
        .stderr("xen-params: conswitch=#: in xen.cfg # begins a comment, even inside a word\n");
    assert!(!root.path().join("efi").exists());
}

#[test]
fn what_grub_put_before_the_running_line_is_not_put_there_again() {
    let root = copy("debian");
    fs::create_dir_all(root.path().join("boot/grub")).unwrap();
    write(
        root.path(),
        "proc/cmdline",
        "placeholder placeholder root=/dev/sda1 ro\n",
    );
    install_entry(root.path(), &["--boot-entry", "grub-entry", "smt=0"])
        .assert()
        .success();
    let custom = read(root.path(), "boot/grub/custom.cfg");
    assert!(
        custom.contains("vmlinuz-6.1.0-10-amd64 placeholder root=/dev/sda1 ro\n"),
        "{custom}"
    );
    install_entry(
        root.path(),
        &["--boot-entry", "efi", "--dir", "/efi", "smt=0"],
    )
    .assert()
    .success();
    let cfg = read(root.path(), "efi/xen.cfg");
    assert!(
        cfg.contains("kernel=vmlinuz-6.1.0-10-amd64 root=/dev/sda1 ro\n"),
        "{cfg}"
    );
}

#[test]
fn a_bak_of_somebody_s_own_stays_beside_a_boot_entry() {
    let root = copy("debian");
    write(root.path(), "etc/default/grub", "GRUB_TIMEOUT=5\n");
    write(root.path(), "etc/default/grub.bak", "mine\n");
    write(root.path(), "efi/xen.cfg", "by hand\n");
    write(root.path(), "efi/xen.cfg.bak", "older, by hand\n");
    for line in ["smt=0", "smt=1", "noreboot"] {
        install_entry(root.path(), &["--boot-entry", "grub", line])
            .assert()
            .success();
        install_entry(root.path(), &["--boot-entry", "efi", "--dir", "/efi"])
            .args([line, "--force"])
            .assert()
            .success();
    }
    assert_eq!(read(root.path(), "etc/default/grub.bak"), "mine\n");
    assert_eq!(
        read(root.path(), "etc/default/grub.bak.1"),
        "GRUB_TIMEOUT=5\n"
    );
    assert!(read(root.path(), "etc/default/grub.bak.2").contains("GRUB_CMDLINE_XEN='smt=1'"));
    assert_eq!(read(root.path(), "efi/xen.cfg.bak"), "older, by hand\n");
    assert_eq!(read(root.path(), "efi/xen.cfg.bak.1"), "by hand\n");
    assert!(read(root.path(), "efi/xen.cfg.bak.2").contains("options=smt=1\n"));
}

#[test]
fn a_kernel_s_line_that_is_too_long_is_not_installed() {
    let root = copy("debian");
    let long = format!("root=/dev/sda1{}", " a=b".repeat(300));
    write(root.path(), "proc/cmdline", &long);
    install_entry(root.path(), &["--boot-entry", "efi", "--dir", "/efi"])
        .assert()
        .code(6)
        .stderr(
            "xen-params: /proc/cmdline: the line has 1214 bytes; Xen hands 1023 on to Dom0's \
             kernel (name another line with --linux-cmdline)\n",
        );
    assert!(!root.path().join("efi").exists());
}

#[test]
fn an_option_of_xen_on_the_kernel_s_line_is_not_installed() {
    let root = copy("debian");
    let wrong = "root=/dev/sda1 dom0_mem=512M";
    let what = "dom0_mem=512M: an option of Xen: it belongs on the hypervisor's line";
    for entry in ["grub-entry", "efi", "limine"] {
        fs::create_dir_all(root.path().join("boot/grub")).unwrap();
        let line = ["--boot-entry", entry, "--dir", "/esp", "smt=0"];
        install_entry(root.path(), &line)
            .args(["--linux-cmdline", wrong])
            .assert()
            .code(6)
            .stderr(format!("xen-params: --linux-cmdline: {what}\n"));
        install_entry(root.path(), &line)
            .env("XEN_PARAMS_LINUX_CMDLINE", wrong)
            .assert()
            .code(6)
            .stderr(format!("xen-params: XEN_PARAMS_LINUX_CMDLINE: {what}\n"));
        assert!(!root.path().join("esp").exists());
        install_entry(root.path(), &line)
            .args(["--linux-cmdline", wrong, "--force"])
            .assert()
            .success()
            .stderr(format!("xen-params: warning: --linux-cmdline: {what}\n"));
        let _ = fs::remove_dir_all(root.path().join("esp"));
    }
    write(root.path(), "proc/cmdline", wrong);
    install_entry(root.path(), &["--boot-entry", "grub-entry"])
        .assert()
        .code(6)
        .stderr(format!(
            "xen-params: /proc/cmdline: {what} (name another line with --linux-cmdline)\n"
        ));
}
