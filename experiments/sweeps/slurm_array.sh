#!/bin/bash
# Runs one sweep on eight machines. Any of them may fail; the same command continues the sweep:
#   sbatch experiments/sweeps/slurm_array.sh
#
# STORAGE is a PostgreSQL database that all nodes reach. Without one, omit --storage if all nodes
# share the file system: the study is then stored in the sweep's folder. Leave the password out and
# put it into ~/.pgpass, because command lines can be read by all users of a node.
#SBATCH --job-name=sweep
#SBATCH --array=0-7
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@120  # Two minutes before the end, to save a checkpoint and free the trial.
#SBATCH --requeue
set -euo pipefail
: "${STORAGE:?postgresql://USER@HOST/DATABASE}"
exec srun python launch.py --experiment=vae_mnist --sweep=experiments/sweeps/vae_mnist.yaml \
  --num_trials=64 --storage="$STORAGE" --workdir=runs/vae_mnist/sweep --wandb=offline
