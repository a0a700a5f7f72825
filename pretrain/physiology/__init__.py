"""What a window's beats and waves measure, and the heads that learn to tell it."""
