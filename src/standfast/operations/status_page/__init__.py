"""The status page: static files made from the log, replaced atomically, served by processes that need nothing else."""
