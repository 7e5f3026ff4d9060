#!/bin/bash
# Tries submit.sh on a one-node Slurm of its own, as root on Debian or Ubuntu, from the root of a checkout that is built:
# a run in four parts, one of them stopped and requeued, must give the journal of the undivided run up to times, and a
# study in three parts the results of the undivided study.
# Needs: apt-get install --no-install-recommends slurm-wlm munge
set -euo pipefail
work=$(mktemp -d)
mkdir -p "$work"/{state,spool,log} /run/munge /var/log/munge /var/lib/munge
chown munge:munge /run/munge /var/log/munge /var/lib/munge
export SLURM_CONF=$work/slurm.conf
cat > "$SLURM_CONF" <<C
ClusterName=local
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=$(hostname -s) CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
C
stop() {
  for daemon in slurmd slurmctld; do
    [ -f "$work/$daemon.pid" ] && kill "$(cat "$work/$daemon.pid")" 2> /dev/null
  done
  [ -f /run/munge/munged.pid ] && kill "$(cat /run/munge/munged.pid)" 2> /dev/null
  rm -rf "$work"
}
trap stop EXIT
runuser -u munge -- /usr/sbin/munged --foreground > "$work/log/munged" 2>&1 &
slurmctld -D -c > "$work/log/slurmctld" 2>&1 &
sleep 2
slurmd -D -N localhost > "$work/log/slurmd" 2>&1 &
for _ in $(seq 30); do sinfo --noheader 2> /dev/null | grep -q idle && break; sleep 1; done
sinfo

run=(--model nano-0.5m --bench nano-math --limit 200 --samples 4)
bin/evaluate "${run[@]}" --journal "$work/undivided.jsonl" > /dev/null 2>&1
submitted=$(FOLDER=$work/parts Tools/slurm/submit.sh 4 "${run[@]}")
echo "$submitted"
until grep -qs '"sample"' "$work/parts/part-0.jsonl"; do sleep 0.05; done
scontrol requeue "$(sed 's/parts: job \([0-9]*\),.*/\1/' <<< "$submitted")_0"  # Slurm holds it for two minutes
for _ in $(seq 300); do [ -s "$work/parts/merge.log" ] && [ -z "$(squeue --noheader)" ] && break; sleep 1; done
cat "$work/parts/merge.log"
python3 - "$work/undivided.jsonl" "$work/parts/whole.jsonl" <<'P'
import json, sys
def records(path):
    lines = [json.loads(line) for line in open(path)]
    for line in lines[1:]:
        line["response"].pop("cost")  # time and memory
    return lines
one, other = map(records, sys.argv[1:])
assert one == other, "the joined journal is not that of the undivided run"
print(f"{len(one)} records, the same as undivided")
P

cat > "$work/study.yaml" <<'Y'
name: slurm
title: Three parts
tasks: {nano-math: math}
limit: 20
temperature: 0.6
grids:
  - benchmarks: [nano-math]
    models: [nano-0.15m, nano-0.5m]
    bits: [16, 4]
    kv: [bf16, "rkv:64,buffer=16"]
    budgets: [16, 64]
    samples: [1, 3]
Y
bin/study run "$work/study.yaml" --folder "$work/alone" > /dev/null 2>&1
LOGS=$work/logs Tools/slurm/submit-study.sh 3 "$work/study.yaml" --folder "$work/divided"
for _ in $(seq 300); do [ -s "$work/logs/report.log" ] && [ -z "$(squeue --noheader)" ] && break; sleep 1; done
tail -3 "$work/logs/report.log"
python3 - "$work"/{alone,divided}/results.json <<'P'
import json, sys
def points(path):
    found = json.load(open(path))["points"]
    for point in found:
        point.pop("seconds")
    return found
one, other = map(points, sys.argv[1:])
assert one == other and len(one) == 32, "the divided study differs"
print(f"{len(one)} scenarios, the same as undivided")
P
