#!/bin/bash
# Eight workers for a sweep that `autofix sweep --storage` began, as a Slurm array:
#
#   sbatch slurm.sh                        # from the folder of the sweep, on a disk that the nodes share
#
# AUTOFIX_STORAGE comes from the environment or a file that only you can read; never from the command line, which
# everybody on the node can see.
#SBATCH --job-name=autofix
#SBATCH --array=0-7
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00
# SIGTERM two minutes before the time is up: the worker gives its cell back and ends.
#SBATCH --signal=TERM@120
#SBATCH --requeue
set -euo pipefail

study="${AUTOFIX_STUDY:-digits}"
if [[ -z "${AUTOFIX_STORAGE:-}" && -r "$HOME/.autofix-storage" ]]; then
  AUTOFIX_STORAGE="$(<"$HOME/.autofix-storage")"
fi
export AUTOFIX_STORAGE="${AUTOFIX_STORAGE:?set it, or write it into ~/.autofix-storage}"

# TensorFlow takes every core that it sees, whatever Slurm has given.
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
export TF_NUM_INTRAOP_THREADS="$OMP_NUM_THREADS"

cd "${SLURM_SUBMIT_DIR:-.}"
exec autofix worker --study "$study" --jobs 1 --wait 10m \
  --out "${SLURM_TMPDIR:-runs}/$study-${SLURM_ARRAY_TASK_ID:-0}"
