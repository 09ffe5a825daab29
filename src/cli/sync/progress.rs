//! How far the runs are, for whoever watches: a line an endpoint, on a terminal only.
use crate::app::App;
use crate::entity::{RunStage, RunState, sync_run};
use crate::error::Error;
use crate::service::sync_run as runs;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// How often the runs are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Shows the runs until it is dropped, and takes its lines away then; ends only if they cannot be read.
pub(super) async fn show(app: &App, ids: &[i32]) -> Error {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let lines = Lines::new(ids.len());
    loop {
        match runs::by_ids(&app.db, ids).await {
            Ok(rows) => lines.draw(&rows),
            Err(error) => return error,
        }
        tokio::time::sleep(LOOK).await;
    }
}

struct Lines {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Lines {
    fn new(count: usize) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:10} {pos}/{len} {msg}").ok();
        let stages = RunStage::ALL.len() as u64;
        let bar = |_| {
            let bar = all.add(ProgressBar::new(stages));
            bar.set_style(style.clone().unwrap_or_else(ProgressStyle::default_bar));
            bar
        };
        Self { bars: (0..count).map(bar).collect(), all }
    }

    fn draw(&self, rows: &[sync_run::Model]) {
        for (bar, row) in self.bars.iter().zip(rows) {
            let stage = match row.state {
                RunState::Running => row.stage.value(),
                other => other.value(),
            };
            bar.set_position(u64::try_from(row.stages_done).unwrap_or_default());
            bar.set_message(format!("{} {stage}", row.endpoint_name.replace(char::is_control, " ")));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A terminal that is gone needs no tidying.
        drop(self.all.clear());
    }
}
