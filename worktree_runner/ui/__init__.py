"""What the user sees and answers. Imports no git and makes no decision."""
