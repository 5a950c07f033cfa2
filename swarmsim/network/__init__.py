"""Networks of the swarm (libnetwork): what nodes tell each other of them, and what they make of it.

======================  ==========================================================================================
module                  what it knows
======================  ==========================================================================================
:mod:`.records`         what the tables hold: endpoints of services, endpoints of overlays
:mod:`.messages`        what goes over the wire, and how many bytes that is
:mod:`.keyring`         the keys that one encrypts with
:mod:`.ports`           what the cores need of their transport: time, packets, connections
:mod:`.broadcasts`      messages that are handed on a number of times, the freshest first
:mod:`.suspicion`       how long a member is suspected before it is called dead
:mod:`.probe`           one look at another member, and doubting oneself
:mod:`.memberlist`      who is there
:mod:`.digest`          whether two members have the same
:mod:`.tables`          the entries of one node: Lamport times, owners, tombstones
:mod:`.nodes`           members that are there, failed or left, and looking for those that failed
:mod:`.bulksync`        two members compare all they have
:mod:`.networkdb`       the tables every member of a network has, and how they come to agree
:mod:`.agent`           all this on a host: its timers, packets and connections
:mod:`.resting`         when none of that is needed
:mod:`.loadbalancer`    IPVS: whose turn it is, and which connection goes where
:mod:`.resolver`        names and who answers for them
:mod:`.bindings`        load balancers, names and published ports, from the endpoints a daemon knows
:mod:`.icmp`            how often a kernel says that something cannot be reached
:mod:`.kernel`          what one host does with a packet: rules, load balancers, neighbours, containers
:mod:`.connection`      a client's connection through them, packet by packet
======================  ==========================================================================================

The cores do no input or output: their owner calls them when time has passed or something has arrived, and they ask their
:class:`~.ports.Transport` to send.
"""
