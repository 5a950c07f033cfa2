"""The network of one host as its kernel has it: namespaces, bridges, addresses, routes, rules and load balancers.

``layout`` finds what there is, ``rules`` what iptables has been told, ``text`` prints it as the tools of a real host do.
"""

from swarmsim.world.hostnet.layout import HOST, HostNet, NoPower, host_net
from swarmsim.world.hostnet.text import Part, shown

__all__ = ["HOST", "HostNet", "NoPower", "Part", "host_net", "shown"]
