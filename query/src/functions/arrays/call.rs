//! Functions of arrays, said as plain Rust functions over the arguments of one row.

use std::hash::{Hash, Hasher};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::item::{Item, ItemKind, Items, column_of, column_of_arrays};
use crate::error::QueryError;
use crate::functions::row_function::{check_bytes, wrong_call};

/// A function and what it takes.
#[derive(Debug)]
pub(super) struct ArrayFunction {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// One call, for whoever got it wrong.
    pub usage: &'static str,
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may come any number of times, also none.
    pub is_variadic: bool,
    pub result: ResultKind,
    pub body: fn(&[Given]) -> Result<Made, QueryError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// An array, or a value that stands for an array of itself. Null makes null.
    Array,
    /// The same, and null is told to the function.
    ArrayOrNull,
    /// A value of the kind of the arrays' items; null is told to the function.
    Item,
    /// Null makes null.
    Long,
    /// Null makes null.
    Text,
}

impl Parameter {
    fn is_of_items(self) -> bool {
        matches!(self, Self::Array | Self::ArrayOrNull | Self::Item)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultKind {
    Array,
    /// Of the kind of the arrays' items.
    Item,
    Long,
    /// 1 or 0 as a boolean.
    Boolean,
    Text,
}

/// An argument of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    Array(Vec<Item>),
    Item(Item),
}

impl Given {
    /// Nothing where it is null.
    pub fn array(&self) -> &[Item] {
        match self {
            Self::Array(items) => items,
            Self::Item(_) => &[],
        }
    }

    pub fn item(&self) -> &Item {
        match self {
            Self::Item(item) => item,
            Self::Array(_) => &Item::Null,
        }
    }

    pub fn long(&self) -> i64 {
        match self {
            Self::Item(Item::Long(value)) => *value,
            _ => 0,
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Item(Item::Text(text)) => text,
            _ => "",
        }
    }
}

/// A result of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Made {
    Array(Vec<Item>),
    Item(Item),
}

impl Made {
    pub const NULL: Self = Self::Item(Item::Null);

    pub fn flag(flag: bool) -> Self {
        Self::Item(Item::Long(flag.into()))
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Array(items) => items.iter().map(|item| item.bytes() + size_of::<Item>()).sum(),
            Self::Item(item) => item.bytes(),
        }
    }
}

#[derive(Debug)]
pub(super) struct ArrayUdf {
    function: &'static ArrayFunction,
    aliases: Vec<String>,
    signature: Signature,
}

impl ArrayUdf {
    pub fn new(function: &'static ArrayFunction) -> Self {
        let aliases = function.aliases.iter().map(|&alias| alias.to_owned()).collect();
        let signature = if function.is_variadic && function.parameters.len() == 1 {
            Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::UserDefined], Volatility::Immutable)
        } else {
            Signature::user_defined(Volatility::Immutable)
        };
        Self { function, aliases, signature }
    }

    fn usage(&self) -> QueryError {
        wrong_call(self.function.name, self.function.usage)
    }

    fn parameter(&self, at: usize) -> Parameter {
        let parameters = self.function.parameters;
        parameters[at.min(parameters.len() - 1)]
    }

    /// Of the items of all arguments.
    fn kind_of(&self, types: &[DataType]) -> ItemKind {
        let of_items = types.iter().enumerate().filter(|(at, _)| self.parameter(*at).is_of_items());
        ItemKind::widest(of_items.map(|(_, kind)| kind))
    }

    fn takes(&self, count: usize) -> bool {
        let named = self.function.parameters.len();
        if self.function.is_variadic { count + 1 >= named } else { count == named }
    }

    /// `None` where a null among the arguments makes null.
    fn given(&self, columns: &[Items], row: usize) -> Option<Vec<Given>> {
        let given = columns.iter().enumerate().map(|(at, column)| match self.parameter(at) {
            Parameter::Item => Some(Given::Item(column.item(row))),
            Parameter::ArrayOrNull if column.is_null(row) => Some(Given::Item(Item::Null)),
            _ if column.is_null(row) => None,
            Parameter::Array | Parameter::ArrayOrNull => Some(Given::Array(column.array(row))),
            Parameter::Long | Parameter::Text => Some(Given::Item(column.item(row))),
        });
        given.collect()
    }
}

/// Names are unique.
impl PartialEq for ArrayUdf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for ArrayUdf {}

impl Hash for ArrayUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for ArrayUdf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !self.takes(types.len()) {
            return Err(self.usage().into());
        }
        let kind = self.kind_of(types);
        let coerced = types.iter().enumerate().map(|(at, given)| match self.parameter(at) {
            Parameter::Array | Parameter::ArrayOrNull if given.is_nested() => Ok(kind.arrow_list()),
            Parameter::Long if given.is_integer() || given.is_null() => Ok(DataType::Int64),
            Parameter::Text if !given.is_nested() => Ok(DataType::Utf8View),
            Parameter::Item | Parameter::Array | Parameter::ArrayOrNull if !given.is_nested() => Ok(kind.arrow()),
            _ => Err(self.usage().into()),
        });
        coerced.collect()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match self.function.result {
            ResultKind::Array => self.kind_of(types).arrow_list(),
            ResultKind::Item => self.kind_of(types).arrow(),
            ResultKind::Long => DataType::Int64,
            ResultKind::Boolean => DataType::Boolean,
            ResultKind::Text => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let kind = self.kind_of(&types);
        let columns = args.args.iter().enumerate().map(|(at, argument)| {
            let kind = match self.parameter(at) {
                Parameter::Long => ItemKind::Long,
                Parameter::Text => ItemKind::Text,
                _ => kind,
            };
            Items::new(&argument.to_array(args.number_rows)?, kind)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let (mut made, mut bytes) = (Vec::with_capacity(args.number_rows), 0);
        for row in 0..args.number_rows {
            let result = match self.given(&columns, row) {
                Some(given) => (self.function.body)(&given)?,
                None => Made::NULL,
            };
            bytes += result.bytes();
            check_bytes(self.function.name, bytes)?;
            made.push(result);
        }
        let items = || made.iter().map(|made| if let Made::Item(item) = made { item.clone() } else { Item::Null });
        Ok(ColumnarValue::Array(match self.function.result {
            ResultKind::Array => {
                let arrays =
                    made.iter().map(|made| if let Made::Array(items) = made { Some(items.clone()) } else { None });
                column_of_arrays(&arrays.collect::<Vec<_>>(), kind)
            }
            ResultKind::Item => column_of(&items().collect::<Vec<_>>(), kind),
            ResultKind::Long => column_of(&items().collect::<Vec<_>>(), ItemKind::Long),
            ResultKind::Text => column_of(&items().collect::<Vec<_>>(), ItemKind::Text),
            ResultKind::Boolean => {
                let longs = column_of(&items().collect::<Vec<_>>(), ItemKind::Long);
                datafusion::arrow::compute::cast(&longs, &DataType::Boolean)?
            }
        }))
    }
}
