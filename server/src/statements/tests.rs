use henge_query::reader::Reader;
use henge_segment_store::store::{Store, StoreOptions};
use tempfile::TempDir;

use super::*;

struct Fixture {
    statements: Arc<Statements>,
    _directory: TempDir,
}

impl Fixture {
    async fn new(limits: AsyncLimits) -> Self {
        let directory = TempDir::new().unwrap();
        let store = Store::open(StoreOptions::local(directory.path())).await.unwrap();
        let engine = Arc::new(QueryEngine::new(store, Default::default()));
        let path = directory.path().join("statements");
        Self { statements: Statements::open(path, limits, engine, Arc::default()), _directory: directory }
    }

    async fn run(&self, sql: &str) -> (String, Statement) {
        let id = self.statements.submit(query(sql)).await.unwrap();
        let statement = self.over(&id).await;
        (id, statement)
    }

    async fn over(&self, id: &str) -> Statement {
        loop {
            let statement = self.statements.get(id).unwrap();
            if statement.state.is_over() {
                return statement;
            }
            tokio::task::yield_now().await;
        }
    }

    fn is_kept(&self, id: &str) -> bool {
        let is_known = self.statements.entries().get(id).is_some();
        assert_eq!(is_known, self.statements.directory_of(id).exists(), "files and list agree");
        is_known
    }
}

fn query(sql: &str) -> QueryRequest {
    QueryRequest::new(sql, Reader::Everything, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_results_make_room_for_newer_statements() {
    let fixture = Fixture::new(AsyncLimits { count_max: 2, ..AsyncLimits::default() }).await;
    let (first, _) = fixture.run("SELECT 1").await;
    let (second, _) = fixture.run("SELECT 2").await;
    let (third, _) = fixture.run("SELECT 3").await;
    let kept = [&first, &second, &third].map(|id| fixture.is_kept(id));
    // Two may have come within one millisecond.
    assert!(kept[2] && kept.iter().filter(|kept| **kept).count() == 2, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_beyond_all_room_fails_and_one_that_fits_takes_that_of_others() {
    let sql = "SELECT * FROM (VALUES (1), (2)) AS t(x)";
    let size = Fixture::new(AsyncLimits::default()).await.run(sql).await.1.bytes;
    let limits = |bytes_max| AsyncLimits { bytes_max, ..AsyncLimits::default() };
    let fixture = Fixture::new(limits(1)).await;
    let (id, statement) = fixture.run(sql).await;
    let State::Failed(error) = statement.state else { panic!("{statement:?}") };
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
    assert!(error.message.contains("`limits.async_size`") && !fixture.statements.directory_of(&id).exists());

    let fixture = Fixture::new(limits(size + size / 2)).await;
    let (first, _) = fixture.run(sql).await;
    let (second, _) = fixture.run(sql).await;
    assert_eq!((fixture.is_kept(&first), fixture.is_kept(&second)), (false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_go_when_they_are_old() {
    let fixture = Fixture::new(AsyncLimits::default()).await;
    let (id, statement) = fixture.run("SELECT 1").await;
    let age_max = AsyncLimits::default().age_max.as_millis() as i64;
    fixture.statements.tidy(TimestampMs(statement.created_at.0 + age_max - 1)).await;
    assert!(fixture.is_kept(&id));
    fixture.statements.tidy(TimestampMs(statement.created_at.0 + age_max)).await;
    assert!(!fixture.is_kept(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_result_is_a_result() {
    let fixture = Fixture::new(AsyncLimits::default()).await;
    let (_, statement) = fixture.run("SELECT 1 AS n WHERE 1 = 2").await;
    let State::Success(result) = statement.state else { panic!("{statement:?}") };
    assert_eq!((result.rows(), result.pages.len(), result.sample.get()), (0, 0, "[]"));
    assert_eq!(result.columns[0].name, "n");
}

/// One thread: what is submitted runs only once its submitter waits.
#[tokio::test]
async fn a_statement_that_is_deleted_before_its_query_begins_has_no_result() {
    let fixture = Fixture::new(AsyncLimits::default()).await;
    let id = fixture.statements.submit(query("SELECT 1")).await.unwrap();
    assert_eq!(fixture.statements.delete(&id).await, Some(true));
    let State::Failed(error) = fixture.over(&id).await.state else { panic!("it has a result") };
    assert_eq!(error.kind, QueryErrorKind::Cancelled);
    assert!(!fixture.statements.directory_of(&id).exists());
    assert_eq!(fixture.statements.delete(&id).await, Some(false));
    assert_eq!(fixture.statements.delete(&id).await, None);
}

fn result(pages: &[u64]) -> State {
    let pages = pages.iter().map(|bytes| Page { rows: 1, bytes: *bytes }).collect();
    let sample = RawValue::from_string("[]".to_owned()).unwrap();
    let created_at = TimestampMs(0);
    State::Success(Arc::new(StatementResult {
        created_at,
        duration_ms: 0,
        time_zone: None,
        columns: vec![],
        pages,
        sample,
    }))
}

#[test]
fn a_result_that_comes_after_its_cancellation_is_none() {
    let mut entries = Entries::new([("a".to_owned(), Statement::new(TimestampMs(0), State::Accepted))].into_iter());
    entries.get("a").unwrap().cancelled.cancel();
    assert!(!entries.enter("a", result(&[5])));
    assert!(matches!(entries.get("a").unwrap().state, State::Accepted));
}

#[test]
fn room_is_there_once_files_are_gone() {
    let known = [("old", 1, result(&[5])), ("older", 0, result(&[5])), ("running", -1, State::Accepted)];
    let known = known.map(|(id, at, state)| (id.to_owned(), Statement::new(TimestampMs(at), state)));
    let mut entries = Entries::new(known.into_iter());
    entries.reserve("running", 3);
    let leaving = entries.take_oldest(usize::MAX, 8);
    assert_eq!(leaving.iter().map(|leaving| leaving.id.as_str()).collect::<Vec<_>>(), ["older"]);
    assert_eq!((entries.count(), entries.bytes()), (2, 13));
    entries.left(&leaving);
    assert_eq!(entries.bytes(), 8);
    let leaving = entries.take_oldest(0, 0);
    assert_eq!((leaving.len(), entries.count()), (1, 1), "what runs stays");
}
