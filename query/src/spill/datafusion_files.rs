//! The same files for DataFusion's sorts, aggregations and joins.

use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::spill_file::{SpillFile as DataFusionFile, SpillWriter, TempFileFactory};
use futures::{Stream, stream};

use super::{SpillFile, SpillSpace};

/// Bytes that are read at once.
const READ_BYTES: usize = 128 << 10;

/// Makes files for DataFusion.
#[derive(Debug)]
pub(crate) struct DataFusionFiles(pub Arc<SpillSpace>);

impl TempFileFactory for DataFusionFiles {
    fn create_temp_file(&self, _: &str) -> Result<Arc<dyn DataFusionFile>> {
        Ok(Arc::new(SharedFile(Arc::new(self.0.file()?))))
    }
}

struct SharedFile(Arc<SpillFile>);

impl DataFusionFile for SharedFile {
    fn size(&self) -> Option<u64> {
        Some(self.0.bytes())
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        let read_on = |(file, start): (Arc<SpillFile>, u64)| async move {
            let read = move || {
                let mut buffer = vec![0; READ_BYTES];
                let length = file.read_at(&mut buffer, start)?;
                buffer.truncate(length);
                Ok::<_, io::Error>((buffer, file))
            };
            let read = tokio::task::spawn_blocking(read).await;
            let (buffer, file) = read.map_err(|error| DataFusionError::External(Box::new(error)))??;
            let end = start + buffer.len() as u64;
            Ok((!buffer.is_empty()).then(|| (Bytes::from(buffer), (file, end))))
        };
        Ok(Box::pin(stream::try_unfold((self.0.clone(), 0), read_on)))
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        Ok(Box::new(Writer(self.0.clone())))
    }
}

impl fmt::Debug for SharedFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

struct Writer(Arc<SpillFile>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
