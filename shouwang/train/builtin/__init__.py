"""The recipe of the built-in model: from named data and a named backbone to the files that ship."""
