use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that a command writes: it appears under its name once it is complete, and replaces an older one then.
pub struct OutputFile {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
}

impl OutputFile {
    pub fn create(path: &Path) -> Result<Self, String> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let out = File::create(&part).map_err(|error| format!("cannot write {}: {error}", part.display()))?;
        Ok(Self { path: path.to_owned(), part, out: BufWriter::new(out) })
    }

    pub fn finish_with(mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.out.write_all(bytes);
        self.named(written)?;
        self.finish()
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<(), String> {
        let written = self.out.flush();
        self.named(written)?;
        let renamed = fs::rename(&self.part, &self.path);
        self.named(renamed)
    }

    fn named(&self, done: io::Result<()>) -> Result<(), String> {
        done.map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
