"""What the conformance tests have done inside: each function is one deed, and answers in JSON.

Every deed is finite: should all limits fail, the machine must survive its tests.
"""

# Written the way students and attackers write, and one function may need no task.
# ruff: noqa: ARG001, FURB122, NPY002, PLC0415, PLW1510, PTH101, PTH102, PTH103, PTH108
# ruff: noqa: PTH109, PTH110, PTH112, PTH118, PTH120, PTH121, PTH123, PTH208, PTH211, RET503
# ruff: noqa: SIM105, T201

import ctypes
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time


def main(task):
    answer = globals()[task["do"]](task)
    tell(answer)


def tell(answer):
    os.write(3, json.dumps(answer).encode() + b"\n")


def refused(call, *args):
    """Whether a call ended in an error of the operating system."""
    try:
        call(*args)
    except OSError:
        return True
    return False


# ------------------------------------------------------------------ honest


def tells_what_is_handed_in(task):
    """Wait for it, and say it in every way there is."""
    with open("made.txt", "w") as file:
        file.write("before")
    kept = os.dup(1)
    print("before", flush=True)
    print("too", file=sys.stderr, flush=True)
    os.write(3, b'"ready"\n')
    with open(4, closefd=False) as file:
        secret = file.read()
    for descriptor in (1, 2, kept):
        os.write(descriptor, secret[:1000].encode())
    for name in ("made.txt", "told.txt"):
        with open(name, "w") as file:
            file.write(secret)
    time.sleep(1)
    with open(3, "w", closefd=False) as file:
        file.write(json.dumps(secret) + "\n")
    os._exit(0)


def honest(task):
    with open("made.txt", "w") as file:
        file.write("made inside")
    os.makedirs("deep/er")
    with open("deep/er/file.bin", "wb") as file:
        file.write(bytes(range(256)))
    print("on stdout")
    print("on stderr", file=sys.stderr)
    with open("laid/in.txt") as file:
        laid = file.read()
    with open(os.path.join(task["places"]["data"], "served.txt")) as file:
        served = file.read()
    child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
    return {
        "cwd_is_work": os.path.samefile(os.getcwd(), task["work"]),
        "laid": laid,
        "served": served,
        "extra": task["extra"],
        "child": child.stdout.strip(),
        "stdin": sys.stdin.read(),
        "descriptors": [int(name) for name in os.listdir("/proc/self/fd")],
        "hash": hash("the same in every run"),
        "keras_home": os.path.isdir(os.environ["KERAS_HOME"]),
        "package": __package__,
        "path": sys.path,
    }


def keras(task):
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.rand(64, 4)
    history = model.fit(x, x.argmax(1) % 3, epochs=2, verbose=0)
    model.save("model.keras")
    return {"loss": history.history["loss"]}


def draw(task):
    """What lies in matplotlib's folder before its first use, and after."""
    folder = os.environ["MPLCONFIGDIR"]

    def lies():
        names = (name for name in os.listdir(folder) if name.startswith("fontlist-"))
        return sorted([name, os.lstat(os.path.join(folder, name)).st_mtime] for name in names)

    before = lies()
    import matplotlib.font_manager

    matplotlib.font_manager.findfont("DejaVu Sans")
    return before, lies()


def sleep(task):
    tell("awake")
    time.sleep(task.get("seconds", 60))


# ------------------------------------------------------------------ looking for secrets


def environments(task):
    found = dict(os.environ)
    texts = [json.dumps(found)]
    for name in os.listdir("/proc"):
        for kind in ("environ", "cmdline"):
            try:
                with open(f"/proc/{name}/{kind}", "rb") as file:
                    texts.append(file.read().decode("latin-1"))
            except OSError:
                pass
    return texts


def read(task):
    answers = {}
    for path in task["paths"]:
        try:
            with open(path, "rb") as file:
                answers[path] = file.read(100).decode("latin-1")
        except OSError:
            try:
                answers[path] = os.listdir(path)
            except OSError:
                answers[path] = None
    return answers


def worth_ending(task):
    with open("/proc/self/oom_score_adj") as file:
        tell(int(file.read()))


def own_process(task):
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return {name: value.strip() for name, value in status.items()} | {"user": os.getuid()}


def memory_of_others(task):
    answers = {}
    for pid in {1, os.getppid()}:
        try:
            with open(f"/proc/{pid}/mem", "rb+"):
                answers[pid] = "opened"
        except OSError as error:
            answers[pid] = error.strerror
    return answers


# ------------------------------------------------------------------ getting out


