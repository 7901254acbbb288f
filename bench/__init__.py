"""CPU per request of this service beside a bare WSGI service that gives the same answers.

`make bench` prints one table. The bench is no test: only the ratio of two services that are
measured in turn in one run matters; a single time says more about the machine.
"""
