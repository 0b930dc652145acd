use std::collections::HashMap;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::LogicalPlan;

use crate::answer::{ResultColumn, ResultSchema};
use crate::error::QueryError;

/// What can be told of a statement that is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub columns: Vec<ResultColumn>,
    /// By number, the one of `$1` first. `None` where the statement does not say what it is compared with.
    pub parameters: Vec<Option<ResultColumn>>,
}

impl Description {
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Self, QueryError> {
        let columns = ResultSchema::new(plan.schema().as_arrow())?.columns();
        Ok(Self { columns, parameters: parameters(&plan.get_parameter_types()?)? })
    }

    /// Of `EXPLAIN`.
    pub(crate) fn of_plan() -> Result<Self, QueryError> {
        Ok(Self { columns: vec![column("PLAN", &DataType::Utf8View)?], parameters: Vec::new() })
    }
}

/// `types`: by names such as `$1`.
fn parameters(types: &HashMap<String, Option<DataType>>) -> Result<Vec<Option<ResultColumn>>, QueryError> {
    let number = |name: &str| name.trim_start_matches('$').parse::<usize>().unwrap_or_default();
    let last = types.keys().map(|name| number(name)).max().unwrap_or_default();
    let parameter = |number: usize| {
        let name = format!("${number}");
        let kind = types.get(&name).and_then(Option::as_ref).filter(|kind| !kind.is_null());
        kind.map(|kind| column(&name, kind)).transpose()
    };
    (1..=last).map(parameter).collect()
}

fn column(name: &str, kind: &DataType) -> Result<ResultColumn, QueryError> {
    let schema = ResultSchema::new(&Schema::new(vec![Field::new(name, kind.clone(), true)]))?;
    Ok(schema.columns().remove(0))
}
