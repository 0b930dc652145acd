//! The groups of one segment's rows, by the segment's own codes.

use henge_indexing::{BLOCK_ROWS, BlockMask, BlockRows, Column, LongColumn, RowSet};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::segment_reader::SegmentReader;

use super::accumulator::{Accumulator, Needs, Values};
use super::computed::{Computed, ComputedInput};
use super::counted_rows::CountedRows;
use super::edge_rows::EdgeRows;
use super::group_table::GroupTable;
use super::groups::{GroupRuns, Groups};
use super::inputs::{InputBuffers, SegmentInput};
use super::key::{KeyBuffers, SegmentKey};
use super::picks::Picks;
use super::work::OpenedSegment;
use super::{AggregateFunction, Aggregation, InputColumn};
use crate::error::QueryError;

/// So many combinations of codes are numbered directly for every row that is read.
const CELLS_PER_ROW: u64 = 4;
/// So many are in any case.
const CELLS_FREE: u64 = 1 << 14;

/// Aggregates that grow block by block.
pub(super) struct SegmentGroups<'s> {
    opened: &'s OpenedSegment,
    keys: Vec<SegmentKey<'s>>,
    table: GroupTable,
    /// For each aggregate.
    inputs: Vec<Input<'s>>,
    /// `None` where no aggregate takes them.
    times: Option<LongColumn<'s>>,
}

