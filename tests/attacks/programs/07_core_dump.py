#: row = 7
#: says = "asks for a dump of its memory, and crashes"
#: control = "core"
#: ending = ["killed"]
import os
import resource

try:
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
except (OSError, ValueError):
    pass
if resource.getrlimit(resource.RLIMIT_CORE)[0]:
    won("a dump would be written")
os.kill(os.getpid(), 6)
