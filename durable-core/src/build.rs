//! Which build of the program runs: a parked instance is tried again once per build.
//!
//! A build is told from another by the executable's bytes, because a hot fix changes no layout. The
//! linker has hashed them already on most systems (the GNU build id, a note in the ELF file); reading
//! it costs two small reads, where hashing a debug executable of 60 MB takes a second. Without that
//! note the whole file is hashed.
//!
//! Deliberately absent: the executable's path and times, which change when the same build is copied.

use std::{
    fs::File,
    io::{Read, Result, Seek, SeekFrom},
    path::Path,
};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Identifies the build that runs.
pub(crate) fn id() -> Result<u64> {
    of_file(&std::env::current_exe()?)
}

fn of_file(path: &Path) -> Result<u64> {
    let mut file = File::open(path)?;
    // An odd ELF file is no reason to refuse to start: then its bytes are hashed.
    match gnu_build_id(&mut file) {
        Ok(Some(note)) => Ok(xxh3_64(&note)),
        Ok(None) | Err(_) => hash_all(&mut file),
    }
}

fn hash_all(file: &mut File) -> Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.digest()),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// A segment with notes.
const PT_NOTE: u64 = 4;
/// The note that holds the build id, under the name `GNU`.
const NT_GNU_BUILD_ID: u64 = 3;
/// Longer segments of notes are not read, and shorter build ids not believed.
const LONGEST_NOTES: u64 = 1 << 16;
const SHORTEST_ID: usize = 8;

/// The build id in an ELF file of 64 bits in little-endian order, if the linker wrote one.
fn gnu_build_id(file: &mut File) -> Result<Option<Vec<u8>>> {
    let header = read_at(file, 0, 64)?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    let (segments_at, size, count) = (number(&header, 32, 8), number(&header, 54, 2), number(&header, 56, 2));
    let segments = read_at(file, segments_at, size * count)?;
    for segment in segments.chunks_exact((size as usize).max(56)) {
        let (at, len) = (number(segment, 8, 8), number(segment, 32, 8));
        if number(segment, 0, 4) != PT_NOTE || len > LONGEST_NOTES {
            continue;
        }
        let align = number(segment, 48, 8).clamp(4, 8) as usize;
        if let Some(id) = find_note(&read_at(file, at, len)?, align) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn find_note(mut notes: &[u8], align: usize) -> Option<Vec<u8>> {
    while notes.len() >= 12 {
        let (name_len, id_len) = (number(notes, 0, 4) as usize, number(notes, 4, 4) as usize);
        let id_at = (12 + name_len).next_multiple_of(align);
        let (name, id) = (notes.get(12..12 + name_len)?, notes.get(id_at..id_at + id_len)?);
        if number(notes, 8, 4) == NT_GNU_BUILD_ID && name == b"GNU\0" && id_len >= SHORTEST_ID {
            return Some(id.to_vec());
        }
        notes = notes.get((id_at + id_len).next_multiple_of(align)..)?;
    }
    None
}

fn read_at(file: &mut File, at: u64, len: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number of `len` bytes; its place is inside of `bytes` wherever it is asked for.
fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A note as linkers write it.
    fn note(name: &[u8], kind: u32, desc: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for n in [name.len() as u32, desc.len() as u32, kind] {
            note.extend(n.to_le_bytes());
        }
        for part in [name, desc] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let id = [7; 20];
        let notes =
            [note(b"GNU\0", 1, &[0; 16]), note(b"stapsdt\0", 3, &[9; 10]), note(b"GNU\0", 3, &id)].concat();
        assert_eq!(find_note(&notes, 4), Some(id.to_vec()));
        assert_eq!(find_note(&notes[..notes.len() - 20], 4), None, "cut off in the id");
        assert_eq!(find_note(&note(b"GNU\0", 3, &[]), 4), None, "an empty id tells nothing apart");
        assert_eq!(find_note(&[0xff; 64], 4), None, "nonsense");
    }

    #[test]
    fn executables_are_told_apart_by_their_bytes_and_not_by_their_place() {
        let dir = std::env::temp_dir().join(format!("durable-build-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (this, plain) = (dir.join("copy"), dir.join("plain"));
        std::fs::copy(std::env::current_exe().unwrap(), &this).unwrap();
        assert_eq!(of_file(&this).unwrap(), id().unwrap());
        // No ELF file, or a broken one: every byte counts.
        let broken = b"\x7fELF\x02\x01 and no more";
        let ids = [&b"one"[..], b"two", broken].map(|bytes| {
            std::fs::write(&plain, bytes).unwrap();
            of_file(&plain).unwrap()
        });
        assert!(ids[0] != ids[1] && ids[2] == xxh3_64(broken), "{ids:?}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
