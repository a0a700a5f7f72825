"""Which concepts a record has: the task, its rivals, evaluation, and the model that is handed on."""
