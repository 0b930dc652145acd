use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::ipc::reader::StreamReader;
use futures::stream;
use jiff::tz::TimeZone;

use super::*;
use crate::wire::cell::ArrayStyle;
use crate::wire::time_text::TimeText;
use crate::wire::{Header, ResultFormat};

fn column(name: &str, druid_type: &str, sql_type: &str) -> ResultColumn {
    ResultColumn { name: name.into(), druid_type: druid_type.into(), sql_type: sql_type.into() }
}

fn columns() -> Vec<ResultColumn> {
    vec![column("__time", "LONG", "TIMESTAMP"), column("org", "STRING", "VARCHAR"), column("EXPR$2", "LONG", "BIGINT")]
}

fn batch(rows: &[(i64, Option<&str>, Option<i64>)]) -> RecordBatch {
    let times: TimestampMillisecondArray = rows.iter().map(|row| Some(row.0)).collect();
    let orgs: StringArray = rows.iter().map(|row| row.1).collect();
    let sums: Int64Array = rows.iter().map(|row| row.2).collect();
    let arrays: [(&str, ArrayRef); 3] =
        [("__time", Arc::new(times)), ("org", Arc::new(orgs)), ("EXPR$2", Arc::new(sums))];
    RecordBatch::try_from_iter(arrays).unwrap()
}

fn failure() -> QueryError {
    QueryError { kind: QueryErrorKind::Internal, message: "the disk is gone".into() }
}

fn answer(columns: Vec<ResultColumn>, batches: Vec<Result<RecordBatch, QueryError>>) -> QueryAnswer {
    QueryAnswer {
        columns,
        batches: Box::pin(stream::iter(batches)),
        result_cache: ResultCacheCounts::default(),
        is_approximate: false,
        made_of: Vec::new(),
    }
}

fn layout(format: ResultFormat, header: Header) -> Layout {
    Layout { format, header, time: TimeText::utc(), arrays: ArrayStyle::Stringified }
}

async fn pieces(answer: QueryAnswer, layout: Layout) -> Vec<Result<Bytes, QueryError>> {
    started(answer).await.unwrap().into_bytes(layout).unwrap().collect().await
}

async fn text(answer: QueryAnswer, layout: Layout) -> String {
    let pieces = pieces(answer, layout).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    String::from_utf8(pieces.concat()).unwrap()
}

const NO_HEADER: Header = Header { names: false, druid_types: false, sql_types: false };
const NAMES: Header = Header { names: true, druid_types: false, sql_types: false };
const DRUID_TYPES: Header = Header { names: true, druid_types: true, sql_types: false };
const SQL_TYPES: Header = Header { names: true, druid_types: false, sql_types: true };
const ALL: Header = Header { names: true, druid_types: true, sql_types: true };

