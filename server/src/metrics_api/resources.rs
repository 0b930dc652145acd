//! Which resources a filter lets in: a request has to name some, and is told nothing of those that are not there or that
//! are not its reader's.

use axum::http::StatusCode;
use henge_query::series::{GroupOrder, LabelFilter, LabelTest};
use henge_segment_store::dataset::{Metric, resource_id_field};
use henge_segment_store::time::Interval;

use super::problem::Problem;
use super::reading::DatasetReading;

/// A field of a resource's id, and the id.
type Named<'a> = (&'a str, &'a str);

/// The resources that a filter names, one of which each series that passes is about.
///
/// # Errors
/// The filter lets in others.
pub fn named<'a>(metric: &Metric, filter: Option<&'a LabelFilter>) -> Result<Vec<Named<'a>>, Problem> {
    let fields: Vec<String> = metric.resources.iter().map(|kind| resource_id_field(kind)).collect();
    filter.and_then(|filter| named_by(filter, &fields)).ok_or_else(|| {
        let field = &fields[0];
        Problem::invalid(
            "resource_filter_missing",
            format!(
                "the filter has to name one resource at least: add {{\"op\": \"EQ\", \"field\": \"{field}\", \"value\": \
                 \"ID\"}} by AND"
            ),
        )
    })
}

/// `None` where series of other resources may pass too.
fn named_by<'a>(filter: &'a LabelFilter, fields: &[String]) -> Option<Vec<Named<'a>>> {
    match filter {
        LabelFilter::Test { field, test: LabelTest::Equal, value } => {
            fields.contains(field).then(|| vec![(field.as_str(), value.as_str())])
        }
        LabelFilter::Test { .. } | LabelFilter::Not(_) => None,
        LabelFilter::All(filters) => filters.iter().find_map(|filter| named_by(filter, fields)),
        LabelFilter::Any(filters) => {
            let each = filters.iter().map(|filter| named_by(filter, fields));
            Some(each.collect::<Option<Vec<_>>>()?.concat())
        }
    }
}

/// Whether one of the resources has ever sent something that is still stored, and that the reader may see.
///
/// # Errors
/// None has; whether there are any is nobody else's business.
pub async fn check_known(reading: &DatasetReading<'_>, named: &[Named<'_>]) -> Result<(), Problem> {
    let mut fields: Vec<&str> = named.iter().map(|(field, _)| *field).collect();
    fields.sort_unstable();
    fields.dedup();
    for field in fields {
        let ids = named.iter().filter(|(known, _)| *known == field);
        let tests = ids.map(|(_, id)| LabelFilter::equal(field, *id));
        let filter = LabelFilter::Any(tests.collect());
        for metric in reading.metrics_with(field) {
            let order = GroupOrder::ByLabels { after: None, count: 1 };
            let (found, _) = reading.labels(metric, field, Some(filter.clone()), vec![Interval::ALL], order).await?;
            if found.iter().any(|batch| batch.num_rows() > 0) {
                return Ok(());
            }
        }
    }
    Err(none_readable(named.iter().map(|(_, id)| *id)))
}

/// The same whether there are none or they are somebody else's.
pub fn none_readable<'a>(ids: impl Iterator<Item = &'a str>) -> Problem {
    let ids = ids.collect::<Vec<_>>().join(", ");
    let detail = format!("none of these resources is there, or none may be read with this key: {ids}");
    Problem::new(StatusCode::FORBIDDEN, "no_such_resource", detail)
}
