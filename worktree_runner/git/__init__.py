"""Everything that talks to git. `gateway` is the only importer of GitPython."""
