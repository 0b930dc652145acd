//! Questions of dashboards: `/henge/v1/panel/*`. Everything that means something is evaluated here, so that a client only has
//! to pass on what its user chose.
//!
//! request -> (window, variables, filters) -> expansion -> statement -> engine -> frame -> (complete buckets, fill) -> answer

pub mod ad_hoc;
pub mod annotations;
pub mod answer;
pub mod bucket;
pub mod builder;
pub mod catalogue;
pub mod condition;
pub mod draft;
pub mod expansion;
pub mod frame;
pub mod logs;
pub mod macros;
pub mod measure;
pub mod metrics;
pub mod options;
pub mod position;
pub mod prepared;
pub mod request;
pub mod run;
pub mod shaping;
pub mod sight;
pub mod sql_text;
pub mod tail;
pub mod variable;
pub mod window;