def network(task):
    reached = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET, kind) as client:
                client.settimeout(1)
                client.sendto(b"x", 0x20000000, ("127.0.0.1", task["port"]))
                if kind == socket.SOCK_STREAM:
                    reached.append("fast open")
        except OSError:
            pass
        try:
            with socket.socket(socket.AF_INET, kind) as client:
                client.settimeout(1)
                client.connect(("127.0.0.1", task["port"]))
                client.send(b"x")
                if kind == socket.SOCK_STREAM:
                    reached.append("stream")
        except OSError:
            pass
    for address in (task["path"], "\0" + task["abstract"]):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
                reached.append("unix")
        except OSError:
            pass
        # a pair is allowed, and one of datagrams could be sent elsewhere
        try:
            left, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            left.sendto(b"x", task["datagrams"])
            reached.append("datagram")
        except OSError:
            pass
    return reached


def write_outside(task):
    done = []
    for path in task["paths"]:
        try:
            with open(path, "a") as file:
                file.write("x")
            done.append(path)
        except OSError:
            pass
    return done


def calls(task):
    """System calls that reach what no homework needs."""
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = {"keyctl": 250, "bpf": 321, "io_uring_setup": 425, "perf_event_open": 298}
    numbers |= {
        "userfaultfd": 323,
        "ptrace": 101,
        "shmget": 29,
        "mount": 165,
        "open_by_handle_at": 304,
    }
    numbers |= {"memfd_create": 319, "clone3": 435, "unshare": 272}
    answers = {}
    for name, number in numbers.items():
        ctypes.set_errno(0)
        result = libc.syscall(number, 0, 0, 0, 0, 0)
        answers[name] = [result, ctypes.get_errno()]
    answers["vsock"] = refused(socket.socket, 40, socket.SOCK_STREAM)
    return answers


def prlimit_parent(task):
    import resource

    return refused(resource.prlimit, task["host"], resource.RLIMIT_NOFILE, (4, 4))


def chmod(task):
    try:
        os.chmod(task["path"], 0o777)
    except OSError:
        pass
    return True


def signal_others(task):
    done = []
    for pid in task["pids"]:
        try:
            os.kill(pid, task["signal"])
            done.append(pid)
        except OSError:
            pass
    return done


def kill_all(task):
    tell("about to")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
    return "alive"


# ------------------------------------------------------------------ resources


def spin(task):
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pass


def hog(task):
    """Grow step by step; ``burst`` is who takes it as fast as it goes."""
    kept = []
    for _ in range(200):
        kept.append(bytearray(b"x" * (8 << 20)))
        time.sleep(0.02)
    time.sleep(30)


def hog_shared(task):
    shared = mmap.mmap(-1, task["size"])
    for start in range(0, task["size"], 1 << 20):
        shared[start : start + (1 << 20)] = b"x" * (1 << 20)
    time.sleep(30)


def burst(task):
    """Take memory as fast as it goes, and tell of each MiB that was got."""
    shared = mmap.mmap(-1, task["size"])
    for start in range(0, task["size"], 1 << 20):
        shared[start : start + (1 << 20)] = b"x" * (1 << 20)
        os.write(3, b"x")


def burst_below(task):
    """The same, in a child."""
    print("before", flush=True)
    child = os.fork()
    if not child:
        burst(task)
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(20)


def keep_written(task):
    """Have memory and files that together are more than the limit of memory."""
    kept = []
    for number in range(task["steps"]):
        kept.append(bytearray(b"x" * task["memory"]))
        with open(f"file{number}", "wb") as file:
            file.write(b"x" * task["disk"])
        time.sleep(0.1)
    return "kept"


def count_children(task):
    """Start processes as fast as it goes, and tell of each that was got."""
    for _ in range(task["most"]):
        try:
            if not os.fork():
                time.sleep(5)
                os._exit(0)
            os.write(3, b"x")
        except OSError:
            pass


