//! Pythons with one package each.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// In an environment of its own below the target directory, made when it is not there.
pub fn with_package(package: &str, version: &str) -> PathBuf {
    /// Two tests must not make one environment at once.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{package}-{version}"));
    let python = environment.join("bin/python");
    let has_package = Command::new(&python).args(["-c", &format!("import {package}")]).stderr(Stdio::null()).status();
    if !has_package.is_ok_and(|status| status.success()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &format!("{package}=={version}")]));
    }
    python
}

fn run(command: &mut Command) {
    let status = command.status().expect("this needs python3 with venv: install python3-venv");
    assert!(status.success(), "{command:?} failed");
}
