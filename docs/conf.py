"""How the documentation is built (Sphinx): ``make docs``."""

from swarmsim.version import VERSION

project = "swarmsim"
author = "the swarmsim developers"
release = VERSION
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = []
html_theme = "furo"
html_title = f"swarmsim {VERSION}"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
suppress_warnings = ["myst.xref_missing", "ref.class", "ref.func"]
# A page needs no network: no fonts or scripts from elsewhere.
html_show_sourcelink = False