def compute(task):
    """Compute in many threads at once."""
    import hashlib

    def work():
        end = time.monotonic() + 15
        while time.monotonic() < end:
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20_000)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compute_unseen(task):
    """Compute in processes that nobody waits for, each too short to be seen."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        read_end, write_end = os.pipe()
        if not os.fork():
            began = time.process_time()
            while time.process_time() < began + 0.01:
                pass
            os._exit(0)
        os.close(write_end)
        os.read(read_end, 1)
        os.close(read_end)


def leave_group(task):
    """Write to every file of control groups that can be found, and say where it worked."""
    done = []
    for folder in task["folders"]:
        for above, _, names in os.walk(folder):
            for name in names:
                if name in ("cgroup.procs", "tasks"):
                    value = b"0"
                elif name in ("memory.limit_in_bytes", "memory.max", "pids.max"):
                    value = b"-1" if name.endswith("bytes") else b"max"
                else:
                    continue
                try:
                    with open(os.path.join(above, name), "wb", buffering=0) as file:
                        file.write(value)
                    done.append(os.path.join(above, name))
                except OSError:
                    pass
    return done


def own_groups(task):
    with open("/proc/self/cgroup") as file:
        return file.read()


def share_much(task):
    """Forks that share their pages use no more than one of them."""
    kept = bytearray(b"x" * task["size"])
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            time.sleep(0.6)
            os._exit(len(kept) & 1)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return "shared"


def fork_bomb(task):
    # Finite and linear, not exponential: should every limit fail, the machine must survive.
    for _ in range(600):
        try:
            if not os.fork():
                time.sleep(20)
                os._exit(0)
        except OSError:
            time.sleep(0.01)
    time.sleep(20)


def threads(task):
    for _ in range(2000):
        try:
            threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        except RuntimeError:
            time.sleep(0.01)
    time.sleep(20)


def flood(task):
    chunk = b"\xff\x00flood " * 4096
    for _ in range(10_000):
        os.write(task["stream"], chunk)


def flood_messages(task):
    for _ in range(10_000):
        os.write(3, b"x" * 65536)


def fill_disk(task):
    for number in range(30):
        with open(f"file{number}", "wb") as file:
            try:
                for _ in range(16):
                    file.write(b"x" * (1 << 20))
            except OSError:
                time.sleep(0.05)
    time.sleep(30)


def fill_elsewhere(task):
    written = []
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        for number in range(2):
            path = f"{folder}/grader-fill-{os.getpid()}-{number}"
            try:
                with open(path, "wb") as file:
                    for _ in range(10):
                        file.write(b"x" * (1 << 20))
                written.append(path)
            except OSError:
                pass
    time.sleep(3 if written else 0)
    for path in written:
        os.unlink(path)
    return len(written)


def many_files(task):
    for number in range(400_000):
        try:
            os.mkdir(f"folder{number}")
        except OSError:
            time.sleep(0.05)


def litter(task):
    """Leave what is hard to remove."""
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    os.mkdir("closed")
    with open("closed/file", "w") as file:
        file.write("x")
    os.chmod("closed", 0)
    os.mkdir("made_closed", 0)
    return "littered"


# ------------------------------------------------------------------ outliving


def daemon(task):
    """Fork twice, leave the session, close nothing; then end."""
    with open("artefact", "w") as file:
        file.write("genuine")
    ready, tell_ready = os.pipe()
    if not os.fork():
        os.setsid()
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if task.get("detach", False):
                for stream in (0, 1, 2):
                    os.close(stream)
            for _ in range(4000):
                try:
                    with open(os.path.join(task["work"], "beat"), "a") as file:
                        file.write("x")
                except OSError:
                    pass
                os.write(tell_ready, b"x")
                time.sleep(0.005)
            os._exit(0)
        os._exit(0)
    os.read(ready, 1)
    tell(os.getpid())
    time.sleep(0.3)  # for the host to see the daemon while it lives
    return "done"


def hydra(task):
    """Processes that replace each other faster than they can be counted."""
    if os.fork():
        time.sleep(0.1)
        return "grown"
    os.setsid()
    deadline = time.monotonic() + 10  # should every limit fail, it ends by itself
    while time.monotonic() < deadline:
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            pass


# ------------------------------------------------------------------ ends


def end(task):
    how = task["how"]
    print("before the end", flush=True)
    if how == "raise":
        raise RuntimeError("as told")
    if how == "sys.exit":
        sys.exit(task["status"])
    if how == "os._exit":
        os._exit(task["status"])
    if how == "signal":
        os.kill(os.getpid(), task["status"])
        time.sleep(10)
    return "not ended"


# ------------------------------------------------------------------ neighbours


def meet(task):
    """Leave marks wherever a neighbour might look, and look for a neighbour's."""
    places = {"/tmp", "/dev/shm", "/var/tmp", os.path.dirname(os.path.dirname(task["work"]))}
    mark, wanted = f"grader-mark-{task['name']}", f"grader-mark-{task['other']}"
    mine = []
    for place in places:
        try:
            with open(os.path.join(place, mark), "w") as file:
                file.write(mark)
            mine.append(os.path.join(place, mark))
        except OSError:
            pass
    met = set()
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        for place in places:
            if os.path.exists(os.path.join(place, wanted)):
                met.add(place)
        time.sleep(0.02)
    for path in mine:
        os.unlink(path)
    return sorted(met)


# ------------------------------------------------------------------ artefacts


def artefacts(task):
    os.mkfifo("fifo")
    os.symlink(task["canary"], "symlink")
    os.mkdir("folder")
    os.symlink(os.path.dirname(task["canary"]), "linked")
    with open("sparse", "wb") as file:
        file.truncate(1 << 20)
    with open("empty", "wb"):
        pass
    with open("closed", "wb") as file:
        file.write(b"x")
    os.chmod("closed", 0)
    return sorted(os.listdir("."))
