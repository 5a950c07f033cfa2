"""The certificates of a run as true X.509, made from its trace when somebody asks for one.

:mod:`~swarmsim.pki.papers` has the certificates of a moment, :mod:`~swarmsim.pki.text` writes one out as ``openssl x509 -text`` does,
:mod:`~swarmsim.pki.export` writes those of all hosts to files.
"""

from swarmsim.pki.export import ExportError, export_pki, refuse_folder
from swarmsim.pki.papers import NoCertificate, Papers, papers_of
from swarmsim.pki.text import certificate_text

__all__ = ["ExportError", "NoCertificate", "Papers", "certificate_text", "export_pki", "papers_of", "refuse_folder"]
