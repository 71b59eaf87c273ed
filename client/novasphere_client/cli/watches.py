"""`novasphere watch`: the watches of all nouns in one place."""

from __future__ import annotations

import typer

from novasphere_client.cli import commands, instances, jobs, keys, nodes, schedules, tasks

app = typer.Typer(no_args_is_help=True, help="Shows resources and every change to them.")
app.command("nodes")(nodes.watch_nodes)
app.command("commands")(commands.watch_commands)
app.command("jobs")(jobs.watch_jobs)
app.command("tasks")(tasks.watch_tasks)
app.command("instances")(instances.watch_instances)
app.command("schedules")(schedules.watch_schedules)
app.command("keys")(keys.watch_keys)
