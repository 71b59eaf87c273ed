"""The Novasphere server."""
