//! Whose rows a query may see.
//!
//! A `SnapshotTable` tests rows for their reader in each scan and operator that reads
//! segments, before anything of the statement is evaluated: no expression ever meets a row that its reader may not see.

use std::fmt;
use std::sync::Arc;

use henge_indexing::{Predicate, TextTest};
use henge_segment_store::schema::DataSourceSchema;
use tracing::warn;

use crate::error::{QueryError, QueryErrorKind};

/// Whom an answer is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reader {
    /// An operator, who sees all rows of all datasources, and how they are stored.
    Everything,
    /// Sees rows that carry its name, and no datasource whose rows carry none.
    Tenant(Tenant),
}

/// An organisation, by the value that its rows have in the tenant dimension of a datasource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

/// A name that no tenant can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name an organisation: use 1 to {NAME_BYTES_MAX} bytes of text without control characters")]
pub struct TenantError(String);

const NAME_BYTES_MAX: usize = 128;

impl Tenant {
    pub fn new(name: &str) -> Result<Self, TenantError> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(TenantError(name.escape_debug().to_string()));
        }
        Ok(Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Reader {
    /// Whether there is such a datasource, as far as the reader may know.
    pub fn sees(&self, schema: &DataSourceSchema) -> bool {
        matches!(self, Self::Everything) || schema.tenant.is_some()
    }

    /// What a row has to pass; `None` where the reader sees all of them.
    pub(crate) fn row_test(&self, schema: &DataSourceSchema) -> Option<Predicate> {
        match (self, &schema.tenant) {
            (Self::Everything, _) => None,
            (Self::Tenant(tenant), Some(column)) => {
                Some(Predicate::Text { column: column.as_str().into(), test: TextTest::equal(tenant.as_str()) })
            }
            (Self::Tenant(_), None) => Some(Predicate::Const(Some(false))),
        }
    }

    /// The error as the reader may see it: names of files and segments, and what is wrong with them, are for operators.
    pub(crate) fn told(&self, error: QueryError) -> QueryError {
        let message = match error.kind {
            _ if *self == Self::Everything => return error,
            QueryErrorKind::Internal => "the query failed for a reason that lies in henge: its operator's log tells it",
            QueryErrorKind::Unavailable => "what the query reads cannot be read now: try again in a moment",
            _ => return error,
        };
        warn!(%error, "a query of a tenant failed");
        QueryError::new(error.kind, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_a_name_of_few_printable_bytes() {
        for name in ["org-1", "Müller & Söhne", &"x".repeat(128)] {
            assert_eq!(Tenant::new(name).map(|tenant| tenant.to_string()), Ok(name.to_owned()));
        }
        for (name, shown) in [("", ""), ("a\nb", "a\\nb"), (&"x".repeat(129), &"x".repeat(129))] {
            assert_eq!(Tenant::new(name), Err(TenantError(shown.to_owned())));
        }
    }
}
