"""Landfast: can this cluster keep a database on NFS alive and its data intact?"""

from importlib.metadata import version

__version__ = version("landfast")
