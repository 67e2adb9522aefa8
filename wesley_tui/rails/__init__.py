"""The SQL that Wesley installs in the target database: numbered ``.sql`` files and nothing else."""
