"""One small module per coding-agent command line, behind `agents.protocol`."""
