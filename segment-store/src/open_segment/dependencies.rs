//! Dimensions that follow from others: a cluster has one organisation, one region, one cloud.
//!
//! Nothing is taken for granted. What was learned gives a guess at a string's code, and the string is compared with what
//! the code stands for; a wrong guess costs that comparison, a right one saves hashing the string and finding it.

use henge_indexing::GrowingDictionary;

use crate::event::{DimensionValue, EventRow};

/// Rows that are learned from: enough for values that matter to come twice.
const SAMPLE_ROWS: usize = 4_096;
/// Learned is what in at least one of so many rows would have been guessed...
const ROWS_PER_HIT_MAX: usize = 8;
/// ...and wrongly in at most one of so many of those rows.
const HITS_PER_MISS_MIN: usize = 16;

/// How the strings of events become codes: which dimensions are looked up, and which are guessed from others.
#[derive(Debug)]
pub(super) struct Dependencies {
    /// All dimensions; what others are guessed from comes before them.
    order: Vec<usize>,
    /// By dimension.
    guesses: Vec<Option<Guesses>>,
    /// By event, while a dimension is looked up.
    likely: Vec<u32>,
}

/// The guesses at one dimension's codes.
#[derive(Debug)]
struct Guesses {
    /// The dimension that decides.
    from: usize,
    /// By the deciding dimension's code, which null does not have; 0 is none. The last that was right.
    codes: Vec<u32>,
    wrong: usize,
}

impl Dependencies {
    /// Every dimension is looked up.
    pub fn none(dimensions: usize) -> Self {
        let guesses = (0..dimensions).map(|_| None).collect();
        Self { order: (0..dimensions).collect(), guesses, likely: Vec::new() }
    }

    /// Fills in the codes of some events' strings, event by event; 0 for null and for other kinds of dimensions.
    ///
    /// It goes dimension by dimension: tables are larger than caches, and what many events need of one is fetched at once.
    pub fn codes_of(&mut self, events: &[EventRow], dictionaries: &mut [GrowingDictionary], codes: &mut [u32]) {
        let dimensions = dictionaries.len();
        for &index in &self.order {
            let dictionary = &mut dictionaries[index];
            let rows = events.iter().zip(codes.chunks_exact_mut(dimensions));
            match &mut self.guesses[index] {
                None => {
                    self.likely.clear();
                    let likely = |event| text_of(event, index).map_or(0, |text| dictionary.guess(text));
                    self.likely.extend(events.iter().map(likely));
                    for ((event, codes), likely) in rows.zip(&self.likely) {
                        codes[index] = text_of(event, index).map_or(0, |text| dictionary.intern_guessed(text, *likely));
                    }
                }
                Some(guesses) => {
                    for (event, codes) in rows {
                        codes[index] = match (text_of(event, index), codes[guesses.from]) {
                            (None, _) => 0,
                            (Some(text), 0) => dictionary.intern(text),
                            (Some(text), from) => guesses.code_of(text, from as usize, dictionary),
                        };
                    }
                }
            }
        }
    }

    /// Learns from the codes of some rows, by dimension; `None` for dimensions that are no strings.
    pub fn learn(&mut self, columns: &[Option<&[u32]>]) {
        *self = Self::none(columns.len());
        let sample = |column: &Option<&'_ [u32]>| column.map(|codes| codes[..codes.len().min(SAMPLE_ROWS)].to_vec());
        let columns: Vec<Option<Vec<u32>>> = columns.iter().map(sample).collect();
        for index in 0..columns.len() {
            let Some(codes) = &columns[index] else { continue };
            let from = (0..columns.len()).filter(|&from| !self.follows(from, index));
            let hits = from.filter_map(|from| Some((hits(columns[from].as_ref()?, codes)?, from)));
            if let Some((_, from)) = hits.max_by_key(|&(hits, from)| (hits, std::cmp::Reverse(from))) {
                self.guesses[index] = Some(Guesses { from, codes: Vec::new(), wrong: 0 });
            }
        }
        let mut order = std::mem::take(&mut self.order);
        order.sort_by_key(|&index| self.chain(index).count());
        self.order = order;
    }

    /// Looks up again what was guessed wrongly too often within `rows` rows.
    pub fn forget_wrong(&mut self, rows: usize) {
        for guesses in &mut self.guesses {
            let is_wrong = |guesses: &mut Guesses| std::mem::take(&mut guesses.wrong) * HITS_PER_MISS_MIN > rows;
            guesses.take_if(is_wrong);
        }
    }

    pub fn bytes(&self) -> usize {
        self.guesses.iter().flatten().map(|guesses| guesses.codes.capacity() * size_of::<u32>()).sum()
    }

    /// Whether `index` is, or is guessed from, `ancestor`.
    fn follows(&self, index: usize, ancestor: usize) -> bool {
        self.chain(index).any(|index| index == ancestor)
    }

