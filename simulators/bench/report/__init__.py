"""A page with plots about one benchmark: HTML and SVG in one file, without scripts."""
