"""CPU per request of this service beside a bare WSGI service that gives the same answers.

`make bench` prints one table. It is no test: what matters is the ratio between two services that
were measured in turn in one run; a time by itself says more about the machine.
"""
