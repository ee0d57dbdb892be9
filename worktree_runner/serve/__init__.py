"""The endpoint with Agent Mail's tool names, a face of the registry and the mailbox."""
