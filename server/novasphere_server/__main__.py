"""`python -m novasphere_server`: the control plane without the `novasphere` command."""

import sys

from novasphere_server.cli import server

sys.exit(server(sys.argv[1:]))
