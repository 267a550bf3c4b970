"""Frames and cine loops on disk: reading them, and the masks written beside them."""
