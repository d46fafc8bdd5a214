"""Files and objects that hold rows: what is in them, found and said, nothing decided about the numbers.

Main       found.Found, what each reader gives; formats.read (a path), objects.of_object (an array, a DataFrame, ...).
"""
