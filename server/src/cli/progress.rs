//! A bar for long work, on a terminal only.

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

impl Drop for ByteBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