    /// A dimension, what it is guessed from, what that is guessed from, and so on.
    fn chain(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(index), |&index| self.guesses[index].as_ref().map(|guesses| guesses.from))
    }
}

impl Guesses {
    #[inline]
    fn code_of(&mut self, text: &str, from: usize, dictionary: &mut GrowingDictionary) -> u32 {
        let guess = self.codes.get(from).copied().unwrap_or(0);
        let code = dictionary.intern_guessed(text, guess);
        if code == guess {
            return guess;
        }
        self.wrong += usize::from(guess != 0);
        if from >= self.codes.len() {
            self.codes.resize(from + 1, 0);
        }
        self.codes[from] = code;
        code
    }
}

fn text_of(event: &EventRow, dimension: usize) -> Option<&str> {
    match event.dimension(dimension) {
        DimensionValue::String(text) => Some(text),
        _ => None,
    }
}

/// How many codes would be guessed from others of the same rows; `None` if too few, or too many wrongly.
fn hits(from: &[u32], codes: &[u32]) -> Option<usize> {
    let mut guesses = vec![0; from.iter().max().map_or(0, |&greatest| greatest as usize + 1)];
    let (mut hits, mut misses) = (0, 0);
    for (&from, &code) in from.iter().zip(codes).filter(|(from, code)| **from != 0 && **code != 0) {
        let guess = std::mem::replace(&mut guesses[from as usize], code);
        hits += usize::from(guess == code);
        misses += usize::from(guess != 0 && guess != code);
    }
    (hits * ROWS_PER_HIT_MAX >= codes.len() && misses * HITS_PER_MISS_MIN <= hits).then_some(hits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a cluster, its organisation and region, and a metric; in the first half every cluster has one of each.
    fn event(row: usize) -> EventRow {
        let cluster = row * 7 % 50;
        let organisation = if row < 50_000 { cluster / 5 } else { row % 3 };
        let texts = [
            format!("organisation {organisation}"),
            format!("cluster {cluster}"),
            format!("region {}", cluster % 4),
            format!("m{}", row % 11),
        ];
        let mut event = EventRow::new(5, 0);
        for (index, text) in texts.iter().enumerate().filter(|(index, _)| !(row + index).is_multiple_of(17)) {
            event.set_dimension(index, DimensionValue::String(text));
        }
        event.set_dimension(4, DimensionValue::Long(row as i64));
        event
    }

    /// The codes of rows when every dimension is looked up.
    fn looked_up(rows: std::ops::Range<usize>) -> Vec<[u32; 5]> {
        let mut dictionaries: Vec<GrowingDictionary> = (0..5).map(|_| GrowingDictionary::default()).collect();
        let codes = |row| {
            let event = event(row);
            std::array::from_fn(|index| match event.dimension(index) {
                DimensionValue::String(text) => dictionaries[index].intern(text),
                _ => 0,
            })
        };
        rows.map(codes).collect()
    }

    #[test]
    fn guessed_codes_are_those_of_looking_up_also_where_guesses_are_wrong() {
        let expected = looked_up(0..60_000);
        let mut dictionaries: Vec<GrowingDictionary> = (0..5).map(|_| GrowingDictionary::default()).collect();
        let mut dependencies = Dependencies::none(5);
        let events: Vec<EventRow> = (0..expected.len()).map(event).collect();
        let mut row = 0;
        for (number, events) in events.chunks(250).enumerate() {
            if row == 10_000 {
                let sample = &looked_up(0..row);
                let column = |index: usize| sample.iter().map(|codes| codes[index]).collect::<Vec<u32>>();
                let columns = [column(0), column(1), column(2), column(3)];
                let columns = columns.each_ref().map(|column| Some(column.as_slice()));
                dependencies.learn(&[columns[0], columns[1], columns[2], columns[3], None]);
                let from: Vec<_> =
                    dependencies.guesses.iter().map(|guesses| guesses.as_ref().map(|guesses| guesses.from)).collect();
                assert_eq!(from, [Some(1), None, Some(1), None, None]);
                assert!(dependencies.order.iter().position(|&index| index == 1) < Some(2));
            }
            for events in events.chunks(if number % 3 == 0 { 1 } else { 100 }) {
                let mut codes = vec![9; 5 * events.len()];
                dependencies.codes_of(events, &mut dictionaries, &mut codes);
                assert_eq!(codes, expected[row..row + events.len()].as_flattened(), "row {row}");
                row += events.len();
            }
        }
        dependencies.forget_wrong(50_000);
        let kept: Vec<bool> = dependencies.guesses.iter().map(Option::is_some).collect();
        assert_eq!(kept, [false, false, true, false, false], "organisations no longer follow from clusters");
    }
}
