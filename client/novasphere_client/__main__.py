"""`python -m novasphere_client` is `novasphere`."""

from novasphere_client.cli import main

main()
