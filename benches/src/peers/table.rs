//! What was measured, as one table, and what follows from it.

use super::rounds::{Outcome, QueryResult};
use super::systems::System;

/// Prints the queries, the ratios, and what Henge's memory came to.
pub fn print(systems: &[System], results: &[QueryResult]) {
    println!("\nmilliseconds until the last byte / CPU milliseconds, medians\n");
    let names: Vec<&str> = systems.iter().map(|system| system.name()).collect();
    println!("| query | rows | {} | best peer / henge, wall | CPU | limit, ns | ns | of it |", names.join(" | "));
    println!("|---|---|{}---|---|---|---|---|", "---|".repeat(names.len()));
    for result in results {
        let cells: Vec<String> = result.of_systems.iter().map(|of| cell(&of.outcome)).collect();
        let ratio = |ms: fn(&Outcome) -> Option<f64>| ratio_text(best_ratio(result, ms));
        println!(
            "| {} {} | {} | {} | {} | {} | {} |",
            result.query.id,
            result.query.title,
            result.rows,
            cells.join(" | "),
            ratio(Outcome::wall_ms),
            ratio(Outcome::cpu_ms),
            beside_limit(result).unwrap_or_else(|| "- | - | -".to_owned()),
        );
    }
    if systems.contains(&System::Henge) {
        summary(systems, results);
    }
}

fn summary(systems: &[System], results: &[QueryResult]) {
    println!("\n| geometric mean over Henge's | queries | wall | CPU |\n|---|---|---|---|");
    let line = |what: &str, wall: Vec<f64>, cpu: Vec<f64>| {
        println!("| {what} | {} | {} | {} |", wall.len(), mean_text(&wall), mean_text(&cpu));
    };
    for system in systems.iter().filter(|system| **system != System::Henge) {
        let of = |ms: fn(&Outcome) -> Option<f64>| results.iter().filter_map(|of| ratio(of, *system, ms)).collect();
        line(system.name(), of(Outcome::wall_ms), of(Outcome::cpu_ms));
    }
    let click_house = [System::ClickHouse, System::ClickHouseByTime];
    if click_house.iter().all(|system| systems.contains(system)) {
        let of = |ms: fn(&Outcome) -> Option<f64>| {
            let best = |result: &QueryResult| least(click_house.iter().filter_map(|system| ratio(result, *system, ms)));
            results.iter().filter_map(best).collect()
        };
        line("clickhouse, the better order", of(Outcome::wall_ms), of(Outcome::cpu_ms));
    }
    let best = |ms: fn(&Outcome) -> Option<f64>, dashboards: bool| -> Vec<f64> {
        let chosen = results.iter().filter(|result| result.query.dashboard || !dashboards);
        chosen.filter_map(|result| best_ratio(result, ms)).collect()
    };
    line("the best peer of each", best(Outcome::wall_ms, false), best(Outcome::cpu_ms, false));
    line("the best peer of each dashboard", best(Outcome::wall_ms, true), best(Outcome::cpu_ms, true));
    let count = |ms| best(ms, false).iter().filter(|ratio| **ratio >= 1.0).count();
    let (wall, cpu, all) = (count(Outcome::wall_ms), count(Outcome::cpu_ms), results.len());
    println!("\nnot slower than the best peer: {wall} of {all} by wall time, {cpu} by CPU time");
    let misses: Vec<String> = results.iter().filter_map(miss).collect();
    println!("without a right answer of Henge: {}", if misses.is_empty() { "none".into() } else { misses.join("; ") });
}

fn cell(outcome: &Outcome) -> String {
    match (outcome, outcome.wall_ms(), outcome.cpu_ms()) {
        (_, Some(wall), Some(cpu)) => format!("{} / {}", figure(wall), figure(cpu)),
        (Outcome::Wrong(_), ..) => "wrong".to_owned(),
        (Outcome::Failed(_), ..) => "error".to_owned(),
        (Outcome::Right(_), ..) => "right".to_owned(),
    }
}

fn miss(result: &QueryResult) -> Option<String> {
    match result.of(System::Henge)? {
        Outcome::Right(_) => None,
        Outcome::Wrong(text) | Outcome::Failed(text) => Some(format!("{}: {text}", result.query.id)),
    }
}

/// The limit of one core for each row that matches, what Henge takes with the request, the plan and the answer in it, and
/// how much of that is the limit.
fn beside_limit(result: &QueryResult) -> Option<String> {
    let limit_ns = result.query.limit.as_ref()?.ns;
    let ns = result.of(System::Henge)?.cpu_ms()? * 1e6 / result.limit_count.filter(|count| *count > 0.0)?;
    Some(format!("{limit_ns} | {} | {:.0} %", figure(ns), limit_ns / ns * 100.0))
}

/// How many times the system's time is Henge's.
fn ratio(result: &QueryResult, system: System, ms: fn(&Outcome) -> Option<f64>) -> Option<f64> {
    Some(ms(result.of(system)?)? / ms(result.of(System::Henge)?)?)
}

fn best_ratio(result: &QueryResult, ms: fn(&Outcome) -> Option<f64>) -> Option<f64> {
    let peers = result.of_systems.iter().filter(|of| of.system.is_peer());
    least(peers.filter_map(|of| ratio(result, of.system, ms)))
}

fn least(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.min_by(f64::total_cmp)
}

fn mean_text(ratios: &[f64]) -> String {
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    ratio_text((!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp()))
}

fn ratio_text(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"))
}

/// Three digits.
fn figure(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.3}"),
        ms if ms < 10.0 => format!("{ms:.2}"),
        ms if ms < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}
