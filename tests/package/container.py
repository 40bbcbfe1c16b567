"""Runs a program as a container runtime does: a root of its own that is read-only, capabilities, a user, no new privileges.

One argument, JSON: root, programs, mounts [[source, target]], capabilities, user, environment, command. To be called in a mount
namespace of its own, private to it.
"""
import ctypes, json, os, shutil, subprocess, sys

NUMBERS = {"NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "PERFMON": 38, "BPF": 39}
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38

spec = json.loads(sys.argv[1])
root = spec["root"]
libc = ctypes.CDLL(None, use_errno=True)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def prctl(*numbers):
    if libc.prctl(*numbers, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {numbers}")


mount("-t", "tmpfs", "tmpfs", root)
for program in spec["programs"]:
    shutil.copy(program, root)
for source, target in [["proc", "/proc"], ["sysfs", "/sys"], *spec["mounts"]]:
    os.makedirs(root + target, exist_ok=True)
    if source in ("proc", "sysfs"):
        mount("-t", source, source, root + target)
    else:
        mount("--bind", source, root + target)
os.makedirs(root + "/dev")
for device in ["null", "random", "urandom", "zero"]:
    open(f"{root}/dev/{device}", "w").close()
    mount("--bind", f"/dev/{device}", f"{root}/dev/{device}")
mount("--bind", root + "/proc/sys", root + "/proc/sys")
mount("-o", "remount,bind,ro", root + "/proc/sys")
mount("-o", "remount,ro", root)
os.chroot(root)
os.chdir("/")
with open("/proc/sys/kernel/cap_last_cap") as last:
    capabilities = range(int(last.read()) + 1)
kept = {NUMBERS[name] for name in spec["capabilities"]}
for capability in capabilities:
    if capability not in kept:
        prctl(PR_CAPBSET_DROP, capability)
prctl(PR_SET_NO_NEW_PRIVS, 1)
os.setgroups([])
os.setresgid(spec["user"], spec["user"], spec["user"])
os.setresuid(spec["user"], spec["user"], spec["user"])
os.execve(spec["command"][0], spec["command"], spec["environment"])
