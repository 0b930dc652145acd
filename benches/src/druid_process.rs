//! The processes of a real Druid, which a script starts and stops; asked over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cpu;

/// Where the script's processes listen.
pub const BROKER: &str = "http://127.0.0.1:8082";
pub const COORDINATOR: &str = "http://127.0.0.1:8081";

/// Stopped when dropped.
pub struct DruidProcesses {
    script: PathBuf,
    data: PathBuf,
    all: Vec<u32>,
}

impl DruidProcesses {
    /// Starts them by `script start data`.
    pub fn start(script: &Path, data: PathBuf) -> anyhow::Result<Self> {
        let script = script.canonicalize()?;
        let started = Command::new(&script).arg("start").arg(&data).status()?;
        ensure!(started.success(), "{} start {} failed: does one run already?", script.display(), data.display());
        let mut processes = Self { script, data, all: Vec::new() };
        for entry in fs::read_dir(processes.data.join("pid"))? {
            let process = processes.pid(&entry?.file_name().to_string_lossy())?;
            processes.all.push(process);
        }
        Ok(processes)
    }

    /// The process of that name.
    pub fn pid(&self, name: &str) -> anyhow::Result<u32> {
        let path = self.data.join("pid").join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.trim().parse()?)
    }

    /// Sends all of them a signal.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pids = self.all.iter().map(u32::to_string);
        let sent = Command::new("kill").arg(format!("-{name}")).args(pids).status()?;
        match sent.success() {
            true => Ok(()),
            false => bail!("a process of Druid has ended: see {}", self.data.join("log").display()),
        }
    }

    /// User and system time of all of them, and of the tasks that they have started and that have ended.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.all.iter().map(|process| Ok(cpu::seconds(*process)? + cpu::seconds_of_ended_children(*process)?)).sum()
    }
}

impl Drop for DruidProcesses {
    fn drop(&mut self) {
        // What is stopped does not end; what has ended already is no error here.
        self.signal("CONT").ok();
        Command::new(&self.script).arg("stop").arg(&self.data).status().ok();
    }
}
