//! To whom which operation is open. One that is not in the list is open to admins alone.

use axum::http::Method;

use super::key::Role;
use crate::openapi::OPERATIONS;

/// Whom an operation serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Also those without a key.
    Anyone,
    /// Everyone with a key; a tenant is answered from its own rows.
    Tenants,
    Admins,
}

impl Access {
    /// What a method at a path is open to.
    pub fn of(method: &Method, path: &str) -> Self {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let is_it = |operation: &&crate::openapi::Operation| {
            operation.path == path && operation.method.eq_ignore_ascii_case(method.as_str())
        };
        OPERATIONS.iter().find(is_it).map_or(Self::Admins, |operation| operation.access)
    }

    pub fn is_open_to(self, role: &Role) -> bool {
        match role {
            Role::Admin => true,
            Role::MetricsViewer(_) => self != Self::Admins,
        }
    }
}
