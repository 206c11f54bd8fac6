//! Looks for texts in the store's files themselves: what a table does not show may still be in a free page.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use super::files::beside;
use crate::store::{StoreError, sql::erase::Remain};

/// The most bytes that are searched together.
const BLOCK: usize = 1 << 20;

/// Finds texts in the database and its log, by file.
pub(super) fn search(database: &Path, needles: &[Vec<u8>]) -> Result<Vec<Remain>, StoreError> {
    let mut found = Vec::new();
    for ending in ["", "-wal"] {
        let path = beside(database, ending);
        let Ok(file) = File::open(&path) else { continue };
        let count = count(file, needles)
            .map_err(|error| StoreError::Failed(format!("`{}` can't be read: {error}", path.display())))?;
        if count > 0 {
            found.push(Remain { place: path.display().to_string(), count });
        }
    }
    Ok(found)
}

fn count(mut file: File, needles: &[Vec<u8>]) -> std::io::Result<u64> {
    let longest = needles.iter().map(Vec::len).max().unwrap_or_default().max(1);
    let (mut count, mut start) = (0, 0_u64);
    let mut block = vec![0; BLOCK + longest - 1];
    loop {
        file.seek(SeekFrom::Start(start))?;
        let mut filled = 0;
        while filled < block.len() {
            match file.read(&mut block[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        // What begins in the last bytes belongs to the next block.
        for begin in 0..filled.min(BLOCK) {
            let rest = &block[begin..filled];
            count +=
                needles.iter().map(|needle| u64::from(!needle.is_empty() && rest.starts_with(needle))).sum::<u64>();
        }
        if filled < block.len() {
            return Ok(count);
        }
        start += BLOCK as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_blocks_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        for at in [0, 5, BLOCK - 7, BLOCK - 1, BLOCK, 2 * BLOCK - 3] {
            let mut bytes = vec![b'x'; 2 * BLOCK + 20];
            bytes[at..at + 8].copy_from_slice(b"a-canary");
            std::fs::write(&path, &bytes).unwrap();
            let found = search(&path, &[b"a-canary".to_vec(), b"other".to_vec()]).unwrap();
            assert_eq!(found.len(), 1, "{at}");
            assert_eq!(found[0].count, 1, "{at}");
        }
        assert!(search(&path, &[b"nothing".to_vec()]).unwrap().is_empty());
    }
}
