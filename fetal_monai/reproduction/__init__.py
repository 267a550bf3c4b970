"""Reproduction of a paper's tables: every row is trained and evaluated by the bundles' own commands, and compared."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
