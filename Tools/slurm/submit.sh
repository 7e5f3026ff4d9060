#!/bin/bash
# Divides a run of `evaluate` over a job array and joins the parts, from the root of the checkout:
#
#     Tools/slurm/submit.sh 4 --model nano --bench nano-math --samples 8
#
# SBATCH_FLAGS is given to sbatch for the parts, such as SBATCH_FLAGS="--time=2:00:00 --cpus-per-task=8".
set -euo pipefail
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
