//! What there is to ask: `GET /henge/v1/panel/catalogue`.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use henge_query::reader::Reader;
use henge_segment_store::data_source::DataSource;
use henge_segment_store::dataset::Dataset;
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::TimestampMs;
use serde_json::{Value, json};

use super::macros::MACROS;
use super::run::Panel;
use super::sight::columns_of;
use super::sql_text;
use crate::error::ApiError;

/// How many rows a reader sees, and the newest of them.
struct Extent {
    rows: i64,
    newest: Option<TimestampMs>,
}

impl Panel {
    pub async fn catalogue(&self) -> Result<Value, ApiError> {
        let mut data_sources = Vec::new();
        for data_source in self.sight().data_sources() {
            data_sources.push(self.described(&data_source).await?);
        }
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "datasources": data_sources,
            "datasets": self.datasets(),
            "functions": self.functions().await?,
            "macros": MACROS.as_slice(),
        }))
    }

    async fn described(&self, data_source: &DataSource) -> Result<Value, ApiError> {
        let columns: Vec<Value> = columns_of(&data_source.schema())
            .iter()
            .map(|column| json!({ "name": column.name, "type": column.type_name(), "kind": column.role }))
            .collect();
        let Extent { rows, newest } = self.extent(data_source).await?;
        let complete_until = data_source.completeness().complete_until.filter(|time| time.is_storable());
        Ok(json!({
            "name": data_source.name(),
            "columns": columns,
            "newestEvent": newest,
            "completeUntil": complete_until,
            "rows": rows,
        }))
    }

    async fn extent(&self, data_source: &DataSource) -> Result<Extent, ApiError> {
        if self.asker.reader == Reader::Everything {
            let published: u64 = data_source.published().iter().map(|segment| segment.rows).sum();
            let open = data_source.open_stats();
            let rows = published + (open.rows + open.frozen_rows) as u64;
            return Ok(Extent { rows: rows as i64, newest: data_source.time_bounds().map(|bounds| bounds.1) });
        }
        let (name, time) = (sql_text::name(data_source.name().as_str()), sql_text::name(TIME_COLUMN));
        let frame = self.ask(&format!("SELECT COUNT(*) AS \"rows\", MAX({time}) AS \"newest\" FROM {name}")).await?;
        let newest = frame.batch.column(1).as_primitive::<TimestampMillisecondType>();
        Ok(Extent {
            rows: frame.batch.column(0).as_primitive::<Int64Type>().value(0),
            newest: newest.is_valid(0).then(|| TimestampMs(newest.value(0))),
        })
    }

    fn datasets(&self) -> Vec<Value> {
        let datasets = self.services.store.datasets();
        let described = |dataset: &Dataset| -> Vec<Value> {
            let metrics = dataset.metrics.iter();
            let visible = metrics.filter(|(_, metric)| self.sight().find(metric.data_source.as_str()).is_some());
            visible
                .map(|(name, metric)| {
                    let labels: Vec<String> = metric.fields(dataset).into_iter().map(|(field, _)| field).collect();
                    json!({
                        "name": name, "unit": metric.unit, "kind": metric.kind, "description": metric.description,
                        "labels": labels,
                    })
                })
                .collect()
        };
        datasets.iter().map(|(name, dataset)| json!({ "name": name, "metrics": described(dataset) })).collect()
    }

    async fn functions(&self) -> Result<Vec<Value>, ApiError> {
        let sql =
            "SELECT ROUTINE_NAME, SIGNATURES, IS_AGGREGATOR FROM INFORMATION_SCHEMA.ROUTINES ORDER BY ROUTINE_NAME";
        let frame = self.ask(sql).await?;
        let column = |at: usize| frame.batch.column(at).as_string::<i32>();
        let described = |row: usize| {
            let name = column(0).value(row);
            let signature = if column(1).is_valid(row) { column(1).value(row).to_owned() } else { format!("{name}()") };
            let kind = if column(2).value(row) == "YES" { "aggregate" } else { "function of a row" };
            json!({ "name": name, "signature": signature, "description": kind })
        };
        Ok((0..frame.rows()).map(described).collect())
    }
}
