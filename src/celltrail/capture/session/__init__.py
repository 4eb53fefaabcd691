"""What a kernel ran since it started: every execution, tracked or not, and how each one comes back."""
