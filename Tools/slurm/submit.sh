#!/bin/bash
# Divides a run of `evaluate` over a job array and joins the parts, from the root of the checkout:
#
#     Tools/slurm/submit.sh 4 --model nano --bench nano-math --samples 8
#
# SBATCH_FLAGS is given to sbatch for the parts, such as SBATCH_FLAGS="--time=2:00:00 --cpus-per-task=8".
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 PARTS FLAG..." >&2
  exit 2
fi
if ! command -v sbatch >/dev/null; then
  echo "error: there is no sbatch here; this script is for a Slurm cluster. Without one, 'bin/evaluate ... --shard 1/4' computes a part by hand, and 'bin/evaluate merge' joins the parts (docs/evaluate.md)." >&2
  exit 1
fi
parts=$1
shift
here=$(dirname "$0")
folder=${FOLDER:-runs/array-$(date +%Y%m%d-%H%M%S)}
mkdir -p "$folder"
# shellcheck disable=SC2086  # several flags in one variable
job=$(sbatch --parsable --array="0-$((parts - 1))" --output="$folder/part-%a.log" ${SBATCH_FLAGS:-} \
  "$here/part.sbatch" "$folder" "$@")
# afterany: with afterok one failed part would cancel the job that says which part is missing.
merge=$(sbatch --parsable --dependency="afterany:$job" --output="$folder/merge.log" "$here/merge.sbatch" "$folder")
echo "parts: job $job, joined by job $merge; everything is in $folder"
