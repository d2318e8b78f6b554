# SPDX-License-Identifier: GPL-2.0
#
# See "make help". CC=clang, LLVM=1 and the like reach the kernel's own build
# and the tools. Nothing is generated outside build/, the module excepted.

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
PREFIX	?= /usr/local
BUILD	:= $(CURDIR)/build
RUN	:= tests/qemu/run

# Those that take longest come first
CHECK	:= stock61 uml lint fuzz harness
BENCH	:= bench61 bench-sim61 bench-ioat
LONGER	:= debug61 uml-fail stock61-long ioat sim61-strict uml-sim rt61 zdma bcm2835 sim61-rate \
	   sim61-choice zdma-swiotlb stock612 stock72 uml-fuzz stock61-clang cloud61 bench61
# Not in check-all: for their time, or not seen to pass since what they run has changed
MORE	:= uml-mix sim61 sim61-mix sim61-long sim61-fail ioat-long pl330-fail ioat-intel-iommu \
	   ioat-amd-iommu bench-sim61 bench-ioat pl330 kcsan61 kcsan61-race debug72 debug61-long

# Of the compiler only what was asked for: the kernel's headers know their own.
ifeq ($(origin CC),command line)
TOOLCC	:= CC=$(CC)
else ifneq ($(LLVM),)
TOOLCC	:= CC=clang
endif

# A kernel configured for gcc asks for options that clang does not have; some
# tests of its for what clang has fail because of arguments clang does not use.
ifneq ($(filter clang%,$(notdir $(CC)))$(LLVM),)
ifneq ($(shell grep -s CONFIG_CC_IS_GCC=y $(KDIR)/.config),)
KBUILD_CLANG := 'CC=$(if $(filter clang%,$(notdir $(CC))),$(CC),clang) -Qunused-arguments' \
	CONFIG_CC_IS_GCC= CONFIG_GCC_VERSION=0 CONFIG_CC_IS_CLANG=y \
	CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough CONFIG_RETHUNK= CONFIG_SLS= \
	CONFIG_FUNCTION_TRACER= CONFIG_CC_HAS_AUTO_VAR_INIT_ZERO_ENABLER=y
endif
endif

all: modules tools

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(KBUILD_CLANG) $@

tools:
	$(MAKE) -C tools/dmo-ctl O=$(BUILD)/tools $(TOOLCC)

install: tools
	install -D -m 644 include/uapi/linux/dmoverio.h \
		$(DESTDIR)$(PREFIX)/include/linux/dmoverio.h
	install -D -m 644 include/dev/dmover/dmover_io.h \
		$(DESTDIR)$(PREFIX)/include/dev/dmover/dmover_io.h
	install -D -m 755 $(BUILD)/tools/dmo-ctl $(DESTDIR)$(PREFIX)/sbin/dmo-ctl
	install -D -m 644 tools/man/dmoverio.4 $(DESTDIR)$(PREFIX)/share/man/man4/dmoverio.4
	install -D -m 644 tools/man/dmo-ctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/dmo-ctl.8
	install -D -m 644 etc/60-dmoverio.rules \
		$(DESTDIR)/usr/lib/udev/rules.d/60-dmoverio.rules
	install -D -m 644 etc/dmoverio.sysusers.conf \
		$(DESTDIR)/usr/lib/sysusers.d/dmoverio.conf

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/linux/dmoverio.h \
		$(DESTDIR)$(PREFIX)/include/dev/dmover/dmover_io.h \
		$(DESTDIR)$(PREFIX)/sbin/dmo-ctl \
		$(DESTDIR)$(PREFIX)/share/man/man4/dmoverio.4 \
		$(DESTDIR)$(PREFIX)/share/man/man8/dmo-ctl.8 \
		$(DESTDIR)/usr/lib/udev/rules.d/60-dmoverio.rules \
		$(DESTDIR)/usr/lib/sysusers.d/dmoverio.conf
	@echo 'The modules, if they were installed: make modules_uninstall, for each kernel (KVER=...)'

# Where modules_install puts them differs from kernel to kernel.
modules_uninstall:
	find $(INSTALL_MOD_PATH)/lib/modules/$(KVER) -type f \
		\( -name 'dmoverio.ko*' -o -name 'dmover-sim.ko*' \) -print -delete
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KVER)

demo:
	scripts/deps demo
	scripts/demo

deps:
	scripts/deps check

check: deps
	$(RUN) $(CHECK)

check-all: deps
	$(RUN) $(CHECK) $(LONGER)

# What check-all does beyond check
check-longer: deps
	$(RUN) $(LONGER)

check-more: deps
	$(RUN) $(MORE)

# Lines of the module that the tests execute, and whether these are enough
coverage:
	scripts/deps coverage
	$(RUN) coverage

# Everything, by hand: hours
check-long:
	scripts/deps coverage
	$(RUN) $(CHECK) $(LONGER) $(MORE) coverage mutants

# Whether the tests find defects that are planted
mutants: deps
	$(RUN) mutants

lint: deps
	$(RUN) lint

# Not what check does, which is to replay what was found
fuzz: deps
	$(MAKE) -C tests/fuzz O=$(BUILD)/fuzz $@

uml: deps
	$(RUN) uml

bench: deps
	$(RUN) $(BENCH)
	@for guest in $(BENCH); do \
		echo; echo "$$guest:"; grep -h '^#' $(BUILD)/$$guest/results/bench/*; \
	done

clean:
	[ ! -e $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) DMIO_KUNIT=1 clean
	rm -rf $(BUILD)

help:
	@echo 'all              the module for the running kernel (KDIR=...) and the tools'
	@echo 'modules, tools   one of them'
	@echo 'modules_install  install the modules (as root); modules_uninstall'
	@echo 'install          headers, dmo-ctl, manual pages below PREFIX=$(PREFIX), DESTDIR=; uninstall'
	@echo 'demo             a copy through /dev/dmoverio in a virtual machine, in a minute'
	@echo 'uml              the loop of seconds: in-kernel tests and selftests under UML'
	@echo 'lint             static checks'
	@echo 'fuzz             look for inputs that break pure code, FUZZ_SECONDS=60 for each part of it'
	@echo 'check            lint and tests, on User Mode Linux and on the stock kernel'
	@echo 'check-all        check, longer variants, later kernels, PREEMPT_RT, clang, DMA controllers, arm64, bench'
	@echo 'check-longer     what check-all does beyond check'
	@echo 'check-more       what is in neither yet: $(MORE)'
	@echo 'check-long       check-all, check-more, coverage, mutants: hours'
	@echo 'bench            what requests cost, also against dmatest: instructions and times'
	@echo 'coverage         do tests execute 95 % of the module? build/coverage/missed has the other lines'
	@echo 'mutants          plant defects, one at a time, that the tests must find: hours'
	@echo 'clean            remove all that was generated'
	@echo
	@echo 'scripts/guest gives a shell in a guest with the module loaded.'
	@echo 'Kernels are kept in $${DMOVERIO_CACHE:-~/.cache/dmoverio}; remove it at will.'

.PHONY: all modules modules_install modules_uninstall tools install uninstall demo deps check check-all \
	check-longer check-more check-long coverage mutants lint fuzz uml bench clean help
