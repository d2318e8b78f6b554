# SPDX-License-Identifier: GPL-2.0
"""Decides what of a guest's run passed and what failed.

The rule: a thing passed only if the evidence for it is there. What was not
said (an end line, a kernel log, a report) is a failure.
"""

import re
from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

BAD_LOG = re.compile(
    r"\bBUG\b|WARNING:|\bOops\b|Kernel panic|general protection|KASAN|UBSAN|KCSAN|KFENCE"
    r"|refcount_t|blocked for more than|scheduling while atomic|sleeping function"
    r"|INFO: (possible|trying|rcu|inconsistent|suspicious)|possible .*locking|inconsistent lock"
    r"|bad unlock balance|lock held when returning|soft lockup|detected stall"
    r"|DMA-API:|ODEBUG|kmemleak: .*suspected|Bad page|page allocation failure"
    r"|DMAR:.*\bfault\b|AMD-Vi: Event logged"
    r"|list_(add|del) corruption|Modules linked in|Unable to handle|left in memory|unregister_.*leak")
# What code of ours is called in a backtrace. The report of a data race has two of these,
# and an end; whose race it is, the innermost functions tell: those that access memory,
# and their callers, for whom they may do that.
OURS = re.compile(r"\[(dmoverio|dmover_sim)[_a-z]*\]")
RACE_ACCESS = re.compile(r"(read|write)( \([a-z, ]+\))? to 0x")
RACE_END = re.compile(r"={60}")
RACE_DEPTH = 2
# So often something was watched, at least, if our modules are; what else there is does
# not come near
LEAST_WATCHED = 2000
# What is said of a suite and its budget
IN_TIME = "keeps its budget of time"
# From here on the log is ours, see guest/init.
LOG_BEGIN = "dmoverio test begins"
# Here it goes down with a transfer in flight that takes seconds, some of which are over.
LOG_DOWN = "dmoverio goes down"
LEAST_WAIT = 0.5
# Beyond this load of each processor, by two guests at a time, a machine has other things to do
BUSY = 1.5
RESULT = re.compile(r"(?P<indent> *)(?P<verdict>not ok|ok) (?P<number>\d+)"
                    r"(?:(?: -)? (?P<name>[^#]*))?(?:# *SKIP *(?P<skip>.*))?$")
PLAN = re.compile(r"(?P<indent> *)1\.\.(?P<count>\d+)\s*(?:# *SKIP *(?P<skip>.*))?$")
EXIT_SKIP = 4           # kselftest's


@dataclass
class Result:
    """One thing that passed, failed or was skipped."""
    suite: str
    name: str
    outcome: str
    why: list = field(default_factory=list)


def _cases(program):
    """The results and plans a program printed, those of the level we count.

    Selftests print flat TAP. KUnit nests: suites, cases in them, parameters in
    those; its cases are what we count.
    """
    level = 4 if program.suite == "kunit" else 0
    results, planned, skip_all, running, outer = [], 0, None, "", []
    for line in program.lines:
        started = re.match(r"# +RUN +(\S+)", line)
        running = started.group(1) if started else running
        plan = PLAN.match(line)
        if plan and len(plan["indent"]) == level:
            planned += int(plan["count"])
            skip_all = plan["skip"] if plan["skip"] is not None else skip_all
        result = RESULT.match(line)
        if not result or len(result["indent"]) > level:
            continue
        name = (result["name"] or "").strip() or running or result["number"]
        outcome = FAILED if result["verdict"] == "not ok" else \
            SKIPPED if result["skip"] is not None else PASSED
        entry = (name, outcome, (result["skip"] or "").strip(), line)
        (results if len(result["indent"]) == level else outer).append(entry)
    return results, planned, skip_all, outer


def _skip(program, name, reason, expected, used):
    """A skip passes as one only if it is expected."""
    for index, row in enumerate(expected.skips):
        for what in (name, reason):
            if what and re.fullmatch(row["test"], f"{program.suite}/{program.name}: {what}"):
                used.add(index)
                return Result(program.suite, f"{program.name}: {name}", SKIPPED, [row["reason"]])
    return Result(program.suite, f"{program.name}: {name}", FAILED,
                  [f"skipped, which is not expected: {reason or 'no reason given'}"])


def _held(pins):
    acquired, _, released = pins.partition("-")
    return int(acquired) - int(released)


def _ending(program, failed):
    """What is wrong with how a program began and ended, beyond its own results."""
    if program.dma_debug_off:
        yield "it ran without DMA-API debugging, which one before it switched off"
    if program.status is None:
        yield "its end line never came"
        return
    if program.status in (124, 137, 143):
        yield "killed: it took too long"
    elif program.status not in (0, EXIT_SKIP) and not failed:
        yield f"exit status {program.status} with no failed case"
    held = _held(program.pins_after) - _held(program.pins_before)
    if held:
        yield f"pins are not balanced: {held:+d} pages ({program.pins_before} before, " \
              f"{program.pins_after} after)"


def judge_program(program, expected, used=None):
    """The results of one test program."""
    used = set() if used is None else used
    cases, planned, skip_all, outer = _cases(program)
    found = []
    for name, outcome, reason, line in cases:
        if outcome == SKIPPED:
            found.append(_skip(program, name, reason, expected, used))
        else:
            why = _around(program.lines, line) if outcome == FAILED else []
            found.append(Result(program.suite, f"{program.name}: {name}", outcome, why))
    if not cases and planned == 0 and (skip_all is not None or program.status == EXIT_SKIP):
        found.append(_skip(program, "all", skip_all or "", expected, used))
    failed = any(outcome == FAILED for _, outcome, _, _ in cases)
    wrong = list(_ending(program, failed))
    if len(cases) != planned:
        wrong.append(f"{planned} results planned, {len(cases)} came")
    if not found:
        wrong.append("it reported nothing")
    if not failed:
        wrong += [line for _, outcome, _, line in outer if outcome == FAILED]
    if wrong:
        found.append(Result(program.suite, program.name, FAILED, wrong + program.lines[-8:]))
    return found


