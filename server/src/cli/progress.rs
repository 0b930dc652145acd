//! A bar for long work, on a terminal only.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::colour;

/// Shows how many bytes are done. Nothing is written where stderr is no terminal; the bar is gone when this is.
pub struct ByteBar(ProgressBar);

impl ByteBar {
    /// `label` says in a word what is being done.
    pub fn new(label: &'static str) -> Self {
        let target = match colour::is_wanted(&std::io::stderr()) {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = "{msg} [{bar:40}] {binary_bytes} of {binary_total_bytes}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is a constant");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style.progress_chars("━╸─"));
        Self(bar.with_message(label))
    }

    pub fn show(&self, done_bytes: u64, total_bytes: u64) {
        self.0.set_length(total_bytes);
        self.0.set_position(done_bytes);
    }
}

/// Shows how many rows a query has looked at; gone when this is.
pub struct RowBar(ProgressBar);

impl RowBar {
    /// `None` where stderr is no terminal.
    pub fn new() -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let style = "[{bar:30}] {human_pos} of {human_len} rows{msg}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is a constant");
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        Some(Self(bar.with_style(style.progress_chars("━╸─"))))
    }

    /// `total` may grow. `segments` were begun.
    pub fn show(&self, done: u64, total: u64, segments: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
        self.0.set_message(format!(" in {segments} segments"));
    }
}

impl Drop for RowBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for ByteBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
