"""The swarm's certificate authority (ca/): its root certificate and the join tokens that prove it.

Certificates of single nodes, their renewal and CA rotation are not modelled yet; joining already asks
the CA with a token and waits for it as a node does.
"""
