use std::path::PathBuf;

use clap::Args;
use henge_segment_store::error::with_sources;
use henge_segment_store::objects::Objects;
use henge_segment_store::reader::StoreReader;
use henge_segment_store::store::StoreOptions;

/// Which data directory a command is about.
#[derive(Debug, Args)]
pub struct DirectoryArgs {
    #[arg(long, env = "HENGE_DATA_DIR", value_name = "DIR", default_value = "henge-data")]
    data_dir: PathBuf,
    /// The bucket, if segments are not in the data directory.
    #[arg(long, env = "HENGE_OBJECT_STORE", value_name = "URL")]
    object_store: Option<String>,
}

impl DirectoryArgs {
    /// Opens nothing and changes nothing, so a server may run beside. The error is one line.
    pub fn reader(&self) -> Result<StoreReader, String> {
        StoreReader::new(&self.options()?).map_err(|error| with_sources(&error))
    }

    /// The error is one line.
    pub fn options(&self) -> Result<StoreOptions, String> {
        if self.object_store.is_none() && !self.data_dir.is_dir() {
            return Err(format!("there is no data directory `{}`", self.data_dir.display()));
        }
        Ok(StoreOptions { object_store: self.object_store.clone(), ..StoreOptions::local(&self.data_dir) })
    }

    /// Where objects lie, or will: a first key is made before the server that makes the directory.
    pub fn objects(&self) -> Result<Objects, String> {
        Objects::of(&self.data_dir, self.object_store.as_deref()).map_err(|error| with_sources(&error))
    }

    /// What a person calls it.
    pub fn name(&self) -> String {
        self.object_store.clone().unwrap_or_else(|| self.data_dir.display().to_string())
    }
}
