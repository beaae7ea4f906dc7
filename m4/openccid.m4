# SPDX-License-Identifier: LGPL-2.1-or-later

# OC_ADD_FLAG(VARIABLE, FLAG, [LINK]): append FLAG to VARIABLE if the compiler (or, with LINK, the linker) takes it.
AC_DEFUN([OC_ADD_FLAG], [
	AS_VAR_PUSHDEF([cache], [oc_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		oc_save_CFLAGS=$CFLAGS
		oc_save_LDFLAGS=$LDFLAGS
		CFLAGS="$CFLAGS -Werror m4_if([$3], [], [$2])"
		m4_if([$3], [], [], [LDFLAGS="$LDFLAGS $2"])
		m4_if([$3], [],
			[AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])],
			[AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])])
		CFLAGS=$oc_save_CFLAGS
		LDFLAGS=$oc_save_LDFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

AC_DEFUN([OC_WARNINGS], [
	WARN_CFLAGS="-std=c11"
	m4_foreach_w([flag], [-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wswitch-enum -Wcast-align
		-Wcast-qual -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
		-Wmissing-declarations -Wredundant-decls -Wnested-externs -Wundef -Wvla -Wformat=2 -Wnull-dereference
		-Wdouble-promotion -Wlogical-op -Wduplicated-cond -Wjump-misses-init -Wframe-larger-than=8192
		-Wimplicit-fallthrough],
		[OC_ADD_FLAG([WARN_CFLAGS], flag)])
])

# Hardening is the default; what a compiler does not know is left out.
AC_DEFUN([OC_HARDENING], [
	HARDEN_CFLAGS=
	HARDEN_LDFLAGS=
	m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
		-ftrivial-auto-var-init=zero -fno-strict-overflow], [OC_ADD_FLAG([HARDEN_CFLAGS], flag)])
	AS_IF([test "x$SAN_CFLAGS" = x], [HARDEN_CFLAGS="$HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
	OC_ADD_FLAG([HARDEN_LDFLAGS], [[-Wl,-z,relro]], [link])
	OC_ADD_FLAG([HARDEN_LDFLAGS], [[-Wl,-z,now]], [link])
	OC_ADD_FLAG([HARDEN_LDFLAGS], [[-Wl,-z,noexecstack]], [link])
	OC_ADD_FLAG([HARDEN_LDFLAGS], [[-Wl,--as-needed]], [link])
])

# Threads are in libc itself since glibc 2.34 and in musl; older ones need the switch.
AC_DEFUN([AX_OC_PTHREAD], [
	PTHREAD_CFLAGS=-pthread
	AC_SUBST([PTHREAD_CFLAGS])
])
