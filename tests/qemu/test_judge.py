# SPDX-License-Identifier: GPL-2.0
"""Proves that the judge judges: each way for a guest to fail must be seen.

GOOD is what a guest says when all is well; every case changes one thing.
"""

import unittest
from types import SimpleNamespace

from harness import judge
from harness.config import Expectations
from harness.machine import Ending
from harness.transcript import Transcript

GOOD = """\
@dmio start 6.1.0-test
@dmio load 0
@dmio begin selftests classic 10-10 N
TAP version 13
1..3
ok 1 copy
# odd but harmless
#  RUN           global.needs_dma ...
ok 2 # SKIP no DMA engine
ok 3 - fill
@dmio end selftests classic 0 12 20-20
@dmio begin kunit kunit 20-20 -
    # Subtest: seg
    1..2
        # Subtest: cut
        ok 1 one page
        ok 2 two pages
    ok 1 - cut
    ok 2 - join
ok 1 - seg
@dmio end kunit kunit 0 12 20-20
@dmio unload 0
@dmio lockdep 1
@dmio kmemleak
@dmio end-kmemleak
@dmio log
[    0.5] WARNING: of the boot, before our time
[    1.0] dmoverio test begins
[    1.1] dmoverio: ready
[    1.2] DMAR: Intel(R) Virtualization Technology for Directed I/O
[    1.2] AMD-Vi: Interrupt remapping enabled
[    1.2] WARNING: suspicious RCU usage
[    1.3] arch/um/kernel/process.c:1 known noise
@dmio end-log
@dmio done
"""

EXPECTED = Expectations(
    [{"guest": "*", "test": "selftests/classic: global.needs_dma", "reason": "no channel"}],
    [{"guest": "*", "line": "suspicious RCU usage", "near": "arch/um/", "reason": "UML"}])

BAD_LINES = """\
BUG: kernel NULL pointer dereference, address: 0000000000000000
BUG: KASAN: slab-use-after-free in dmio_get
BUG: scheduling while atomic: test/12/0x00000002
BUG: sleeping function called from invalid context at mm/gup.c:1
WARNING: CPU: 0 PID: 1 at module/request.c:10
WARNING: possible circular locking dependency detected
WARNING: suspicious RCU usage
Oops: 0000 [#1] PREEMPT SMP
general protection fault, probably for non-canonical address
refcount_t: underflow; use-after-free.
UBSAN: array-index-out-of-bounds in module/func.c:1
INFO: task test:33 blocked for more than 120 seconds.
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
DMA-API: device driver frees DMA memory it has not allocated
DMAR: [DMA Write NO_PASID] Request device [00:05.0] fault addr 0xffb60000 [fault reason 0x05] PTE
DMAR: DRHD: handling fault status reg 2
ioatdma 0000:00:05.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0x0 flags=0x000a]
ODEBUG: free active (active state 0) object type: work_struct
rcu: INFO: rcu_sched detected stalls on CPUs/tasks
Kernel panic - not syncing: Fatal exception""".splitlines()

RACE = """\
[    1.1] ==================================================================
[    1.1] BUG: KCSAN: data-race in {0} / {1}
[    1.1] read-write (marked) to 0xffff888004a0c0d8 of 4 bytes by task 33 on cpu 1:
[    1.1]  {0}+0x3c/0x60{2}
[    1.1]  mod_delayed_work_on+0x3f/0x80
[    1.1] read to 0xffff888004a0c0d8 of 4 bytes by task 34 on cpu 0:
[    1.1]  {1}+0x1c/0x20{3}
[    1.1] Reported by Kernel Concurrency Sanitizer on:
[    1.1] =================================================================="""
# A value that was watched has changed, nobody knows by whom
CHANGE = """\
[    1.1] ==================================================================
[    1.1] BUG: KCSAN: data-race in {0}+0x3c/0x60{1}
[    1.1] race at unknown origin, with read to 0xffff888004a0c0d8 of 4 bytes by task 33 on cpu 1:
[    1.1]  {0}+0x3c/0x60{1}
[    1.1] value changed: 0x00000001 -> 0x00000000
[    1.1] Reported by Kernel Concurrency Sanitizer on:
[    1.1] =================================================================="""

