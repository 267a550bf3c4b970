"""Read frames and cine loops, and write masks."""
