//! The corpus of a crate: a folder for each fuzz target with inputs that are read again by every test run.

use std::fs;
use std::path::PathBuf;

use super::Body;

/// An input of a fuzz target that is what the target reads.
#[derive(Debug)]
pub struct Seed {
    pub target: &'static str,
    /// Of its file in the corpus.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The corpus of one crate and the bodies that read it. Every method panics where a body does, or where a claim fails.
#[derive(Debug)]
pub struct Corpus {
    manifest_dir: PathBuf,
    folder: PathBuf,
    targets: &'static [(&'static str, Body)],
}

impl Corpus {
    /// That of the crate in the folder `manifest_dir`.
    pub fn of(manifest_dir: &str, targets: &'static [(&'static str, Body)]) -> Self {
        let manifest_dir = PathBuf::from(manifest_dir);
        Self { folder: manifest_dir.join("tests/corpus"), manifest_dir, targets }
    }

    /// Each body is that of a fuzz target; that the targets compile is seen when the workspace is checked.
    pub fn is_fuzzed(&self) {
        let manifest = fs::read_to_string(self.manifest_dir.join("fuzz/Cargo.toml")).expect("there are fuzz targets");
        for (target, _) in self.targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is no fuzz target");
        }
    }

    /// Reads every file with the body of its target.
    pub fn replay(&self) {
        for (target, body) in self.targets {
            let entries = fs::read_dir(self.folder.join(target)).expect("each target has a corpus");
            let files: Vec<PathBuf> = entries.map(|entry| entry.expect("the corpus is readable").path()).collect();
            assert!(!files.is_empty(), "the corpus of {target} is empty");
            for file in files {
                println!("{}", file.display());
                body(&fs::read(file).expect("the corpus is readable"));
            }
        }
    }

    /// Each seed is taken for what it is.
    pub fn take(&self, seeds: &[Seed]) {
        for seed in seeds {
            assert!(self.body(seed.target)(&seed.bytes), "{} {}", seed.target, seed.name);
        }
    }

    /// Reads each seed cut short, and with a bit flipped, at about so many places.
    pub fn damage(&self, seeds: &[Seed], places: usize) {
        for seed in seeds {
            let body = self.body(seed.target);
            let step = seed.bytes.len().div_ceil(places).max(1);
            for at in (0..seed.bytes.len()).step_by(step) {
                body(&seed.bytes[..at]);
                let mut damaged = seed.bytes.clone();
                damaged[at] ^= 1 << (at % 8);
                body(&damaged);
            }
        }
    }

    /// Each seed has its file. With `WRITE_CORPUS` set it is written: where an encoding has changed, or a seed is new.
    pub fn hold(&self, seeds: &[Seed]) {
        for seed in seeds {
            let folder = self.folder.join(seed.target);
            let file = folder.join(&seed.name);
            if std::env::var_os("WRITE_CORPUS").is_some() {
                fs::create_dir_all(&folder).expect("the corpus is writable");
                fs::write(&file, &seed.bytes).expect("the corpus is writable");
            }
            assert!(file.is_file(), "{} is missing: run this test with WRITE_CORPUS=1", file.display());
        }
    }

    fn body(&self, target: &str) -> Body {
        self.targets.iter().find(|(name, _)| *name == target).expect("a seed's target exists").1
    }
}