# what is replaced, by what, and what must be said about it
CASES = [
    ("@dmio start 6.1.0-test\n", "", "never came up"),
    ("@dmio done\n", "", "never came to its end"),
    ("@dmio end selftests classic 0 12 20-20\n", "", "its end line never came"),
    ("@dmio load 0", "@dmio load 1", "no"),
    ("@dmio unload 0", "@dmio unload 1", "no"),
    ("@dmio unload 0\n", "", "no"),
    ("@dmio lockdep 1", "@dmio lockdep 0", "it has gone off"),
    ("@dmio lockdep 1\n", "", "it says nothing"),
    ("@dmio kmemleak\n@dmio end-kmemleak\n", "", "no report came"),
    ("@dmio kmemleak\n", "@dmio kmemleak\nunreferenced object 0xffff (size 32):\n",
     "unreferenced object"),
    ("@dmio log\n", "", "it never came"),
    ("[    1.0] dmoverio test begins\n", "", "does not reach back"),
    ("arch/um/kernel/process.c:1 known noise", "module/cq.c:1", "suspicious RCU usage"),
    ("ok 1 copy", "not ok 1 copy", "not ok 1 copy"),
    ("    ok 2 - join", "    not ok 2 - join", "not ok 2 - join"),
    ("ok 1 - seg", "not ok 1 - seg", "not ok 1 - seg"),
    ("1..3", "1..4", "4 results planned, 3 came"),
    ("    1..2", "    1..1", "1 results planned, 2 came"),
    ("1..3\n", "", "0 results planned, 3 came"),
    ("    # Subtest: seg\n    1..2\n", "", "0 results planned, 2 came"),
    ("classic 0 12", "classic 1 12", "exit status 1 with no failed case"),
    ("classic 0 12", "classic 139 12", "exit status 139"),
    ("classic 0 12", "classic 124 12", "took too long"),
    ("12 20-20\n@dmio begin kunit", "12 20-19\n@dmio begin kunit", "+1 pages"),
    ("classic 10-10 N", "classic 10-10 Y", "without DMA-API debugging"),
    ("ok 3 - fill", "ok 3 - fill # SKIP not today", "skipped, which is not expected: not today"),
    ("ok 1 copy\n", "1..0 # SKIP no device\n", "2 came"),
] + [("dmoverio: ready", line, line) for line in BAD_LINES]


def judged(text, ending=None, **more):
    """Results and notes for a whole transcript."""
    transcript = Transcript()
    for line in text.splitlines():
        transcript.feed(line)
    return judge.judge_guest(transcript, ending or Ending(0, False, 1.0), EXPECTED, True,
                             **more)


def complaints(results):
    """All that was said about failures."""
    return "\n".join(line for r in results if r.outcome == judge.FAILED for line in r.why)


