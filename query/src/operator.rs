//! Operators of our own on dictionary codes and packed blocks; DataFusion plans around them.
#![allow(dead_code, unused_imports, reason = "no plan has these operators yet")]

pub(crate) mod aggregate;
mod context;
mod metrics;
pub(crate) mod scan_top;

pub(crate) use self::context::OperatorContext;
pub(crate) use self::metrics::OperatorMetrics;
