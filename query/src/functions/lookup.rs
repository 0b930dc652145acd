//! `LOOKUP(text, 'name'[, default])`: the value that a lookup has for a text; the default, or null, where it has none.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::growing_text::RESULT_BYTES_MAX;
use crate::error::QueryError;
use crate::lookups::{Lookup, Lookups};

pub(crate) const NAME: &str = "lookup";

pub(super) fn function(lookups: &Arc<Lookups>) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(LookupText { lookups: lookups.clone(), signature }))
}

#[derive(Debug)]
struct LookupText {
    lookups: Arc<Lookups>,
    signature: Signature,
}

/// A process has one set of lookups.
impl PartialEq for LookupText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lookups, &other.lookups)
    }
}

impl Eq for LookupText {}

impl Hash for LookupText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl LookupText {
    fn lookup(&self, name: Option<&ScalarValue>) -> Result<&Lookup, QueryError> {
        let name = name.and_then(|name| name.try_as_str().flatten()).ok_or_else(usage)?;
        self.lookups.named(name)
    }
}

fn usage() -> QueryError {
    QueryError::plan("LOOKUP takes a text, the name of a lookup, and maybe a default: LOOKUP(org, 'names', 'unknown')")
}

impl ScalarUDFImpl for LookupText {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=3).contains(&types.len()) {
            return Err(usage().into());
        }
        // The name stays as it is: in a cast it would be no literal any more.
        let text = |(at, kind): (usize, &DataType)| if at == 1 { kind.clone() } else { DataType::Utf8View };
        Ok(types.iter().enumerate().map(text).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    /// Tells at once that there is no such lookup.
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.lookup(args.scalar_arguments.get(1).copied().flatten())?;
        Ok(Arc::new(Field::new(NAME, DataType::Utf8View, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(name)) = args.args.get(1) else { return Err(usage().into()) };
        let lookup = self.lookup(Some(name))?;
        let keys = args.args[0].to_array(args.number_rows)?;
        let defaults = args.args.get(2).map(|default| default.to_array(args.number_rows)).transpose()?;
        let defaults = defaults.as_ref().map(|defaults: &ArrayRef| defaults.as_string_view());
        Ok(ColumnarValue::Array(Arc::new(found(keys.as_string_view(), lookup, defaults)?)))
    }
}

fn found(
    keys: &StringViewArray,
    lookup: &Lookup,
    defaults: Option<&StringViewArray>,
) -> Result<StringViewArray, QueryError> {
    let mut values = StringViewBuilder::with_capacity(keys.len()).with_deduplicate_strings();
    let mut bytes = 0;
    for (row, key) in keys.iter().enumerate() {
        let known = key.and_then(|key| lookup.get(key)).map(String::as_str);
        let default = || defaults.filter(|defaults| defaults.is_valid(row)).map(|defaults| defaults.value(row));
        let value = known.or_else(default);
        bytes += value.map_or(0, str::len);
        if bytes > RESULT_BYTES_MAX {
            return Err(QueryError::limit("LOOKUP would make more than 64 MiB of text of a batch of rows"));
        }
        values.append_option(value);
    }
    Ok(values.finish())
}
