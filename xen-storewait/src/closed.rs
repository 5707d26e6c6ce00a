//! Whether anybody can read the answer.

use std::io::{self, stderr, stdin, stdout};
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{fstat, makedev};

use crate::Error;

/// Fails where standard output was closed when the program began. Then the
/// runtime has put `/dev/null` there, open for reading too, as a shell's `>`
/// never does. Who does that on purpose mostly does it in more than one place.
pub(crate) fn refuse_closed_output() -> Result<(), Error> {
    if is_null(stdout().as_fd()) && !is_null(stdin().as_fd()) && !is_null(stderr().as_fd()) {
        let closed = io::Error::other("it is closed");
        return Err(Error::system("write to standard output", closed));
    }
    Ok(())
}

fn is_null(descriptor: BorrowedFd<'_>) -> bool {
    let is_for_both = fcntl(descriptor, FcntlArg::F_GETFL)
        .is_ok_and(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_RDWR));
    is_for_both && fstat(descriptor).is_ok_and(|status| status.st_rdev == makedev(1, 3))
}
