# Five functions that the crate nix names by their version in the shared C library. A static binary has them without one.
# Nobody calls them, so they are dropped; but an instrumented binary refers to every function it has.
	.macro unversioned name
	.globl "\name\()@GLIBC_2.2.5"
"\name\()@GLIBC_2.2.5":
	jmp \name
	.endm
	unversioned cfgetispeed
	unversioned cfgetospeed
	unversioned cfsetispeed
	unversioned cfsetospeed
	unversioned cfsetspeed
	.section .note.GNU-stack, "", @progbits
