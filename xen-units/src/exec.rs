//! A shell in this program's place: what it was asked for is done but for what
//! others do.

use std::ffi::CString;

use crate::Error;

/// Runs the script. It comes back only where there is no shell.
///
/// # Errors
/// [`Error::System`].
pub fn shell(script: &str, arguments: &[&str]) -> Result<(), Error> {
    let failed = |error: nix::errno::Errno| Error::system("run /bin/sh", error);
    let words = [&["/bin/sh", "-euc", script, "sh"], arguments].concat();
    let text = |word: &&str| CString::new(*word).map_err(|_| failed(nix::errno::Errno::EINVAL));
    let words = words.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    nix::unistd::execv(&words[0], &words).map_err(failed)?;
    Ok(())
}
