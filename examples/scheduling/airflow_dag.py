"""An Airflow DAG: retrain every night, and deploy only if there is a new champion.

`--exit-code-healthy 99` is Airflow's code for a task that is skipped, and with it what follows. The last line of the
command is JSON and becomes the task's XCom.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

FOLDER = os.environ.get("CHURN_FOLDER", "/srv/churn")

with DAG(
    dag_id="retrain_churn",
    schedule="17 3 * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
) as dag:
    retrain = BashOperator(
        task_id="retrain",
        cwd=FOLDER,
        append_env=True,
        bash_command="autofix retrain pipeline.yaml --exit-code-healthy 99",
        skip_on_exit_code=99,
        # For 75, a lock or a full disk, and for a worker that was lost: the same command goes on where it was.
        retries=2,
        retry_delay=timedelta(minutes=10),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=2),
    )
    deploy = BashOperator(
        task_id="deploy",
        cwd=FOLDER,
        append_env=True,
        env={"RETRAINED": "{{ ti.xcom_pull(task_ids='retrain') }}"},
        bash_command='echo "$RETRAINED" > deployed.json && readlink models/current',
    )
    retrain >> deploy
