"""Go's text/template: text with actions in it, run over data.

:mod:`lex <swarmsim.go.template.lex>` makes words of the text, :mod:`parse <swarmsim.go.template.parse>` a tree
(:mod:`nodes <swarmsim.go.template.nodes>`) of the words, :mod:`execute <swarmsim.go.template.execute>` text of tree and
data; :mod:`functions <swarmsim.go.template.functions>` are those every template may call.
"""

from swarmsim.go.template.execute import Template
from swarmsim.go.template.functions import Function, Functions
from swarmsim.go.template.parse import TemplateError

__all__ = ["Function", "Functions", "Template", "TemplateError"]
