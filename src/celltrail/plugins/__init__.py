"""What celltrail hears from other libraries, one file each, by their own public hooks.

Each is an entry point of the group ``celltrail.plugins``, as those of other packages may be: its name is the library's,
its function ``on(library, hand)`` begins and returns what puts everything back; `celltrail.autolog` calls it.
"""
