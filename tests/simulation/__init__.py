"""The whole service, three replicas of it, in one process and in virtual time, against the sandbox and a model of the store.

One seed decides everything: who calls, who works, what breaks when. Whatever must hold whatever happens is asserted while
it runs, and again after a quiet minute.
"""
