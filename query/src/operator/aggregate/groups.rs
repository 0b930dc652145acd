//! The groups of a block's rows, in the form that is the fastest to add to.

use henge_indexing::BLOCK_ROWS;

/// Where rows share their group with the row before so often, runs are added at once: adding to the same place row by
/// row would wait for each addition before.
const RUN_ROWS_MIN: usize = 4;

/// For each row of a block its group.
#[derive(Debug, Clone, Copy)]
pub(super) enum Groups<'g> {
    /// All rows are of one group.
    One {
        group: u32,
        rows: usize,
    },
    /// For each run of rows its group and where it ends.
    Runs(&'g [(u32, usize)]),
    Each(&'g [u32]),
}

impl Groups<'_> {
    /// The groups of those rows that have the given numbers, ascending, at the front of `out`.
    pub fn pick(&self, numbers: &[u16], out: &mut [u32; BLOCK_ROWS]) {
        let pairs = out.iter_mut().zip(numbers);
        match self {
            Self::One { group, .. } => pairs.for_each(|(slot, _)| *slot = *group),
            Self::Each(groups) => pairs.for_each(|(slot, number)| *slot = groups[usize::from(*number)]),
            Self::Runs(runs) => {
                let mut run = 0;
                pairs.for_each(|(slot, number)| {
                    while runs[run].1 <= usize::from(*number) {
                        run += 1;
                    }
                    *slot = runs[run].0;
                });
            }
        }
    }

    /// Calls `run` with each group and the values of a run of its rows; a row is a run of its own where runs were not
    /// looked for.
    pub fn for_each_run<T>(&self, values: &[T], mut run: impl FnMut(usize, &[T])) {
        match self {
            Self::One { group, .. } => run(*group as usize, values),
            Self::Each(groups) => {
                groups.iter().zip(values.chunks_exact(1)).for_each(|(group, value)| run(*group as usize, value));
            }
            Self::Runs(runs) => {
                let mut start = 0;
                for (group, end) in *runs {
                    run(*group as usize, &values[start..*end]);
                    start = *end;
                }
            }
        }
    }
}

impl Groups<'_> {
    /// The same, until `run` fails.
    pub fn try_for_each_run<T, E>(
        &self,
        values: &[T],
        mut run: impl FnMut(usize, &[T]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        self.for_each_run(values, |group, values| {
            if outcome.is_ok() {
                outcome = run(group, values);
            }
        });
        outcome
    }
}

/// Finds runs.
#[derive(Debug, Default)]
pub(super) struct GroupRuns {
    runs: Vec<(u32, usize)>,
}

impl GroupRuns {
    /// The best form of some rows' groups.
    pub fn form<'g>(&'g mut self, groups: &'g [u32]) -> Groups<'g> {
        let changes: usize = groups.windows(2).map(|pair| usize::from(pair[0] != pair[1])).sum();
        if changes * RUN_ROWS_MIN > groups.len() {
            return Groups::Each(groups);
        }
        self.runs.clear();
        for (row, pair) in groups.windows(2).enumerate() {
            if pair[0] != pair[1] {
                self.runs.push((pair[0], row + 1));
            }
        }
        if let Some(last) = groups.last() {
            self.runs.push((*last, groups.len()));
        }
        match self.runs.as_slice() {
            [(group, rows)] => Groups::One { group: *group, rows: *rows },
            runs => Groups::Runs(runs),
        }
    }
}
