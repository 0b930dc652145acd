use std::sync::Arc;

use datafusion::arrow::array::{AsArray, UInt32Array};
use datafusion::arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};

use super::*;
use crate::error::QueryErrorKind;
use crate::operator::test_rows::{Data, Numbers, context, everything, filters, rows, schema, with_memory};

fn task(data: &Data, filter: RowFilter, order: Vec<SortKey>, count: usize) -> TopRowsTask {
    TopRowsTask {
        filter: Some(filter),
        segments: data.segments(),
        order,
        count: NonZeroUsize::new(count).unwrap(),
        output: schema().arrow(),
        use_indexes: true,
    }
}

fn run(task: &TopRowsTask) -> RecordBatch {
    let batches = task.run(&context()).unwrap();
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8_192));
    concat_batches(&task.output, &batches).unwrap()
}

fn sorted(rows: &RecordBatch, order: &[SortKey], count: usize) -> RecordBatch {
    let columns = order.iter().map(|key| SortColumn {
        values: rows.column(key.column).clone(),
        options: Some(SortOptions { descending: key.order.is_descending, nulls_first: key.order.is_nulls_first }),
    });
    let indices = lexsort_to_indices(&columns.collect::<Vec<_>>(), Some(count)).unwrap();
    take_record_batch(rows, &indices).unwrap()
}

fn seqs(rows: &RecordBatch) -> Vec<i64> {
    let place = rows.schema().index_of("seq").unwrap();
    rows.column(place).as_primitive::<Int64Type>().values().to_vec()
}

/// The rows have the keys of the first ones of all, and are rows of the datasource, each once.
fn check(task: &TopRowsTask, all: &RecordBatch) {
    let (found, expected) = (run(task), sorted(all, &task.order, task.count.get()));
    let keys: Vec<usize> = task.order.iter().map(|key| key.column).collect();
    let case = format!("{:?} of {}", task.order, task.count);
    assert_eq!(found.project(&keys).unwrap(), expected.project(&keys).unwrap(), "{case}");
    let by_seq = [SortKey { column: all.schema().index_of("seq").unwrap(), order: ASCENDING }];
    let found = sorted(&found, &by_seq, usize::MAX);
    let wanted = seqs(&found);
    assert!(wanted.is_sorted_by(|left, right| left < right), "{case}: a row twice");
    let all = sorted(all, &by_seq, usize::MAX);
    let known = seqs(&all);
    let places = wanted.iter().map(|seq| known.binary_search(seq).expect("a row that passes") as u32);
    let same = take_record_batch(&all, &UInt32Array::from_iter_values(places)).unwrap();
    assert_eq!(found, same, "{case}");
}

const ASCENDING: SortOrder = SortOrder { is_descending: false, is_nulls_first: true };
const DESCENDING: SortOrder = SortOrder { is_descending: true, is_nulls_first: false };

/// `__time` is in front of the dimensions.
fn place(name: &str) -> usize {
    schema().arrow().index_of(name).unwrap()
}

fn by(name: &str, order: SortOrder) -> SortKey {
    SortKey { column: place(name), order }
}

#[tokio::test]
async fn the_first_rows_are_those_of_a_full_sort() {
    let mut numbers = Numbers(5);
    for (published, open) in [(0, 0), (0, 3), (9_000, 0), (0, 9_000), (5_000, 3_000), (1_025, 1)] {
        let all = rows(published + open, &mut numbers);
        let data = Data::new(&all[..published], &all[published..]).await;
        for filter in filters() {
            let all = data.filtered(&filter);
            for _ in 0..12 {
                let order = (0..1 + numbers.below(3)).map(|_| SortKey {
                    column: numbers.below(schema().arrow().fields().len()),
                    order: SortOrder { is_descending: numbers.below(2) == 0, is_nulls_first: numbers.below(2) == 0 },
                });
                let order = order.collect();
                let count = [1, 2, 10, 100, 1_000, 3_000, 50_000][numbers.below(7)];
                check(&task(&data, filter.clone(), order, count), &all);
            }
        }
    }
}

#[tokio::test]
async fn only_the_segments_that_may_hold_such_rows_are_read() {
    let all = rows(8_000, &mut Numbers(6));
    let data = Data::new(&all[..6_000], &all[6_000..]).await;
    assert_eq!(data.segments().len(), 4);
    for (order, filter) in [(DESCENDING, everything()), (ASCENDING, everything()), (DESCENDING, filters()[1].clone())] {
        let task = task(&data, filter, vec![by("__time", order), by("seq", ASCENDING)], 100);
        let context = OperatorContext { threads: NonZeroUsize::MIN, ..context() };
        task.run(&context).unwrap();
        assert_eq!(context.metrics.segments.get(), 1, "{order:?}");
    }
}

#[tokio::test]
async fn columns_that_are_not_asked_for_are_not_in_the_answer() {
    let all = rows(3_000, &mut Numbers(7));
    let data = Data::new(&all[..2_000], &all[2_000..]).await;
    let output = Arc::new(schema().arrow().project(&[place("many"), place("seq")]).unwrap());
    let task = TopRowsTask {
        output: output.clone(),
        order: vec![SortKey { column: 1, order: DESCENDING }],
        ..task(&data, everything(), Vec::new(), 3)
    };
    let found = run(&task);
    assert_eq!((found.schema(), seqs(&found)), (output, vec![2_999, 2_998, 2_997]));
    let nothing = TopRowsTask { filter: None, ..task };
    assert_eq!(nothing.run(&context()), Ok(Vec::new()));
}

#[tokio::test]
async fn memory_is_bounded_and_a_cancelled_query_ends() {
    let all = rows(8_000, &mut Numbers(8));
    let data = Data::new(&all[..4_000], &all[4_000..]).await;
    let task = task(&data, everything(), vec![by("many", ASCENDING)], 5_000);
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
    let error = task.run(&with_memory(pool.clone())).expect_err("5,000 keys take more");
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
    assert_eq!(pool.reserved(), 0);
    let context = context();
    context.cancelled.cancel();
    assert_eq!(task.run(&context).map_err(|error| error.kind), Err(QueryErrorKind::Cancelled));
}
