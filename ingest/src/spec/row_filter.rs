//! Reads a spec's row filter and computed columns, once its columns are known.

use henge_segment_store::schema::DataSourceSchema;

use super::InputSpec;
use super::fields::Fields;
use crate::transform::Transform;

/// `filter` is the row filter, which stands in the field of that name; what is wrong with a column's expression is reported
/// for `columns`.
pub(super) fn read(
    fields: &Fields<'_>,
    schema: &DataSourceSchema,
    input: &InputSpec,
    filter: Option<(&'static str, &str)>,
    columns: &str,
) -> Option<Transform> {
    let read = Transform::read(schema, input, filter.map(|(_, text)| text));
    let misread = |wrong: Vec<_>| {
        for crate::transform::Misread { column, error } in wrong {
            match (column, filter) {
                (Some(column), _) => fields.problem_at(columns, format!("`{column}`: {error}")),
                (None, Some((name, _))) => fields.problem_at(name, error.to_string()),
                (None, None) => unreachable!("without a filter none is wrong"),
            }
        }
    };
    read.map_err(misread).ok()
}
