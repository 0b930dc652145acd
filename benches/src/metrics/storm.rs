use std::thread;
use std::time::{Duration, Instant};

use super::{MEASURES, MINUTE_MS, Options, QUERY, clusters, question};
use crate::cmu::parameters::Parameters;
use crate::server::Server;

/// Of each answer, from when its question was due.
pub fn latencies_ms(server: &Server, parameters: &Parameters, options: &Options) -> anyhow::Result<Vec<f64>> {
    let clusters = clusters(parameters);
    let pause = Duration::from_secs_f64(options.period / options.queries as f64);
    let start = Instant::now() + Duration::from_secs(1);
    let viewer = |viewer: usize| -> anyhow::Result<Vec<f64>> {
        let (client, mut latencies_ms) = (server.client()?, Vec::new());
        // Viewers come evenly, and so do a viewer's queries.
        let shift = pause.mul_f64(viewer as f64 / options.viewers as f64);
        for number in 0..options.periods * options.queries {
            let (period, query) = (number / options.queries, number % options.queries);
            let due = start + shift + pause * number as u32;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let metric = MEASURES[query % MEASURES.len()];
            let group_by: &[&str] = if query % 8 < 4 { &["metric.topic"] } else { &[] };
            let end_ms = parameters.end_ms - 60 * MINUTE_MS + period as i64 * MINUTE_MS;
            let question = question(metric, clusters[query / 8 % clusters.len()], group_by, 180, end_ms);
            client.post_any(QUERY, &question)?;
            // Waiting behind an earlier query counts, too.
            latencies_ms.push(due.elapsed().as_secs_f64() * 1e3);
        }
        Ok(latencies_ms)
    };
    let viewer = &viewer;
    thread::scope(|scope| {
        let viewers: Vec<_> = (0..options.viewers).map(|number| scope.spawn(move || viewer(number))).collect();
        let mut all = Vec::new();
        for viewer in viewers {
            all.extend(viewer.join().expect("a viewer returns its error")?);
        }
        Ok(all)
    })
}