/// Where an aggregate's values come from.
enum Input<'s> {
    Rows,
    Column(Box<SegmentInput<'s>>),
    Computed(ComputedInput<'s>),
}

/// What a thread needs for any segment's blocks.
pub(super) struct Workspace {
    picks: Picks,
    key_buffers: KeyBuffers,
    /// Of all rows of a block.
    times: Box<[i64; BLOCK_ROWS]>,
    input_buffers: InputBuffers,
    /// For each key the codes of a block's rows.
    codes: Vec<Box<[u32; BLOCK_ROWS]>>,
    constants: Vec<Option<u32>>,
    groups: Box<[u32; BLOCK_ROWS]>,
    runs: GroupRuns,
    narrow: NarrowBuffers,
    edges: EdgeRows,
    pub accumulators: Vec<Accumulator>,
}

/// Rows that count for one aggregate, where those are not all.
struct NarrowBuffers {
    numbers: Box<[u16; BLOCK_ROWS]>,
    groups: Box<[u32; BLOCK_ROWS]>,
    runs: GroupRuns,
    picks: Picks,
    computed: Computed,
}

impl Workspace {
    pub fn new(aggregation: &Aggregation) -> Result<Self, QueryError> {
        let accumulators = aggregation.aggregates.iter().map(|aggregate| Accumulator::new(&aggregate.function));
        Ok(Self {
            picks: Picks::new(),
            key_buffers: KeyBuffers::new(),
            times: Box::new([0; BLOCK_ROWS]),
            input_buffers: InputBuffers::new(),
            codes: aggregation.keys.iter().map(|_| Box::new([0; BLOCK_ROWS])).collect(),
            constants: vec![None; aggregation.keys.len()],
            groups: Box::new([0; BLOCK_ROWS]),
            runs: GroupRuns::default(),
            narrow: NarrowBuffers {
                numbers: Box::new([0; BLOCK_ROWS]),
                groups: Box::new([0; BLOCK_ROWS]),
                runs: GroupRuns::default(),
                picks: Picks::new(),
                computed: Computed::new(),
            },
            edges: EdgeRows::new(),
            accumulators: accumulators.collect::<Result<_, _>>()?,
        })
    }

    /// Memory taken for groups.
    pub fn bytes(&self) -> usize {
        self.edges.bytes() + self.accumulators.iter().map(Accumulator::bytes).sum::<usize>()
    }
}

impl<'s> SegmentGroups<'s> {
    /// Starts with no rows; what the workspace's accumulators held is forgotten.
    pub fn new(
        aggregation: &Aggregation,
        opened: &'s OpenedSegment,
        workspace: &mut Workspace,
    ) -> Result<Self, QueryError> {
        let keys = aggregation.keys.iter().map(|key| SegmentKey::new(key, &opened.reader));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let inputs = aggregation.aggregates.iter().zip(&workspace.accumulators);
        let inputs =
            inputs.map(|(aggregate, accumulator)| Input::new(&aggregate.function, accumulator, &opened.reader));
        let inputs = inputs.collect::<Result<Vec<_>, QueryError>>()?;
        let code_ends: Vec<Option<u32>> = keys.iter().map(SegmentKey::code_end).collect();
        let cells_max = (opened.rows.len() * CELLS_PER_ROW).max(CELLS_FREE);
        let table = GroupTable::new(&code_ends, cells_max);
        for ((accumulator, input), passing) in workspace.accumulators.iter_mut().zip(&inputs).zip(&opened.passing) {
            let is_every_row = passing.is_none() && !input.has_nulls();
            // Without keys the one group is there before any row is.
            accumulator.clear(is_every_row && !keys.is_empty());
            accumulator.reach(table.len());
        }
        let narrowed = workspace.accumulators.iter().zip(&opened.passing).filter(|(_, passing)| passing.is_none());
        workspace.edges.clear(narrowed.map(|(accumulator, _)| accumulator));
        let takes_times = workspace.accumulators.iter().any(|accumulator| accumulator.needs().takes_times());
        let times = takes_times.then(|| times_of(&opened.reader)).transpose()?;
        Ok(Self { opened, keys, table, inputs, times })
    }

    /// Adds the rows of a block that pass the query's filter.
    pub fn add(&mut self, block: usize, rows: &BlockRows, workspace: &mut Workspace) -> Result<(), QueryError> {
        let row_count = self.opened.reader.row_count() as usize;
        let block_rows = (row_count - block * BLOCK_ROWS).min(BLOCK_ROWS);
        let Workspace { picks, key_buffers, codes, constants, .. } = workspace;
        for (constant, key) in constants.iter_mut().zip(&mut self.keys) {
            *constant = key.constant(block);
        }
        if constants.iter().all(Option::is_some) {
            let codes: Vec<u32> = constants.iter().flatten().copied().collect();
            let group = self.table.group(&codes);
            return self.add_to_one(block, rows, block_rows, group, workspace);
        }
        picks.set(rows, block_rows);
        for ((key, constant), codes) in self.keys.iter_mut().zip(&*constants).zip(&mut *codes) {
            match constant {
                Some(code) => codes[..picks.len()].fill(*code),
                None => key.codes(block, picks, key_buffers, codes),
            }
        }
        let slices: Vec<&[u32]> = codes.iter().map(|codes| &codes[..picks.len()]).collect();
        self.table.groups(&slices, &mut workspace.groups);
        let Workspace { picks, groups, runs, times, input_buffers, narrow, edges, accumulators, .. } = workspace;
        let times = self.times.as_ref().map_or(&[][..], |column| column.values(block, times));
        let rows = CountedRows { block, times, picks, groups: runs.form(&groups[..picks.len()]) };
        edges.find(rows, self.table.len());
        let inputs = self.inputs.iter_mut().zip(&self.opened.passing);
        for (accumulator, (input, passing)) in accumulators.iter_mut().zip(inputs) {
            accumulator.reach(self.table.len());
            let rows = counted(rows, accumulator, passing.as_ref(), edges);
            input.add(rows, passing.as_ref(), input_buffers, narrow, accumulator)?;
        }
        Ok(())
    }

    /// The same where all rows are of one group.
    fn add_to_one(
        &mut self,
        block: usize,
        rows: &BlockRows,
        block_rows: usize,
        group: u32,
        workspace: &mut Workspace,
    ) -> Result<(), QueryError> {
        let Workspace { picks, times, input_buffers, narrow, edges, accumulators, .. } = workspace;
        let times = self.times.as_ref().map_or(&[][..], |column| column.values(block, times));
        let mut is_picked = false;
        let inputs = self.inputs.iter_mut().zip(&self.opened.passing);
        for (accumulator, (input, passing)) in accumulators.iter_mut().zip(inputs) {
            accumulator.reach(self.table.len());
            let is_whole = *rows == BlockRows::All && passing.is_none();
            if is_whole && input.add_known(block, block_rows, group, accumulator) {
                continue;
            }
            if !is_picked {
                picks.set(rows, block_rows);
            }
            let all = CountedRows { block, times, picks, groups: Groups::One { group, rows: picks.len() } };
            if !is_picked {
                edges.find(all, self.table.len());
                is_picked = true;
            }
            let rows = counted(all, accumulator, passing.as_ref(), edges);
            input.add(rows, passing.as_ref(), input_buffers, narrow, accumulator)?;
        }
        Ok(())
    }

    pub fn table(&self) -> &GroupTable {
        &self.table
    }

    pub fn keys(&self) -> &[SegmentKey<'s>] {
        &self.keys
    }

    /// What the codes of an aggregate's values stand for, where it keeps codes.
    pub fn value_key(&self, place: usize) -> Option<&SegmentKey<'s>> {
        match &self.inputs[place] {
            Input::Column(input) => input.codes(),
            Input::Rows | Input::Computed(_) => None,
        }
    }

    /// Memory taken, without the workspace.
    pub fn bytes(&self) -> usize {
        self.table.bytes() + self.keys.iter().map(SegmentKey::bytes).sum::<usize>()
    }
}

impl<'s> Input<'s> {
    fn new(
        function: &AggregateFunction,
        accumulator: &Accumulator,
        reader: &'s SegmentReader,
    ) -> Result<Self, QueryError> {
        Ok(match function.input() {
            None => Self::Rows,
            Some(InputColumn { formula: Some(formula), .. }) => {
                Self::Computed(ComputedInput::new(formula.clone(), reader))
            }
            Some(input) => Self::Column(Box::new(SegmentInput::new(&input.name, accumulator.needs(), reader)?)),
        })
    }

    /// Some rows may be null.
    fn has_nulls(&self) -> bool {
        match self {
            Self::Rows => false,
            Self::Column(input) => input.has_nulls(),
            Self::Computed(_) => true,
        }
    }

