//! What the shim wrote down: every change of the store's files, in order.

/// Begins every record; see `shim.c`.
const MARK: u32 = 0x5368_7721;
const HEAD_BYTES: usize = 32;

/// One call that changed a file, or made changes durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
    Sync,
    Unlink,
    Rename(String),
}

/// A change with the name of its file; the empty name is the folder itself.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) change: Change,
    /// The length of the log with this record.
    pub(super) end: u64,
}

/// Reads a log. A process that was killed may have left half a record at its end.
pub(super) fn read(log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(head) = log.get(at..at + HEAD_BYTES) {
        let small = |index: usize| u32::from_ne_bytes(head[index..index + 4].try_into().unwrap());
        let large =
            |index: usize| usize::try_from(u64::from_ne_bytes(head[index..index + 8].try_into().unwrap())).unwrap();
        assert_eq!(small(0), MARK, "the log is damaged at {at}");
        let (name_length, offset, length) = (small(8) as usize, large(16), large(24));
        let data_at = at + HEAD_BYTES + name_length;
        let Some(data) = log.get(data_at..data_at + length) else { break };
        let change = match small(4) {
            1 => Change::Create,
            2 => Change::Write { offset, data: data.to_vec() },
            3 => Change::Truncate(offset),
            4 => Change::Sync,
            5 => Change::Unlink,
            6 => Change::Rename(String::from_utf8(data.to_vec()).unwrap()),
            kind => panic!("unknown kind {kind} at {at}"),
        };
        let name = String::from_utf8(log[at + HEAD_BYTES..data_at].to_vec()).unwrap();
        at = data_at + length;
        records.push(Record { name, change, end: at as u64 });
    }
    records
}
