//! The serving form of a published segment: one private file that queries map and read in place.
//!
//! It is made from the segment's rows and can be made again from its Parquet file, so nobody is owed compatibility for
//! its bytes: a file of another [`FORMAT_VERSION`], of another segment, or with a damaged section is replaced.

mod batches;
mod footer;
mod mapping;
mod reader;
#[cfg(any(test, feature = "test-support"))]
mod repair;
mod writer;

pub use batches::ServingBatches;
pub use footer::{ColumnLayout, FORMAT_VERSION, SectionPlace, TextLayout};
pub use reader::{ServingError, ServingSegment};
#[cfg(any(test, feature = "test-support"))]
pub(crate) use repair::{footer_repaired, sections_repaired};
pub use writer::encode_serving;
