//! What scrapers get: of each series that they may see its newest complete minute.
//!
//! query string -> wanted -> collected (a query for each metric) -> text

mod collected;
mod name;
mod text;
mod wanted;

pub use self::collected::collect;
pub use self::text::Syntax;
pub use self::wanted::Wanted;
