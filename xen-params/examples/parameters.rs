//! Holds the table of options against the parameters inside a hypervisor's file:
//!
//!     parameters FILE VERSION
//!
//! Xen keeps its parameters in one array (`struct kernel_param`, x86): where the
//! name is, how the value is read, how much room there is, where it goes. Each
//! must be in the table for that release, read in the same way, with the same
//! number of bytes kept. Rows that the build left out are only told.

use std::error::Error;
use std::io::{self, Write as _};
use std::{env, fs};

use xen_params::{Arch, Entry, Parser, Version, table};

/// Where Xen's own code and data are mapped.
const BEGIN: u64 = 0xffff_82d0_4000_0000;
const END: u64 = BEGIN + (64 << 20);

/// The bytes of one parameter.
const SIZE: usize = 24;

/// A part of the file, and where it is put.
struct Segment {
    offset: u64,
    address: u64,
    length: u64,
}

struct Image {
    content: Vec<u8>,
    segments: Vec<Segment>,
}

struct Parameter {
    name: String,
    parser: Parser,
    room: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(file), Some(xen)) = (arguments.next(), arguments.next()) else {
        return Err("parameters: which file, and which version?".into());
    };
    let xen: Version = xen.parse()?;
    let parameters = Image::read(&file)?.parameters();
    if parameters.len() < 100 {
        return Err(format!("{file}: no parameters of Xen in it").into());
    }
    let wrong: Vec<String> = parameters
        .iter()
        .filter_map(|parameter| complaint(parameter, xen))
        .collect();
    let mut out = io::stdout().lock();
    let left_out: Vec<&str> = rows(xen)
        .map(|row| row.name)
        .filter(|name| parameters.iter().all(|parameter| parameter.name != *name))
        .collect();
    writeln!(out, "left out by this build: {}", left_out.join(" "))?;
    for what in &wrong {
        writeln!(out, "{what}")?;
    }
    if !wrong.is_empty() {
        return Err(format!("parameters: the table differs from Xen {xen}").into());
    }
    let count = parameters.len();
    writeln!(
        out,
        "{count} parameters of Xen {xen}, all in the table as they are read"
    )?;
    Ok(())
}

fn rows(xen: Version) -> impl Iterator<Item = &'static Entry> {
    let holds = move |row: &&Entry| row.on(Arch::X86_64) && row.at(Some(xen));
    table().iter().filter(holds)
}

fn complaint(parameter: &Parameter, xen: Version) -> Option<String> {
    let name = &parameter.name;
    let same: Vec<&Entry> = rows(xen).filter(|row| row.name == name).collect();
    if same.is_empty() {
        return Some(format!("{name}: not in the table"));
    }
    let Some(row) = same.iter().find(|row| row.parser == parameter.parser) else {
        let read = parameter.parser.name();
        return Some(format!("{name}: read as {read}, not as the table has it"));
    };
    let kept = row.syntax.strip_prefix('~')?;
    let kept = kept.split(|c: char| !c.is_ascii_digit()).next()?;
    let room = parameter.room.checked_sub(1)?;
    (kept != room.to_string()).then(|| format!("{name}: {room} bytes are kept, not {kept}"))
}

impl Image {
    /// A 32-bit ELF file, which a boot loader loads below 4 GiB.
    fn read(file: &str) -> Result<Self, Box<dyn Error>> {
        let mut image = Self {
            content: fs::read(file).map_err(|error| format!("{file}: {error}"))?,
            segments: vec![],
        };
        let unfit = || format!("{file}: no unpacked hypervisor");
        if !image.content.starts_with(b"\x7fELF\x01") {
            return Err(unfit().into());
        }
        let begin = image.number(28, 4).ok_or_else(unfit)?;
        let size = image.number(42, 2).ok_or_else(unfit)?;
        for at in 0..image.number(44, 2).ok_or_else(unfit)? {
            let field = |place| image.number(begin + at * size + place, 4);
            if let (Some(1), Some(offset), Some(address), Some(length)) =
                (field(0), field(4), field(12), field(16))
            {
                image.segments.push(Segment {
                    offset,
                    address,
                    length,
                });
            }
        }
        Ok(image)
    }

    /// A little-endian number of so many bytes.
    fn number(&self, at: u64, bytes: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.content.get(at..at.checked_add(bytes)?)?;
        let number = bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        Some(number)
    }

    /// What an option could be called.
    fn name(&self, address: u64) -> Option<String> {
        let place = address.checked_sub(BEGIN)?;
        let segment = self.segments.iter().find(|segment| {
            let begin = segment.address;
            (begin..begin + segment.length).contains(&place)
        })?;
        let at = usize::try_from(segment.offset + place - segment.address).ok()?;
        let name: Vec<u8> = self.content.get(at..)?.iter().copied().take(41).collect();
        let name = name.split(|byte| *byte == 0).next()?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.([".contains(byte);
        ((2..=40).contains(&name.len()) && name.iter().all(is_part))
            .then(|| String::from_utf8_lossy(name).into_owned())
    }

    fn parameter(&self, at: u64) -> Option<Parameter> {
        let place = self.number(at + 16, 8)?;
        let name = self.name(self.number(at, 8)?)?;
        let parser = match self.number(at + 8, 4)? {
            0 => Parser::Text,
            1 => Parser::Integer,
            2 => Parser::Boolean,
            3 => Parser::Size,
            4 => Parser::Custom,
            5 => Parser::Ignored,
            _ => return None,
        };
        let room = u32::try_from(self.number(at + 12, 4)?).ok()?;
        let is_there = place == 0 || (BEGIN..END).contains(&place);
        is_there.then_some(Parameter { name, parser, room })
    }

    /// The longest array of what could be parameters.
    fn parameters(&self) -> Vec<Parameter> {
        let mut longest = vec![];
        let mut at = 0;
        while at + SIZE <= self.content.len() {
            let begin = at;
            let mut run = vec![];
            // Fits: no file is that large.
            while let Some(parameter) = self.parameter(at as u64) {
                run.push(parameter);
                at += SIZE;
            }
            if run.len() > longest.len() {
                longest = run;
            }
            at = at.max(begin + 8);
        }
        longest
    }
}
