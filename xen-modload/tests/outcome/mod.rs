//! What a run is to come to.

use crate::machine::Outcome;

/// It said this on stderr and nothing on stdout, and ended with that status.
#[track_caller]
pub fn assert_outcome(outcome: &Outcome, stderr: &str, status: i32) {
    assert_eq!(outcome.stderr, stderr);
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.status, Some(status));
}