def _around(lines, line):
    """The lines a failed case printed, back to the result before it."""
    end = lines.index(line)
    begin = end
    while begin > 0 and end - begin < 30 and not RESULT.match(lines[begin - 1]):
        begin -= 1
    return lines[begin:end + 1]


def _near(pattern, log, number):
    """Whether one of the few lines from a bad one to the next bad one matches."""
    for offset, line in enumerate(log[number:number + 6]):
        if offset and BAD_LOG.search(line):
            return False
        if re.search(pattern, line):
            return True
    return False


def _race_elsewhere(log, number):
    """Whether here begins the whole report of a data race, and it is none of ours."""
    if "BUG: KCSAN: " not in log[number]:
        return False
    depth = 0
    for line in log[number + 1:]:
        depth = 0 if RACE_ACCESS.search(line) else depth + 1
        if RACE_END.search(line):
            return True
        if depth <= RACE_DEPTH and OURS.search(line):
            return False
    return False


def judge_log(log, expected):
    """What is bad in a kernel log since the module was loaded."""
    since = _since_load(log)
    if since is None:
        return ["the log does not reach back to where the module was loaded"]
    return excerpts(since, expected)


def _since_load(log):
    begin = [number for number, line in enumerate(log) if LOG_BEGIN in line]
    return log[begin[-1] + 1:] if begin else None


def excerpts(log, expected):
    """Bad lines of a log that are not expected, with what follows them."""
    bad, quiet_until = [], 0
    for number, line in enumerate(log):
        if number < quiet_until or not BAD_LOG.search(line) or _race_elsewhere(log, number):
            continue
        if not any(re.search(row["line"], line) and _near(row["near"], log, number)
                   for row in expected.log):
            bad += log[number:number + 25]
            quiet_until = number + 25
    return bad


def _went_down(transcript, console, expected):
    """What is wrong with how a guest powered off with a transfer in flight."""
    if not transcript.busy:
        return ["no transfer was in flight"]
    begin = [number for number, line in enumerate(console) if LOG_DOWN in line]
    after = console[begin[-1]:] if begin else []
    times = [float(match[1]) for match in
             (re.search(rf"\[ *(\d+\.\d+)\] ({LOG_DOWN}|reboot: )", line) for line in after)
             if match]
    if len(times) < 2:
        return ["the console does not show it", *after]
    bad = excerpts(after, expected) + [line for line in after if "still under way" in line]
    if times[-1] - times[0] < LEAST_WAIT:
        bad.append(f"it did not wait for the transfer: {times[0]}, {times[-1]}")
    return bad


def judge_time(guest, took, load):
    """Whether each suite kept its budget; LOAD is how busy each processor was."""
    for suite, budget in guest.budget.items():
        if suite not in took:
            continue
        why = f"{took[suite]:.0f} s of {budget} s"
        outcome = PASSED if took[suite] <= 2 * budget else FAILED if load <= BUSY else SKIPPED
        yield Result(suite, IN_TIME, outcome,
                     [] if outcome == PASSED else [f"{why}, load {load:.1f}"])


def _raced(report):
    """What is wrong with what the checker of data races says of itself."""
    if report is None:
        return ["no report came"]
    said = dict(line.split(": ", 1) for line in report if ": " in line)
    watched = int(said.get("setup_watchpoints", 0))
    at_work = said.get("enabled") == "1" and watched >= LEAST_WATCHED
    return [] if at_work else ["it was not at work", *report]


def judge_guest(transcript, ending, expected, checkers=False, console=(), busy_off=False,
                kcsan=False):
    """All results of a guest's run: its programs' and those about the guest itself."""
    used = set()
    results = [r for p in transcript.programs for r in judge_program(p, expected, used)]
    last = list(console)[-15:]

    def check(name, why):
        results.append(Result("guest", name, FAILED if why else PASSED, why))

    why = []
    if ending.hung:
        why.append("it hung and was killed")
    if transcript.release is None:
        why.append("it never came up")
    elif not transcript.done:
        why.append(f"it never came to its end, exit status {ending.status}")
    elif ending.status:
        why.append(f"exit status {ending.status}")
    if not transcript.programs:
        why.append("no test program was run")
    why += ending.complaints
    check("runs from start to end", why and why + last)
    if transcript.release is None:
        return results, []
    check("module loads", [] if transcript.load == 0 else transcript.noise[-5:] or ["no"])
    check("module unloads", [] if transcript.unload == 0 else transcript.noise[-5:] or ["no"])
    if transcript.log is None:
        check("kernel log is clean", ["it never came; on the console:"]
              + excerpts(_since_load(console) or list(console), expected)[:60])
    else:
        check("kernel log is clean", judge_log(transcript.log, expected))
    if checkers:
        check("lockdep is at work", [] if transcript.lockdep == 1 else
              ["it has gone off" if transcript.lockdep == 0 else "it says nothing"])
        check("no memory leaks", ["no report came"] if transcript.kmemleak is None
              else transcript.kmemleak[:40])
    if kcsan:
        check("data races are looked for", _raced(transcript.kcsan))
    if busy_off:
        check("powers off with a transfer in flight",
              _went_down(transcript, list(console), expected))
    ran = {f"{p.suite}/{p.name}" for p in transcript.programs}
    notes = [f"expected skip did not occur: {row['test']}"
             for index, row in enumerate(expected.skips)
             if index not in used and any(name in row["test"] for name in ran)]
    return results, notes
