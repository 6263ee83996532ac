"""A lecture as one HTML file: it runs, it steps, and it asks nothing of a kernel or a network."""

from seqlib.export.lecture import Exported, export_lecture
from seqlib.export.site import export_site

__all__ = ["Exported", "export_lecture", "export_site"]