class Judge(unittest.TestCase):
    """The verdict on whole guest runs."""

    def test_good_run_passes(self):
        """Nothing to complain of, and everything counted."""
        results, notes = judged(GOOD)
        self.assertEqual(complaints(results), "")
        outcomes = [r.outcome for r in results]
        self.assertEqual(outcomes.count(judge.PASSED), 2 + 2 + 6)
        self.assertEqual(outcomes.count(judge.SKIPPED), 1)
        self.assertEqual(notes, [])

    def test_each_failure_is_seen(self):
        """One change, one complaint."""
        for old, new, complaint in CASES:
            with self.subTest(old=old, new=new):
                self.assertIn(old, GOOD)
                results, _ = judged(GOOD.replace(old, new, 1))
                self.assertIn(complaint, complaints(results))

    def test_endings(self):
        """A hang, a wrong exit status, a failed device fail a run whose transcript is good."""
        for ending in (Ending(0, True, 9.0), Ending(127, False, 1.0),
                       Ending(0, False, 1.0, ["the device died"])):
            with self.subTest(ending=ending):
                self.assertNotEqual(complaints(judged(GOOD, ending)[0]), "")

    def test_races(self):
        """Data races are judged if something of ours takes part, and the report is whole."""
        ours, sim = " [dmoverio]", " [dmover_sim]"
        elsewhere = RACE.format("vma_link", "find_vma", "", "")
        caller = "mod_delayed_work_on+0x3f/0x80"
        for report, complaint in (
                (elsewhere, ""), (RACE.format("cq_a", "cq_b", ours, ours), "in cq_a / cq_b"),
                (RACE.format("find_vma", "cq_b", "", ours), "in find_vma / cq_b"),
                (RACE.format("sim_a", "find_vma", sim, ""), "in sim_a / find_vma"),
                (elsewhere + "\n" + RACE.format("a", "b", ours, ""), "in a / b"),
                (elsewhere.replace(caller, "caller" + ours), "in vma_link / find_vma"),
                (elsewhere.replace(caller, f"{caller}\n[    1.1]  caller{ours}"), ""),
                (CHANGE.format("cq_a", ours), "in cq_a"), (CHANGE.format("find_vma", ""), ""),
                (elsewhere.replace("Reported", "BUG: x"), "BUG: x"),
                (elsewhere[:elsewhere.rindex("\n")], "in vma_link / find_vma")):
            with self.subTest(report=report):
                found = complaints(judged(GOOD.replace("[    1.1] dmoverio: ready", report))[0])
                self.assertIn(complaint, found)
                self.assertEqual(bool(complaint), bool(found))

    def test_races_are_looked_for(self):
        """The checker of data races says that it was at work."""
        for said, good in (("enabled: 1\nused_watchpoints: 0\nsetup_watchpoints: 9999\n", True),
                           ("enabled: 0\nsetup_watchpoints: 9999\n", False),
                           ("enabled: 1\nsetup_watchpoints: 99\n", False), ("", False)):
            with self.subTest(said=said):
                text = GOOD.replace("@dmio log", f"@dmio kcsan\n{said}@dmio end-kcsan\n@dmio log")
                self.assertEqual(good, not complaints(judged(text, kcsan=True)[0]))
        self.assertIn("no report came", complaints(judged(GOOD, kcsan=True)[0]))

    def test_power_off(self):
        """A transfer in flight is waited for, in good order, and the console shows it."""
        good = ["[    1.5] dmoverio goes down", "[    3.9] reboot: System halted"]
        for busy, console, complaint in (
                ("busy 4096", good, ""), ("busy 0", good, "no transfer"), ("", good, "no transfer"),
                ("busy 4096", [], "does not show"), ("busy 4096", good[:1], "does not show"),
                ("busy 4096", [good[0], "[    1.6] reboot: System halted"], "did not wait"),
                ("busy 4096", [good[0], "[ 3.8] dmoverio: DMA transfers are still under way",
                               good[1]], "still under way"),
                ("busy 4096", [good[0], "[    2.0] BUG: one", good[1]], "BUG: one")):
            with self.subTest(busy=busy, console=console):
                text = GOOD.replace("@dmio done", f"@dmio {busy}\n@dmio done" if busy
                                    else "@dmio done")
                results, _ = judged(text, console=console, busy_off=True)
                self.assertIn(complaint, complaints(results))
                self.assertEqual(bool(complaint), bool(complaints(results)))

    def test_nothing_ran(self):
        """No programs, or one without a result, is no success."""
        begin = GOOD.index("@dmio begin selftests")
        without = GOOD[:begin] + GOOD[GOOD.index("@dmio unload"):]
        self.assertIn("no test program", complaints(judged(without)[0]))
        silent = without.replace("@dmio unload", "@dmio begin kunit kunit 0-0 -\n"
                                 "@dmio end kunit kunit 0 1 0-0\n@dmio unload")
        self.assertIn("reported nothing", complaints(judged(silent)[0]))

    def test_whole_program_skip(self):
        """A program that skips itself needs an expectation, too."""
        begin, end = GOOD.index("TAP version"), GOOD.index("@dmio end selftests")
        skipped = GOOD[:begin] + "1..0 # SKIP no device\n" + GOOD[end:]
        skipped = skipped.replace("classic 0 12", "classic 4 12")
        self.assertIn("no device", complaints(judged(skipped)[0]))

    def test_expectations_are_for_guests(self):
        """By name, by what a guest is based on, for all; and not for those excepted."""
        rows = [{"guest": "*"}, {"guest": "a"}, {"guest": "b"}, {"guest": "*", "but": ["b"]}]
        for name, bases, mine in (("a", [], [0, 1, 3]), ("b", ["a"], [0, 1, 2]),
                                  ("c", ["b", "a"], [0, 1, 2]), ("d", [], [0, 3])):
            with self.subTest(guest=name):
                guest = SimpleNamespace(name=name, bases=bases)
                found = Expectations(rows, rows).of(guest)
                self.assertEqual(found.skips, [rows[index] for index in mine])
                self.assertEqual(found.log, found.skips)

    def test_missed_skip_is_noted(self):
        """An expected skip that did not occur is worth a note, not a failure."""
        results, notes = judged(GOOD.replace("ok 2 # SKIP no DMA engine", "ok 2 dma"))
        self.assertEqual(complaints(results), "")
        self.assertEqual(len(notes), 1)


class Time(unittest.TestCase):
    """Twice the budget is too much, unless the machine was busy."""

    GUEST = SimpleNamespace(budget={"kunit": 10, "selftests": 10})

    def outcomes(self, seconds, load):
        """Of a guest with one suite."""
        return [r.outcome for r in judge.judge_time(self.GUEST, {"kunit": seconds}, load)]

    def test_budget(self):
        """A suite that did not run is not judged."""
        self.assertEqual(self.outcomes(20, 1), [judge.PASSED])
        self.assertEqual(self.outcomes(20.1, 1), [judge.FAILED])
        self.assertEqual(self.outcomes(20.1, 9), [judge.SKIPPED])


if __name__ == "__main__":
    unittest.main()
