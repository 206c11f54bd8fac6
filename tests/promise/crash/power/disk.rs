//! A disk with a cache: what was synced is on it; of the rest, a power cut leaves anything, in any order, torn between sectors.
//! Names are files of the folder too: one that was made, renamed or removed is so for certain once the folder was synced.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::StdRng, seq::SliceRandom};

use super::record::{Change, Record};

/// The least that a disk writes whole.
const SECTOR: usize = 512;
/// The size of the pieces in which files are compared.
const PIECE: usize = 4096;

#[derive(Debug, Default)]
struct File {
    /// What is on the disk for certain.
    synced: Vec<u8>,
    /// What every process sees.
    seen: Vec<u8>,
    /// The way from the one to the other.
    waiting: Vec<Change>,
}

/// The names of a folder, each with its file's number.
type Names = BTreeMap<String, usize>;

#[derive(Debug)]
enum Naming {
    Is(String, usize),
    IsNot(String),
}

/// The store's folder on such a disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    synced: Names,
    seen: Names,
    waiting: Vec<Naming>,
}

/// What a power cut leaves.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

impl Disk {
    pub(super) fn apply(&mut self, record: &Record) {
        let Record { name, change, .. } = record;
        if name.is_empty() {
            assert_eq!(*change, Change::Sync, "what else can be done to a folder?");
            self.synced.clone_from(&self.seen);
            self.waiting.clear();
            return;
        }
        match change {
            Change::Create => {
                self.files.push(File::default());
                self.name(Naming::Is(name.clone(), self.files.len() - 1));
            }
            Change::Unlink => self.name(Naming::IsNot(name.clone())),
            Change::Rename(to) => {
                let file = self.seen[name];
                self.name(Naming::IsNot(name.clone()));
                self.name(Naming::Is(to.clone(), file));
            }
            Change::Sync => {
                let file = &mut self.files[self.seen[name]];
                file.synced.clone_from(&file.seen);
                file.waiting.clear();
            }
            Change::Write { .. } | Change::Truncate(_) => {
                let file = &mut self.files[self.seen[name]];
                write(&mut file.seen, change, |_| true);
                file.waiting.push(change.clone());
            }
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.seen);
        self.waiting.push(naming);
    }

    /// What a power cut may leave.
    pub(super) fn cut(&self, random: &mut StdRng) -> Image {
        let mut names = self.synced.clone();
        for naming in &self.waiting {
            if random.random() {
                naming.apply(&mut names);
            }
        }
        names.into_iter().map(|(name, file)| (name, self.files[file].cut(random))).collect()
    }

    /// Takes over what a process did that was killed before it could write it down; it is not synced. Returns whether there was
    /// anything.
    pub(super) fn catch_up(&mut self, actual: &Image) -> bool {
        let gone: Vec<_> = self.seen.keys().filter(|name| !actual.contains_key(*name)).cloned().collect();
        let mut any = !gone.is_empty();
        for name in gone {
            self.name(Naming::IsNot(name));
        }
        for (name, bytes) in actual {
            if !self.seen.contains_key(name) {
                any = true;
                self.apply(&Record { name: name.clone(), change: Change::Create, end: 0 });
            }
            let file = &mut self.files[self.seen[name]];
            let mut missed = Vec::new();
            if file.seen.len() > bytes.len() {
                missed.push(Change::Truncate(bytes.len()));
            }
            for (index, piece) in bytes.chunks(PIECE).enumerate() {
                let offset = index * PIECE;
                if file.seen.get(offset..offset + piece.len()) != Some(piece) {
                    missed.push(Change::Write { offset, data: piece.to_vec() });
                }
            }
            for change in missed {
                any = true;
                write(&mut file.seen, &change, |_| true);
                file.waiting.push(change);
            }
        }
        any
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Is(name, file) => drop(names.insert(name.clone(), *file)),
            Self::IsNot(name) => drop(names.remove(name)),
        }
    }
}

impl File {
    fn cut(&self, random: &mut StdRng) -> Vec<u8> {
        match random.random_range(0..4) {
            0 => return self.synced.clone(),
            1 => return self.seen.clone(),
            _ => {}
        }
        let mut order: Vec<_> = self.waiting.iter().filter(|_| random.random()).collect();
        order.shuffle(random);
        let mut bytes = self.synced.clone();
        for change in order {
            let torn = random.random_ratio(1, 4);
            write(&mut bytes, change, |_| !torn || random.random());
        }
        bytes
    }
}

/// Makes a change, of a write those sectors that are `kept`.
fn write(bytes: &mut Vec<u8>, change: &Change, mut kept: impl FnMut(usize) -> bool) {
    match change {
        Change::Truncate(length) => bytes.resize(*length, 0),
        Change::Write { offset, data } => {
            let mut at = 0;
            while at < data.len() {
                // Sectors lie in the file, not in the write.
                let next = data.len().min(at + SECTOR - (offset + at) % SECTOR);
                if kept(offset + at) {
                    let end = offset + next;
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    bytes[offset + at..end].copy_from_slice(&data[at..next]);
                }
                at = next;
            }
        }
        _ => {}
    }
}

#[test]
fn what_was_synced_stays_and_the_rest_may() {
    use rand::SeedableRng;
    let record = |name: &str, change| Record { name: name.to_owned(), change, end: 0 };
    let block = |byte| Change::Write { offset: 0, data: vec![byte; 2 * SECTOR] };
    let mut disk = Disk::default();
    disk.apply(&record("db", Change::Create));
    disk.apply(&record("db", block(1)));
    disk.apply(&record("db", Change::Sync));
    let mut random = StdRng::seed_from_u64(1);
    let mut cuts = |disk: &Disk| (0..2_000).map(|_| disk.cut(&mut random)).collect::<Vec<_>>();
    let named: Vec<_> = cuts(&disk).iter().map(Image::len).collect();
    assert!(named.contains(&0) && named.contains(&1), "the name is not synced");
    disk.apply(&record("", Change::Sync));
    assert!(cuts(&disk).iter().all(|image| image["db"] == [1; 2 * SECTOR]));
    disk.apply(&record("db", block(2)));
    let left: Vec<_> = cuts(&disk).iter().map(|image| (image["db"][0], image["db"][SECTOR])).collect();
    for possible in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        assert!(left.contains(&possible), "{possible:?}");
    }
    disk.apply(&record("db", Change::Sync));
    assert!(cuts(&disk).iter().all(|image| image["db"] == [2; 2 * SECTOR]));
}
