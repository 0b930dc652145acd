//! Operators of our own on dictionary codes and packed blocks; DataFusion plans around them.

pub(crate) mod aggregate;
