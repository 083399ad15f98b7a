"""Places, shapes, fences, coordinates and recordings: values in, values out, no input or output.

Nothing in here opens a socket, a database or a user's file, looks at the clock or draws a random
number. The only reading done is of the small data files packaged with it, once and on first use.
"""
