//! The settings that the chain makes use of.

/// What the chain makes use of, and with a star all that begin so.
const USED: [&str; 29] = [
    "QEMU_XEN",
    "XENCONSOLED",
    "XENCONSOLED_ARGS",
    "XENCONSOLED_LOG_DIR",
    "XENCONSOLED_TRACE",
    "XENSTORED",
    "XENSTORED_ARGS",
    "XENSTORED_MAX_OPEN_FDS",
    "XENSTORED_OOM_MEM_THRESHOLD",
    "XENSTORED_PATH",
    "XENSTORED_ROOTDIR",
    "XENSTORED_RUNDIR",
    "XENSTORED_TRACE",
    "XENSTORETYPE",
    "XENSTORE_DOMAIN_ARGS",
    "XENSTORE_DOMAIN_INIT",
    "XENSTORE_DOMAIN_KERNEL",
    "XENSTORE_DOMAIN_SIZE",
    "XENSTORE_MAX_DOMAIN_SIZE",
    "XENWATCHDOGD",
    "XENWATCHDOGD_ARGS",
    "XEN_BRIDGE*",
    "XEN_DOM0_*",
    "XEN_INIT_DOM0",
    "XEN_MODLOAD_*",
    "XEN_MODULES",
    "XEN_MOUNTFS_*",
    "XEN_PARAMS_*",
    "XEN_STOREWAIT_*",
];

/// Whether the chain makes use of that setting, when it is written or when it
/// starts.
pub(crate) fn is_used(name: &str) -> bool {
    USED.iter().any(|used| match used.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *used == name,
    })
}
