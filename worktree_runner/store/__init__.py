"""Files that wtrun owns: `<git common dir>/wtrun/`, the journal, the registry, settings."""
