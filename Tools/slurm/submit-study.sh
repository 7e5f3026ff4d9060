#!/bin/bash
# Divides a study over a job array and draws it, from the root of the checkout:
#
#     Tools/slurm/submit-study.sh 4 studies/nano.yaml [--folder out/study-nano]
#
# SBATCH_FLAGS is given to sbatch for the parts, such as SBATCH_FLAGS="--time=12:00:00 --cpus-per-task=8".
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 PARTS STUDY [FLAG...]" >&2
  exit 2
fi
if ! command -v sbatch >/dev/null; then
  echo "error: there is no sbatch here; this script is for a Slurm cluster. Without one, 'bin/study run FILE --shard 1/4' computes a part by hand (docs/study.md)." >&2
  exit 1
fi
parts=$1
shift
here=$(dirname "$0")
logs=${LOGS:-out/study-logs}
mkdir -p "$logs"
# shellcheck disable=SC2086  # several flags in one variable
job=$(sbatch --parsable --array="0-$((parts - 1))" --output="$logs/part-%a.log" ${SBATCH_FLAGS:-} \
  "$here/study-part.sbatch" "$@")
# afterany: the report says what is missing when a part failed.
report=$(sbatch --parsable --dependency="afterany:$job" --output="$logs/report.log" "$here/study-report.sbatch" "$@")
echo "parts: job $job, drawn by job $report; logs are in $logs"
