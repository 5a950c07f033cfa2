"""The network, layer on layer; each knows only the one below it.

========================  ==================================================================================
module                    what it knows
========================  ==================================================================================
:mod:`.fabric`            links, latency, loss, cuts: whether one packet arrives, and when
:mod:`.datagrams`         UDP: a packet to (address, port); what is lost is lost
:mod:`.connection`        TCP: listeners, order, retransmission, FIN, RST, keep-alive
:mod:`.dialer`            TCP's beginning: SYN and its repeats
:mod:`.status`            how a call that was not answered ended, in gRPC's words
:mod:`.rpc`               gRPC's calls and streams, deadlines, errors and their words
:mod:`.channel`           gRPC's client: one connection to one target, reconnecting with backoff
:mod:`.server`            gRPC's server: methods behind a listener
========================  ==================================================================================

Listeners and sockets are their host's (:class:`.connection.NetStack`): they end with its power, without a sound, and with their owner's scope, with a FIN.
Nothing here knows of Swarm.
"""