#[tokio::test]
async fn every_format_with_every_header_is_written_byte_for_byte() {
    use ResultFormat::{Array, ArrayLines, Csv, Object, ObjectLines};
    let object_rows = concat!(
        r#"{"__time":"1970-01-01T00:00:00.000Z","org":"a,b","EXPR$2":1}"#,
        r#",{"__time":"1970-01-01T00:00:00.001Z","org":null,"EXPR$2":null}"#,
        "]\n"
    );
    let array_rows =
        concat!(r#"["1970-01-01T00:00:00.000Z","a,b",1]"#, r#",["1970-01-01T00:00:00.001Z",null,null]"#, "]\n");
    let names = r#"["__time","org","EXPR$2"]"#;
    let types = r#"["LONG","STRING","LONG"]"#;
    let sql_types = r#"["TIMESTAMP","VARCHAR","BIGINT"]"#;
    let object_lines = concat!(
        r#"{"__time":"1970-01-01T00:00:00.000Z","org":"a,b","EXPR$2":1}"#,
        "\n",
        r#"{"__time":"1970-01-01T00:00:00.001Z","org":null,"EXPR$2":null}"#,
        "\n\n"
    );
    let array_lines =
        concat!(r#"["1970-01-01T00:00:00.000Z","a,b",1]"#, "\n", r#"["1970-01-01T00:00:00.001Z",null,null]"#, "\n\n");
    let csv_rows = "1970-01-01T00:00:00.000Z,\"a,b\",1\n1970-01-01T00:00:00.001Z,,\n\n";
    let null_header = r#"{"__time":null,"org":null,"EXPR$2":null}"#;
    let full_header = concat!(
        r#"{"__time":{"type":"LONG","sqlType":"TIMESTAMP"},"org":{"type":"STRING","sqlType":"VARCHAR"},"#,
        r#""EXPR$2":{"type":"LONG","sqlType":"BIGINT"}}"#
    );
    let type_header = r#"{"__time":{"type":"LONG"},"org":{"type":"STRING"},"EXPR$2":{"type":"LONG"}}"#;
    let sql_header = r#"{"__time":{"sqlType":"TIMESTAMP"},"org":{"sqlType":"VARCHAR"},"EXPR$2":{"sqlType":"BIGINT"}}"#;
    let cases = [
        (Object, NO_HEADER, format!("[{object_rows}")),
        (Object, NAMES, format!("[{null_header},{object_rows}")),
        (Object, DRUID_TYPES, format!("[{type_header},{object_rows}")),
        (Object, SQL_TYPES, format!("[{sql_header},{object_rows}")),
        (Object, ALL, format!("[{full_header},{object_rows}")),
        (Array, NO_HEADER, format!("[{array_rows}")),
        (Array, NAMES, format!("[{names},{array_rows}")),
        (Array, SQL_TYPES, format!("[{names},{sql_types},{array_rows}")),
        (Array, ALL, format!("[{names},{types},{sql_types},{array_rows}")),
        (ObjectLines, NO_HEADER, object_lines.to_owned()),
        (ObjectLines, NAMES, format!("{null_header}\n{object_lines}")),
        (ArrayLines, NO_HEADER, array_lines.to_owned()),
        (ArrayLines, ALL, format!("{names}\n{types}\n{sql_types}\n{array_lines}")),
        (Csv, NO_HEADER, csv_rows.to_owned()),
        (Csv, NAMES, format!("__time,org,EXPR$2\n{csv_rows}")),
        (Csv, ALL, format!("__time,org,EXPR$2\nLONG,STRING,LONG\nTIMESTAMP,VARCHAR,BIGINT\n{csv_rows}")),
    ];
    for (format, header, expected) in cases {
        // Two batches and an empty one between them: where batches end must not show.
        let batches = vec![Ok(batch(&[(0, Some("a,b"), Some(1))])), Ok(batch(&[])), Ok(batch(&[(1, None, None)]))];
        let written = text(answer(columns(), batches), layout(format, header)).await;
        assert_eq!(written, expected, "{format:?} {header:?}");
    }
}

#[tokio::test]
async fn an_empty_result_is_complete_in_every_format() {
    use ResultFormat::{Array, ArrayLines, Csv, Object, ObjectLines};
    let cases = [
        (Object, NO_HEADER, "[]\n"),
        (Array, NO_HEADER, "[]\n"),
        (ObjectLines, NO_HEADER, "\n"),
        (ArrayLines, NO_HEADER, "\n"),
        (Csv, NO_HEADER, "\n"),
        (Array, NAMES, "[[\"__time\",\"org\",\"EXPR$2\"]]\n"),
        (Csv, NAMES, "__time,org,EXPR$2\n\n"),
    ];
    for (format, header, expected) in cases {
        assert_eq!(text(answer(columns(), vec![]), layout(format, header)).await, expected, "{format:?} {header:?}");
    }
}

#[tokio::test]
async fn a_csv_row_of_one_empty_field_is_no_blank_line() {
    let orgs: ArrayRef = Arc::new(StringArray::from(vec![Some(""), None, Some("x")]));
    let batch = RecordBatch::try_from_iter([("org", orgs)]).unwrap();
    let answer = answer(vec![column("org", "STRING", "VARCHAR")], vec![Ok(batch)]);
    assert_eq!(text(answer, layout(ResultFormat::Csv, NO_HEADER)).await, "\"\"\n\"\"\nx\n\n");
}

#[tokio::test]
async fn instants_are_written_in_the_zone_of_the_query() {
    let time = TimeText::new(TimeZone::get("America/Los_Angeles").unwrap());
    let layout = Layout { time, ..layout(ResultFormat::Array, NO_HEADER) };
    let answer = answer(columns(), vec![Ok(batch(&[(0, None, None)]))]);
    assert_eq!(text(answer, layout).await, "[[\"1969-12-31T16:00:00.000-08:00\",null,null]]\n");
}

#[tokio::test]
async fn a_long_answer_comes_in_bounded_pieces_that_add_up() {
    let rows: Vec<_> = (0..20_000).map(|at| (at, Some("some organisation"), Some(at))).collect();
    let pieces = pieces(answer(columns(), vec![Ok(batch(&rows))]), layout(ResultFormat::ArrayLines, NO_HEADER)).await;
    let pieces = pieces.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(pieces.len() > 10 && pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 1_024), "{}", pieces.len());
    let whole = String::from_utf8(pieces.concat()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(lines.len(), 20_001);
    assert_eq!(lines[19_999], r#"["1970-01-01T00:00:19.999Z","some organisation",19999]"#);
}

#[tokio::test]
async fn a_failure_before_the_first_row_is_known_before_anything_is_sent() {
    let error = started(answer(columns(), vec![Err(failure())])).await.err().unwrap();
    assert_eq!(error.message, "the disk is gone");
}

#[tokio::test]
async fn a_failure_after_the_first_row_ends_the_pieces_with_an_error_and_no_ending() {
    let batches = vec![Ok(batch(&[(0, None, None)])), Err(failure())];
    let pieces = pieces(answer(columns(), batches), layout(ResultFormat::Object, NO_HEADER)).await;
    let last = pieces.last().unwrap().as_ref().unwrap_err();
    assert_eq!(last.message, "the disk is gone");
    assert!(!pieces.iter().flatten().any(|piece| piece.ends_with(b"]\n")));
}

/// What a reader makes of an Arrow stream.
fn read_arrow(bytes: &[u8]) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let reader = StreamReader::try_new(bytes, None)?;
    Ok((reader.schema(), reader.collect::<Result<_, _>>()?))
}

fn arrow_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("__time", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), true),
        Field::new("org", DataType::Utf8, true),
        Field::new("EXPR$2", DataType::Int64, true),
    ]))
}

