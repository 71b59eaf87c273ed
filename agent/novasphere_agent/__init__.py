"""The Novasphere agent: makes a machine a node and runs what the server sends."""

__version__ = "0.1.0"
