//! From the codes of a row's keys to the number of its group.

use hashbrown::HashTable;
use henge_indexing::BLOCK_ROWS;

use super::cell_hash::hash_of_cell;

/// Cells that a table may number directly, whatever it is asked for.
const CELLS_MAX: u64 = 1 << 22;

/// Numbers the combinations of codes that it is shown.
#[derive(Debug)]
pub(super) enum GroupTable {
    /// Without keys everything is one group.
    One,
    Cells(CellTable),
    Hashed(ChainTable),
}

/// A group for every combination that there could be.
#[derive(Debug)]
pub(super) struct CellTable {
    /// For each key, the codes that it may have, and how far apart groups are whose codes of it are neighbours.
    keys: Vec<(u32, u32)>,
    /// The groups that rows were seen of.
    is_used: Vec<bool>,
}

/// A group for every combination that was seen, in that order.
///
/// As many codes as fit in 64 bits are put together and numbered; where codes are left, the number takes the place of
/// those it stands for.
#[derive(Debug)]
pub(super) struct ChainTable {
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    /// The keys that this link adds.
    keys: Vec<CellKey>,
    table: HashTable<(u64, u32)>,
    cells: Vec<u64>,
}

/// A key's place in a cell of 64 bits.
#[derive(Debug, Clone, Copy)]
struct CellKey {
    key: usize,
    shift: u32,
    bits: u32,
}

/// The number of an earlier link's cell takes the lowest bits.
const NUMBER_BITS: u32 = 32;

impl GroupTable {
    /// `code_ends`: for each key a bound of its codes, if one is known. `cells_max`: so many combinations may be numbered
    /// directly.
    pub fn new(code_ends: &[Option<u32>], cells_max: u64) -> Self {
        if code_ends.is_empty() {
            return Self::One;
        }
        let product = code_ends.iter().try_fold(1_u64, |product, end| product.checked_mul(u64::from((*end)?)));
        match product {
            Some(cells) if cells <= cells_max.min(CELLS_MAX) => Self::Cells(CellTable::new(code_ends, cells as usize)),
            _ => Self::Hashed(ChainTable::new(code_ends)),
        }
    }

    /// Groups are numbered below this.
    pub fn len(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Cells(table) => table.is_used.len(),
            Self::Hashed(table) => table.len(),
        }
    }

    /// The group of some codes, one of each key.
    pub fn group(&mut self, codes: &[u32]) -> u32 {
        match self {
            Self::One => 0,
            Self::Cells(table) => {
                let group = codes.iter().zip(&table.keys).map(|(code, (_, stride))| code * stride).sum::<u32>();
                table.is_used[group as usize] = true;
                group
            }
            Self::Hashed(table) => table.group(|key| codes[key]),
        }
    }

    /// The groups of some rows, at the front of `groups`. `codes`: for each key those of the rows.
    pub fn groups(&mut self, codes: &[&[u32]], groups: &mut [u32; BLOCK_ROWS]) {
        match self {
            Self::One => groups.fill(0),
            Self::Cells(table) => table.groups(codes, groups),
            Self::Hashed(table) => table.groups(codes, groups),
        }
    }

    /// The groups that rows were seen of, ascending.
    pub fn used(&self) -> Vec<u32> {
        match self {
            Self::One => vec![0],
            Self::Cells(table) => {
                let used = table.is_used.iter().enumerate().filter(|(_, is_used)| **is_used);
                used.map(|(group, _)| group as u32).collect()
            }
            Self::Hashed(table) => (0..table.len() as u32).collect(),
        }
    }

    /// The codes of one key of some groups.
    pub fn codes(&self, key: usize, groups: &[u32]) -> Vec<u32> {
        match self {
            Self::One => Vec::new(),
            Self::Cells(table) => {
                let (end, stride) = table.keys[key];
                if stride == 1 && table.keys.len() == 1 {
                    return groups.to_vec();
                }
                groups.iter().map(|group| group / stride % end).collect()
            }
            Self::Hashed(table) => table.codes(key, groups),
        }
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        match self {
            Self::One => 0,
            Self::Cells(table) => table.is_used.capacity(),
            Self::Hashed(table) => table.bytes(),
        }
    }
}

impl CellTable {
    fn new(code_ends: &[Option<u32>], cells: usize) -> Self {
        let mut stride = 1;
        let mut keys = Vec::new();
        for end in code_ends.iter().rev() {
            let end = end.expect("the cells could be counted");
            keys.push((end, stride));
            stride *= end;
        }
        keys.reverse();
        Self { keys, is_used: vec![false; cells] }
    }

    fn groups(&mut self, codes: &[&[u32]], groups: &mut [u32; BLOCK_ROWS]) {
        let rows = codes[0].len();
        let groups = &mut groups[..rows];
        let (_, stride) = self.keys[0];
        groups.iter_mut().zip(codes[0]).for_each(|(group, code)| *group = code * stride);
        for (codes, (_, stride)) in codes.iter().zip(&self.keys).skip(1) {
            groups.iter_mut().zip(*codes).for_each(|(group, code)| *group += code * stride);
        }
        for group in groups {
            self.is_used[*group as usize] = true;
        }
    }
}

