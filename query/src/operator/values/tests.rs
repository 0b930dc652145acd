use std::collections::BTreeSet;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use henge_indexing::{LikePattern, Predicate, TextTest};

use super::*;
use crate::error::QueryErrorKind;
use crate::operator::test_rows::{Data, Numbers, context, everything, filters, rows, with_memory};

fn task(data: &Data, filter: RowFilter, column: &str, order: SortOrder, count: Option<usize>) -> ValuesTask {
    let output = Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8View, true)]));
    ValuesTask {
        filter: Some(filter),
        segments: data.segments(),
        column: column.into(),
        order,
        count: count.and_then(NonZeroUsize::new),
        output,
        use_indexes: true,
    }
}

fn texts(batch: &RecordBatch, column: usize) -> Vec<Option<String>> {
    batch.column(column).as_string_view().iter().map(|text| text.map(str::to_owned)).collect()
}

fn run(task: &ValuesTask) -> Vec<Option<String>> {
    let batches = task.run(&context()).unwrap();
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8_192));
    batches.iter().flat_map(|batch| texts(batch, 0)).collect()
}

/// The values of all rows that pass, sorted and cut by the book.
fn expected(data: &Data, task: &ValuesTask) -> Vec<Option<String>> {
    let all = data.filtered(task.filter.as_ref().unwrap());
    let place = all.schema().index_of(&task.column).unwrap();
    let distinct: BTreeSet<Option<String>> = texts(&all, place).into_iter().collect();
    let (nulls, mut values): (Vec<_>, Vec<_>) = distinct.into_iter().partition(Option::is_none);
    if task.order.is_descending {
        values.reverse();
    }
    let mut ordered = if task.order.is_nulls_first { [nulls, values].concat() } else { [values, nulls].concat() };
    ordered.truncate(task.count.map_or(usize::MAX, |count| count.get()));
    ordered
}

fn like(column: &str, pattern: &str) -> RowFilter {
    let test = TextTest::Like(LikePattern::new(pattern, None, false).unwrap());
    RowFilter { predicate: Some(Predicate::Text { column: column.into(), test }), ..everything() }
}

#[tokio::test]
async fn the_values_are_those_of_the_rows_that_pass() {
    let mut numbers = Numbers(11);
    for (published, open) in [(0, 0), (0, 5), (4_000, 0), (0, 4_000), (3_000, 2_000)] {
        let all = rows(published + open, &mut numbers);
        let data = Data::new(&all[..published], &all[published..]).await;
        let null = |column: &str| Predicate::IsNull(column.into());
        let negated = RowFilter {
            predicate: Some(Predicate::Not(Box::new(Predicate::Or(vec![
                null("many"),
                like("many", "%3%").predicate.unwrap(),
            ])))),
            ..everything()
        };
        let only_null = RowFilter { predicate: Some(null("many")), ..everything() };
        let own = [like("many", "text 1%"), like("many", "%7"), like("few", "a%"), negated, only_null];
        for filter in filters().into_iter().chain(own) {
            for column in ["few", "many"] {
                for count in [None, Some(1), Some(3), Some(100), Some(9_000)] {
                    let order =
                        SortOrder { is_descending: numbers.below(2) == 0, is_nulls_first: numbers.below(2) == 0 };
                    let task = task(&data, filter.clone(), column, order, count);
                    assert_eq!(run(&task), expected(&data, &task), "{published} {open} {task:?}");
                    let by_row = ValuesTask { use_indexes: false, ..task };
                    assert_eq!(run(&by_row), expected(&data, &by_row), "{published} {open} {by_row:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_column_that_was_stored_as_numbers_gives_their_texts() {
    let all = rows(3_000, &mut Numbers(12));
    let data = Data::new(&all[..2_000], &all[2_000..]).await;
    for (column, values) in [("flag", vec![None, Some("false"), Some("true")]), ("missing", vec![None])] {
        let task = task(&data, everything(), column, ANY_ORDER, None);
        let values: Vec<Option<String>> = values.into_iter().map(|text| text.map(str::to_owned)).collect();
        assert_eq!(run(&task), values);
    }
    let longs = task(&data, everything(), "long", ANY_ORDER, Some(3));
    assert_eq!(run(&longs), [None, Some("-1".to_owned()), Some("-9223372036854775808".to_owned())]);
}

#[tokio::test]
async fn memory_is_bounded_and_a_cancelled_query_ends() {
    let all = rows(4_000, &mut Numbers(13));
    let data = Data::new(&all[..2_000], &all[2_000..]).await;
    let task = task(&data, everything(), "many", ANY_ORDER, None);
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1_000));
    let error = task.run(&with_memory(pool.clone())).expect_err("500 texts take more");
    assert_eq!((error.kind, pool.reserved()), (QueryErrorKind::ResourceLimit, 0));
    let context = context();
    context.cancelled.cancel();
    assert_eq!(task.run(&context).map_err(|error| error.kind), Err(QueryErrorKind::Cancelled));
    let nothing = ValuesTask { filter: None, ..task };
    assert_eq!(nothing.run(&with_memory(pool)), Ok(Vec::new()));
}
