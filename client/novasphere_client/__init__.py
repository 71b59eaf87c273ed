"""The Python SDK and the `novasphere` command."""
