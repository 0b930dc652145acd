//! What an answer is made of, and how far it is complete, in JSON.

use henge_query::provenance::MadeOf;
use henge_segment_store::completeness::{Completeness, Source};
use henge_segment_store::time::TimestampMs;
use serde_json::{Map, Value, json};

/// Partitions that one answer names: its headers have to fit into what clients take.
const SOURCES_MAX: usize = 32;

/// Of one datasource of a SQL answer.
pub fn of_answer(made_of: &MadeOf) -> Value {
    let mut json = Map::from_iter([("datasource".to_owned(), json!(made_of.data_source.as_str()))]);
    json.extend(members(&made_of.completeness));
    Value::Object(json)
}

/// `as_of` and `complete_until`, null where nobody knows; `complete_from` where there was a gap; `sources` where there are
/// any, the first ones.
pub fn members(completeness: &Completeness) -> Map<String, Value> {
    let Completeness { as_of, complete_until, complete_from, sources } = completeness;
    let mut json = Map::new();
    json.insert("as_of".to_owned(), text(*as_of));
    json.insert("complete_until".to_owned(), text(*complete_until));
    if complete_from.is_some() {
        json.insert("complete_from".to_owned(), text(*complete_from));
    }
    if !sources.is_empty() {
        json.insert("sources".to_owned(), sources.iter().take(SOURCES_MAX).map(source).collect());
    }
    if sources.len() > SOURCES_MAX {
        json.insert("sources_left_out".to_owned(), json!(sources.len() - SOURCES_MAX));
    }
    json
}

fn source(source: &Source) -> Value {
    json!({
        "topic": &*source.partition.topic,
        "partition": source.partition.partition,
        "from_offset": source.from.0,
        "to_offset": source.to.0,
        "broker_high_watermark": source.high_watermark.map(|offset| offset.0),
        "event_time_watermark": text(source.event_time_watermark),
    })
}

fn text(time: Option<TimestampMs>) -> Value {
    json!(time.filter(|time| time.is_storable()).map(|time| time.to_string()))
}

#[cfg(test)]
mod tests {
    use henge_segment_store::schema::DataSourceName;
    use henge_segment_store::stream::{Offset, StreamPartition};

    use super::*;

    #[test]
    fn what_nobody_knows_is_null_and_what_is_not_there_is_left_out() {
        let made_of = |completeness| MadeOf { data_source: DataSourceName::new("usage").unwrap(), completeness };
        let unknown = json!({ "datasource": "usage", "as_of": null, "complete_until": null });
        assert_eq!(of_answer(&made_of(Completeness::default())), unknown);
        let source = |partition| Source {
            partition: StreamPartition { topic: "t".into(), partition },
            from: Offset(2),
            to: Offset(5),
            high_watermark: Some(Offset(7)),
            event_time_watermark: Some(TimestampMs(0)),
        };
        let told = of_answer(&made_of(Completeness {
            as_of: Some(TimestampMs(1_000)),
            complete_until: Some(TimestampMs(500)),
            complete_from: Some(TimestampMs(-1)),
            sources: (0..33).map(source).collect(),
        }));
        let first = json!({
            "topic": "t", "partition": 0, "from_offset": 2, "to_offset": 5, "broker_high_watermark": 7,
            "event_time_watermark": "1970-01-01T00:00:00.000Z",
        });
        assert_eq!((&told["sources"][0], told["sources"].as_array().unwrap().len()), (&first, 32));
        assert_eq!(told["sources_left_out"], 1);
        let times = ["as_of", "complete_until", "complete_from"].map(|key| told[key].as_str().unwrap().to_owned());
        assert_eq!(times, ["1970-01-01T00:00:01.000Z", "1970-01-01T00:00:00.500Z", "1969-12-31T23:59:59.999Z"]);
    }
}
