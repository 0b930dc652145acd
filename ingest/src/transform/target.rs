//! Where computed values go.

use henge_indexing::{text_of_double, text_of_flag, text_of_long};
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{DataSourceSchema, DimensionType};

use super::column::{Column, Failure};

/// Where a computed column stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Dimension(usize),
    Measure(usize),
}

impl Target {
    pub(super) fn name(self, schema: &DataSourceSchema) -> &str {
        match self {
            Self::Dimension(index) => &schema.dimensions[index].name,
            Self::Measure(index) => &schema.measures[index].name,
        }
    }

    /// Writes the value of row `index` of the batch. The type in force of a dimension may hold more than the declared one,
    /// which the values have.
    pub(super) fn write(
        self,
        values: &Column,
        index: usize,
        row: &mut EventRow,
        schema: &DataSourceSchema,
    ) -> Result<(), Failure> {
        match self {
            Self::Dimension(dimension) => {
                write_dimension(values, index, row, dimension, schema.dimensions[dimension].kind)
            }
            Self::Measure(measure) => {
                let value = match values {
                    Column::Longs(cells) => cells[index]?.map(MeasureValue::Long),
                    values => values.doubles()[index]?.map(MeasureValue::Double),
                };
                row.set_measure(measure, value.unwrap_or(MeasureValue::Null));
                Ok(())
            }
        }
    }
}

fn write_dimension(
    values: &Column,
    index: usize,
    row: &mut EventRow,
    dimension: usize,
    in_force: DimensionType,
) -> Result<(), Failure> {
    let is_text = in_force == DimensionType::String;
    let text;
    let value = match values {
        Column::Booleans(cells) => cells[index]?.map(|flag| match is_text {
            true => DimensionValue::String(text_of_flag(flag)),
            false => DimensionValue::Boolean(flag),
        }),
        Column::Longs(cells) => match (cells[index]?, in_force) {
            (None, _) => None,
            (Some(number), DimensionType::String) => {
                text = text_of_long(number);
                Some(DimensionValue::String(&text))
            }
            (Some(number), DimensionType::Double) => Some(DimensionValue::Double(number as f64)),
            (Some(number), _) => Some(DimensionValue::Long(number)),
        },
        Column::Doubles(cells) => match cells[index]? {
            None => None,
            Some(number) if is_text => {
                text = text_of_double(number);
                Some(DimensionValue::String(&text))
            }
            Some(number) => Some(DimensionValue::Double(number)),
        },
        Column::Texts(texts) => texts.get(index)?.map(DimensionValue::String),
    };
    row.set_dimension(dimension, value.unwrap_or(DimensionValue::Null));
    Ok(())
}
