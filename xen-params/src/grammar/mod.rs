//! What Xen takes for a value. Each reader gives what the value means, or what
//! is wrong with it in words.

mod expected;
mod kind;
mod memory;
mod size;
mod value;
mod vcpus;

pub use memory::{Amount, Bound, Memory};
pub use size::{Integer, Size, parse_boolean, parse_integer, parse_size};
pub use value::{Fits, check, describe};
pub use vcpus::Vcpus;
