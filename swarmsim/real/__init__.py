"""Real hosts behind the World protocol: what runs on the model runs on engines as well, and is seen with the same eyes.

===============  ==================================================================================================
module           what it is
===============  ==================================================================================================
``waits``        what an activity waits for, on wall time
``machine``      a host, and what is done to it: shell commands, each with the one that undoes it
``journal``      undoing: written down before anything is done, so that what is left behind can always be undone
``lab``          hosts on this machine: each a few namespaces of the kernel with an engine of its own
``named``        what ``--on`` names
``versions``     which engines hosts have, in words
``inventory``    somebody's own hosts: how they are reached, how their power is switched
``ssh``          one of them, behind the user's own ssh
``hosts``        all of them: lock, connections, a journal on each, as before at the end
``looking``      what managers show, asked of the engines' API and told in rows
``containers``   what runs, asked of each engine
``busy``         how busy hosts are: times of a busy one are worth little
``cluster``      hosts, what is typed on them and done to them, on wall time
``links``        links that are bad, and ports that are closed
``health``       health checks that fail from now on
``verbs``        the faults, as changes of machines
``mask``         no secret in a trace
``facts``        what a host is: asked without changing anything
``ports``        which ports hosts reach of each other, really tried
``doctor``       what is to be thought of both: whether a scenario can run, and a remedy for each line
``consent``      nothing without somebody's consent, which is remembered
``careful``      hosts that are somebody's: examined, refused, asked for
``before``       what hosts are like, so that they can be so again, and what is otherwise
``lent``         hosts that stay: a run on them from the first look to the last
``planned``      what faults would change, written down instead of made
``places``       what ``--on`` names
``command``      ``swarmsim lab``
``world``        all of it as a :class:`swarmsim.world.World`
===============  ==================================================================================================

A change is a line of shell that root runs on a host; nothing is done to a host that is not such a line. Nothing in here knows a
scenario, nor anything of the model.
"""
