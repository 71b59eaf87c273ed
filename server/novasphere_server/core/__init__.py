"""Decides: the rules of nodes, commands, credentials and the link.

Knows neither gRPC nor SQL dialects.
"""