#[tokio::test]
async fn an_arrow_stream_holds_the_rows_in_types_that_every_reader_knows() {
    let layout = layout(ResultFormat::ArrowStream, NO_HEADER);
    let rows = [(0, Some("a,b"), Some(1)), (-1, None, None), (7, Some(""), Some(i64::MIN))];
    let batches = vec![Ok(batch(&rows[..2])), Ok(batch(&[])), Ok(batch(&rows[2..]))];
    let pieces = pieces(answer(columns(), batches), layout.clone()).await;
    let bytes = pieces.into_iter().collect::<Result<Vec<_>, _>>().unwrap().concat();
    let (schema, found) = read_arrow(&bytes).unwrap();
    assert_eq!(schema, arrow_schema());
    let times = TimestampMillisecondArray::from(vec![0, -1, 7]).with_timezone("UTC");
    let orgs = StringArray::from(vec![Some("a,b"), None, Some("")]);
    let sums = Int64Array::from(vec![Some(1), None, Some(i64::MIN)]);
    let expected = RecordBatch::try_new(schema.clone(), vec![Arc::new(times), Arc::new(orgs), Arc::new(sums)]);
    assert_eq!(concat_batches(&schema, &found).unwrap(), expected.unwrap());

    let pieces = self::pieces(answer(columns(), vec![]), layout).await;
    let bytes = pieces.into_iter().collect::<Result<Vec<_>, _>>().unwrap().concat();
    assert_eq!(read_arrow(&bytes).unwrap(), (arrow_schema(), vec![]));
}

#[tokio::test]
async fn an_arrow_stream_that_breaks_off_has_no_mark_of_its_end() {
    let layout = layout(ResultFormat::ArrowStream, NO_HEADER);
    let long: Vec<_> = (0..20_000).map(|at| (at, Some("x"), None)).collect();
    let pieces = pieces(answer(columns(), vec![Ok(batch(&long)), Err(failure())]), layout).await;
    assert_eq!(pieces.last().unwrap().as_ref().unwrap_err().message, "the disk is gone");
    let sent: Vec<Bytes> = pieces.into_iter().filter_map(Result::ok).collect();
    // The continuation marker and a length of 0 (Arrow's "Encapsulated message format").
    assert!(!sent.is_empty() && !sent.concat().ends_with(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]));
}
