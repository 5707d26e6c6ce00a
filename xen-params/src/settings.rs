//! The settings that more than one form of the program has.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use crate::Error;

/// The machine and the hypervisor that the line is for.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// Check against this version of Xen, or all [default: the running one,
    /// else that of --xen-file, else all]
    #[arg(
        long,
        value_name = "VERSION",
        env = "XEN_PARAMS_XEN",
        hide_env_values = true
    )]
    pub xen: Option<String>,

    /// Check for this machine, x86_64 or aarch64 [default: this one]
    #[arg(
        long,
        value_name = "MACHINE",
        env = "XEN_PARAMS_ARCH",
        hide_env_values = true
    )]
    pub arch: Option<String>,

    /// The hypervisor's file [default for install: the newest /boot/xen-*.gz]
    #[arg(
        long,
        value_name = "FILE",
        env = "XEN_PARAMS_XEN_FILE",
        hide_env_values = true
    )]
    pub xen_file: Option<PathBuf>,

    /// Read and write files below DIR
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,
}

/// How a report is printed, and for whom it holds.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArgs {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

    /// The machine and the hypervisor.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// What the line is made of.
#[derive(Debug, Clone, clap::Args)]
pub struct LineArgs {
    /// Options of Xen, such as iommu=verbose; several may stand in one word
    #[arg(value_name = "PARAM")]
    pub params: Vec<String>,

    /// Memory of Dom0: a number of MiB, 0 for all, or what dom0_mem= takes
    #[arg(
        long,
        value_name = "SIZE",
        env = "XEN_DOM0_MEM",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub dom0_mem: Option<String>,

    /// The most memory that Dom0 may ever have: a number of MiB, or a size
    #[arg(
        long,
        value_name = "SIZE",
        env = "XEN_DOM0_MEM_MAX",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub dom0_mem_max: Option<String>,

    /// Virtual processors of Dom0: N, at least N-, at most -M, or N-M
    #[arg(
        long,
        value_name = "COUNT",
        env = "XEN_DOM0_MAX_VCPUS",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub dom0_max_vcpus: Option<String>,

    /// Messages also on a serial port: com1 or com2, its speed and more of what
    /// com1= takes, such as com1,115200 (on Arm: dtuart)
    #[arg(
        long,
        value_name = "PORT[,SPEED]",
        env = "XEN_PARAMS_SERIAL",
        hide_env_values = true
    )]
    pub serial: Option<String>,

    /// Log everything: loglvl=all guest_loglvl=all
    #[arg(
        long,
        env = "XEN_TRACE",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub trace: bool,

    /// More options before the PARAMs, quoted as a shell does
    #[arg(
        long,
        value_name = "PARAMS",
        env = "XEN_BOOT_PARAMS",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub boot_params: Option<String>,

    /// Put the line on top of this one: what is named anew replaces what
    /// stands there, but a max: or min: alone leaves the other amounts of
    /// dom0_mem; or a file that has a line, as diff takes them; - for standard
    /// input, such as the output of xl info
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub from: Option<String>,

    /// Print a second line too, to fall back on, or install it as
    /// DIR/xen-params.safe: it only keeps what shows messages, logs everything,
    /// and stops after a crash. Boot entries always have it, but not those of
    /// grub-mkconfig: --boot-entry grub adds what grub-entry writes for it
    #[arg(
        long,
        env = "XEN_PARAMS_SAFE",
        hide_env_values = true,
        value_parser = BoolishValueParser::new()
    )]
    pub safe: bool,

    /// Take options and values that Xen does not know; with install also
    /// replace files that xen-params did not write, keeping a .bak
    #[arg(long)]
    pub force: bool,

    /// The machine and the hypervisor.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// The files that a boot loader starts beside the hypervisor.
#[derive(Debug, Clone, clap::Args)]
pub struct BootArgs {
    /// The Dom0 kernel [default: the newest with CONFIG_XEN_DOM0=y in /boot or
    /// beside its modules]
    #[arg(
        long,
        value_name = "FILE",
        env = "XEN_PARAMS_KERNEL",
        hide_env_values = true
    )]
    pub kernel: Option<PathBuf>,

    /// Pass over the kernel of that release: it is about to be removed
    #[arg(
        long,
        value_name = "RELEASE",
        env = "XEN_PARAMS_WITHOUT_KERNEL",
        hide_env_values = true
    )]
    pub without_kernel: Option<String>,

    /// Its initial ramdisk, or none [default: the one that belongs to the kernel]
    #[arg(
        long,
        value_name = "FILE",
        env = "XEN_PARAMS_RAMDISK",
        hide_env_values = true
    )]
    pub ramdisk: Option<PathBuf>,

    /// Its command line [default: that of /proc/cmdline]
    #[arg(
        long,
        value_name = "LINE",
        env = "XEN_PARAMS_LINUX_CMDLINE",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub linux_cmdline: Option<String>,
}

impl BootArgs {
    /// A kernel's line that no setting gave is the running one's.
    pub(crate) fn blamed(&self, error: Error) -> Error {
        match error {
            Error::Setting { flag, what, .. }
                if flag == "--linux-cmdline" && self.linux_cmdline.is_none() =>
            {
                Error::Configured(format!(
                    "/proc/cmdline: {what} (name another line with --linux-cmdline)"
                ))
            }
            other => other,
        }
    }
}
