"""Exit codes that the commands share, besides 0 (done) and 1 (some files failed)."""

USAGE_ERROR = 2
INTERRUPTED = 130
"""As shells have it after Ctrl-C."""
