"""Remembers: transactions, the revision log, the cache that follows it, and watches."""
