#!/usr/bin/env bash
# Builds the fuzz targets of a crate and runs them one after the other, nice: campaign.sh indexing|segment-store|ingest RUNS
# [TARGET...]. All crates share the workspace's target directory, or CARGO_TARGET_DIR. What a run says is kept in
# fuzz/artifacts; one line a target goes to standard output.
set -euo pipefail

crate=$1 runs=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/../../$crate"
nice -n 15 cargo +nightly fuzz build -s none
built=${CARGO_TARGET_DIR:-../target}/$(rustc -vV | sed -n 's/^host: //p')/release
if (($#)); then targets=("$@"); else mapfile -t targets < <(cargo +nightly fuzz list); fi

for target in "${targets[@]}"; do
  log=fuzz/artifacts/$target.log
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  started=$SECONDS status=0
  nice -n 15 "$built/$target" \
    -runs="$runs" -max_len=4096 -timeout=5 -report_slow_units=1 -malloc_limit_mb=256 -rss_limit_mb=1024 \
    -print_final_stats=1 -print_funcs=0 -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" "tests/corpus/$target" \
    >"$log" 2>&1 || status=$?
  done_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "$target: exit $status, ${done_runs:-no} runs in $((SECONDS - started)) s, $(date -u +%F)"
done
