"""One rule per file; each says in its docstring why taking it is safe, and when it is not."""
