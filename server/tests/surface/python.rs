//! Pythons with other people's packages.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An environment of its own below the target directory.
pub struct Python {
    pub name: &'static str,
    /// A package with its version, a line each.
    pub requirements: &'static str,
}

impl Python {
    /// Runs a script on an input, once the packages are there. Returns whether it succeeded, and all that it said.
    pub fn run(&self, script: &str, stdin: &str) -> (bool, String) {
        let mut command = Command::new(self.installed());
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let stdin = stdin.to_owned();
        // A script that ends early closes the pipe; what it says then tells why.
        let writer = std::thread::spawn(move || input.write_all(stdin.as_bytes()).is_ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Its interpreter; made when it is not there.
    fn installed(&self) -> PathBuf {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-venv", self.name));
        let (python, stamp) = (environment.join("bin/python"), environment.join("installed"));
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == self.requirements) {
            return python;
        }
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment).status();
        assert!(made.is_ok_and(|status| status.success()), "this needs python3 with venv: install python3-venv");
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(self.requirements.lines());
        assert!(pip.status().unwrap().success(), "the packages of `{}` cannot be installed with pip", self.name);
        fs::write(stamp, self.requirements).unwrap();
        python
    }
}