    /// Adds a whole block by what its zone tells; `false` where that is not enough.
    fn add_known(&self, block: usize, block_rows: usize, group: u32, accumulator: &mut Accumulator) -> bool {
        let input = match self {
            Self::Rows => {
                accumulator.add_known(group, block_rows as u32, 0, 0, 0);
                return true;
            }
            Self::Column(input) => input,
            Self::Computed(_) => return false,
        };
        let Some(known) = input.known(block, block_rows, accumulator.needs()) else { return false };
        if known.rows > 0 {
            accumulator.add_known(group, known.rows, known.sum, known.least, known.greatest);
        }
        true
    }

    /// Adds rows of a block that are `passing`, or all of them.
    fn add(
        &mut self,
        rows: CountedRows<'_>,
        passing: Option<&RowSet>,
        buffers: &mut InputBuffers,
        narrow: &mut NarrowBuffers,
        accumulator: &mut Accumulator,
    ) -> Result<(), QueryError> {
        let needs = accumulator.needs();
        let passing = passing.map(|passing| mask_of(passing, rows.block));
        let input = match self {
            Self::Rows => None,
            Self::Column(input) => Some(input.as_mut()),
            Self::Computed(input) => return add_computed(input, rows, passing, narrow, accumulator),
        };
        let validity =
            input.as_deref().filter(|_| !needs.takes_nulls()).and_then(|input| input.validity(rows.block, buffers));
        let mask = match (validity, passing) {
            (None, None) => None,
            (Some(mask), None) | (None, Some(mask)) => Some(mask),
            (Some(validity), Some(passing)) => Some(std::array::from_fn(|word| validity[word] & passing[word])),
        };
        let Some(mask) = mask else {
            return accumulator.add(rows.groups, values_of(input, rows, needs, buffers)?);
        };
        if rows.picks.narrow(&mask, &mut narrow.numbers, &mut narrow.picks) == 0 {
            return Ok(());
        }
        let groups = narrowed(rows.groups, &narrow.picks, &narrow.numbers, &mut narrow.groups, &mut narrow.runs);
        let rows = CountedRows { picks: &narrow.picks, groups, ..rows };
        accumulator.add(groups, values_of(input, rows, needs, buffers)?)
    }
}

/// The only rows of a block that an aggregate has to look at.
fn counted<'r>(
    rows: CountedRows<'r>,
    accumulator: &Accumulator,
    passing: Option<&RowSet>,
    edges: &'r EdgeRows,
) -> CountedRows<'r> {
    accumulator.edge().filter(|_| passing.is_none()).map_or(rows, |edge| edges.of(edge, rows))
}

fn times_of(reader: &SegmentReader) -> Result<LongColumn<'_>, QueryError> {
    match reader.column(TIME_COLUMN).map_err(|error| QueryError::from(&error))? {
        Column::Longs(times) => Ok(times),
        _ => Err(QueryError::internal("a segment has no times")),
    }
}

/// Adds what is computed of those rows of a block that are `passing`, or of all.
fn add_computed(
    input: &ComputedInput<'_>,
    CountedRows { block, picks, groups, .. }: CountedRows<'_>,
    passing: Option<BlockMask>,
    narrow: &mut NarrowBuffers,
    accumulator: &mut Accumulator,
) -> Result<(), QueryError> {
    let NarrowBuffers { numbers, groups: narrow_groups, runs, picks: kept, computed } = narrow;
    let counted = match passing {
        None => picks,
        Some(passing) => {
            picks.narrow(&passing, numbers, kept);
            &*kept
        }
    };
    input.evaluate(block, counted, accumulator.needs(), computed)?;
    if picks.narrow(&computed.valid, numbers, kept) > 0 {
        let groups = narrowed(groups, kept, numbers, narrow_groups, runs);
        accumulator.add(groups, computed.values(accumulator.needs())?)?;
    }
    Ok(())
}

/// The groups of some of the rows.
fn narrowed<'g>(
    groups: Groups<'_>,
    kept: &Picks,
    numbers: &[u16; BLOCK_ROWS],
    buffer: &'g mut [u32; BLOCK_ROWS],
    runs: &'g mut GroupRuns,
) -> Groups<'g> {
    match groups {
        Groups::One { group, .. } => Groups::One { group, rows: kept.len() },
        _ => {
            groups.pick(&numbers[..kept.len()], buffer);
            runs.form(&buffer[..kept.len()])
        }
    }
}

fn values_of<'v>(
    input: Option<&'v mut SegmentInput<'_>>,
    rows: CountedRows<'v>,
    needs: Needs,
    buffers: &'v mut InputBuffers,
) -> Result<Values<'v>, QueryError> {
    match input {
        None => Ok(Values::Rows),
        Some(input) => input.values(rows, needs, buffers),
    }
}

/// A block's rows in a set.
fn mask_of(rows: &RowSet, block: usize) -> BlockMask {
    let block_rows = (rows.row_count() as usize - block * BLOCK_ROWS).min(BLOCK_ROWS);
    rows.blocks_in(block..block + 1).next().map_or([0; BLOCK_ROWS / 64], |(_, rows)| rows.to_mask(block_rows))
}
