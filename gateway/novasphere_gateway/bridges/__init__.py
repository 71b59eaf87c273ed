"""Protocols that are no projection of an RPC: each is translated into one by hand."""