impl ChainTable {
    pub fn new(code_ends: &[Option<u32>]) -> Self {
        let mut links: Vec<Link> = vec![Link::default()];
        let mut shift = 0;
        for (key, end) in code_ends.iter().enumerate() {
            let bits = end.map_or(u32::BITS, |end| u32::BITS - end.saturating_sub(1).leading_zeros());
            if shift + bits.max(1) > u64::BITS {
                links.push(Link::default());
                shift = NUMBER_BITS;
            }
            let link = links.last_mut().expect("there is one from the start");
            link.keys.push(CellKey { key, shift, bits });
            shift += bits;
        }
        Self { links }
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.links.iter().map(Link::bytes).sum()
    }

    pub fn len(&self) -> usize {
        self.links.last().expect("a chain has links").cells.len()
    }

    /// The group of the codes that `code_of` gives for each key.
    pub fn group(&mut self, code_of: impl Fn(usize) -> u32) -> u32 {
        let mut number = 0;
        for link in &mut self.links {
            let cell =
                link.keys.iter().fold(u64::from(number), |cell, key| cell | u64::from(code_of(key.key)) << key.shift);
            number = link.number(cell);
        }
        number
    }

    pub fn groups(&mut self, codes: &[&[u32]], groups: &mut [u32; BLOCK_ROWS]) {
        let rows = codes[0].len();
        let groups = &mut groups[..rows];
        groups.fill(0);
        let mut cells = [0_u64; BLOCK_ROWS];
        for link in &mut self.links {
            let cells = &mut cells[..rows];
            cells.iter_mut().zip(&*groups).for_each(|(cell, number)| *cell = u64::from(*number));
            for key in &link.keys {
                cells.iter_mut().zip(codes[key.key]).for_each(|(cell, code)| *cell |= u64::from(*code) << key.shift);
            }
            link.numbers(cells, groups);
        }
    }

    pub fn codes(&self, key: usize, groups: &[u32]) -> Vec<u32> {
        let mut numbers = groups.to_vec();
        for link in self.links.iter().rev() {
            if let Some(place) = link.keys.iter().find(|place| place.key == key) {
                let mask = if place.bits == u32::BITS { u32::MAX } else { (1 << place.bits) - 1 };
                let code = |number: &u32| (link.cells[*number as usize] >> place.shift) as u32 & mask;
                return numbers.iter().map(code).collect();
            }
            numbers.iter_mut().for_each(|number| *number = link.cells[*number as usize] as u32);
        }
        unreachable!("each key is in a link")
    }
}

impl Default for Link {
    fn default() -> Self {
        Self { keys: Vec::new(), table: HashTable::new(), cells: Vec::new() }
    }
}

impl Link {
    /// The number of a cell, a new one if it was never seen.
    fn number(&mut self, cell: u64) -> u32 {
        let next = self.cells.len() as u32;
        let entry = self.table.entry(hash_of_cell(cell), |known| known.0 == cell, |known| hash_of_cell(known.0));
        let (_, number) = *entry.or_insert((cell, next)).get();
        if number == next {
            self.cells.push(cell);
        }
        number
    }

    fn numbers(&mut self, cells: &[u64], numbers: &mut [u32]) {
        let Some(mut last) = cells.first().copied() else { return };
        let mut last_number = self.number(last);
        for (number, cell) in numbers.iter_mut().zip(cells) {
            if *cell != last {
                (last, last_number) = (*cell, self.number(*cell));
            }
            *number = last_number;
        }
    }

    fn bytes(&self) -> usize {
        self.table.capacity() * (size_of::<(u64, u32)>() + 1) + self.cells.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_share_a_group_where_all_their_codes_are_equal(
            keys in prop::collection::vec((1_u32..2_000_000_000, any::<bool>()), 0..6),
            picks in prop::collection::vec(prop::collection::vec(0_u32..4, 6), 1..60),
        ) {
            let ends: Vec<Option<u32>> = keys.iter().map(|(end, is_known)| is_known.then_some(*end)).collect();
            for ends in [ends, keys.iter().map(|_| Some(4)).collect()] {
                // Codes near both ends of what a key may have.
                let code = |key: usize, pick: u32| {
                    let last = ends[key].map_or(u32::MAX, |end| end - 1);
                    if pick < 2 { pick.min(last) } else { last - (pick - 2).min(last) }
                };
                let columns: Vec<Vec<u32>> = (0..ends.len())
                    .map(|key| picks.iter().map(|row| code(key, row[key])).collect())
                    .collect();
                let slices: Vec<&[u32]> = columns.iter().map(Vec::as_slice).collect();
                let mut table = GroupTable::new(&ends, 10_000);
                let mut groups = [0; BLOCK_ROWS];
                table.groups(&slices, &mut groups);
                let mut seen: HashMap<Vec<u32>, u32> = HashMap::new();
                for row in 0..picks.len() {
                    let codes: Vec<u32> = columns.iter().map(|column| column[row]).collect();
                    prop_assert_eq!(table.group(&codes), groups[row]);
                    prop_assert_eq!(*seen.entry(codes).or_insert(groups[row]), groups[row]);
                }
                let mut used: Vec<u32> = seen.values().copied().collect();
                used.sort_unstable();
                prop_assert_eq!(table.used(), used);
                prop_assert!(table.used().iter().all(|group| (*group as usize) < table.len()));
                for (key, column) in columns.iter().enumerate() {
                    prop_assert_eq!(&table.codes(key, &groups[..picks.len()]), column);
                }
            }
        }
    }
}
