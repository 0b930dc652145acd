//! Pythons with peers in them, each in an environment of its own below the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A Python that has `packages`, as pip names them; made when it is not there.
///
/// `probe` is a script that runs without an error where they are installed.
pub fn environment(name: &str, packages: &[&str], probe: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("cargo's binaries lie in target/PROFILE")?;
    let environment = target.join(name);
    let python = environment.join("bin/python");
    if !python.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status();
        ensure!(made.is_ok_and(|status| status.success()), "the peers need python3 with venv: install python3-venv");
    }
    if run(&python, &["-c", probe]).is_err() {
        let installed = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages).status()?;
        ensure!(installed.success(), "pip cannot install {}", packages.join(", "));
    }
    Ok(python)
}

/// What it prints, without the end of the last line.
pub fn run(python: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(python).args(arguments).output()?;
    ensure!(output.status.success(), "python: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
