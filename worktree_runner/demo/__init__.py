"""The project that `wtrun demo` makes: a small expense tracker, planned in seven plans."""
