"""The agent: one machine of the fleet. Pure Python, no compiled packages."""
