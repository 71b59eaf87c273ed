"""`python -m novasphere_agent` is `novasphere-agent`."""

from novasphere_agent.cli import console

if __name__ == "__main__":
    console()
