import json, os, sys
def main(task):
    os.write(3, json.dumps({"task": task, "uid": os.getuid(), "fds": sorted(os.listdir("/proc/self/fd")), "cwd": os.getcwd(), "ls": os.listdir("."), "path": sys.path}).encode()+b"\n")
    open("out.txt","w").write("hello")
    print("printed"); print("err", file=sys.stderr)
    print(open("/proc/self/status").read())
    print(open("/proc/1/status").read())
    print(os.environ)
    print(os.listdir("/"))
