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
	# Before version 11 gcc missed that a structure in a compound literal is initialized by names.
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if !defined __GNUC__ || defined __clang__ || __GNUC__ >= 11
#error
#endif
typedef int older;]])], [WARN_CFLAGS="$WARN_CFLAGS -Wno-missing-field-initializers"])
	# Where it looks from one file into another it takes what a caller never passes for possible.
	AS_CASE([" $CFLAGS "], [*" -flto"*], [OC_ADD_FLAG([WARN_CFLAGS], [-Wno-null-dereference])])
])

# OC_FORTIFY: the highest level that compiler, C library and CFLAGS take without a warning; none without optimisation.
AC_DEFUN([OC_FORTIFY], [
	AC_CACHE_CHECK([for the level of _FORTIFY_SOURCE], [oc_cv_fortify], [
		oc_cv_fortify=none
		oc_save_CFLAGS=$CFLAGS
		for oc_level in 2 3; do
			CFLAGS="$oc_save_CFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$oc_level"
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]])], [oc_cv_fortify=$oc_level])
		done
		CFLAGS=$oc_save_CFLAGS
	])
	AS_IF([test "x$oc_cv_fortify" != xnone],
		[HARDEN_CFLAGS="$HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$oc_cv_fortify"])
])

# Hardening is the default; what a compiler does not know is left out.
AC_DEFUN([OC_HARDENING], [
	HARDEN_CFLAGS=
	HARDEN_LDFLAGS=
	m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
		-mbranch-protection=standard -ftrivial-auto-var-init=zero -fno-strict-overflow],
		[OC_ADD_FLAG([HARDEN_CFLAGS], flag)])
	AS_IF([test "x$SAN_CFLAGS" = x], [OC_FORTIFY])
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

# OC_REQUIRE(PREFIX, MODULE, DEBIAN, FEDORA): like PKG_CHECK_MODULES, and names the package to install.
AC_DEFUN([OC_REQUIRE], [
	PKG_CHECK_MODULES([$1], [$2], [],
		[AC_MSG_ERROR([$2 was not found: install $3 (Debian, Ubuntu) or $4 (Fedora, openSUSE).
$][$1_PKG_ERRORS
If it is somewhere else, tell PKG_CONFIG_PATH, or set $1_CFLAGS and $1_LIBS.])])
])

# OC_OPTIONAL(PREFIX, MODULE, DEBIAN, FEDORA, NAME, PURPOSE): --with-NAME asks for it, --without-NAME does without it; neither
# takes it where it is there. Sets have_NAME and HAVE_PREFIX.
AC_DEFUN([OC_OPTIONAL], [
	AC_ARG_WITH([$5], [AS_HELP_STRING([--with-$5], [$6 (default: if it is there)])], [], [with_$5=check])
	have_$5=no
	AS_CASE([$with_$5],
		[no], [],
		[yes], [OC_REQUIRE([$1], [$2], [$3], [$4])
			have_$5=yes],
		[PKG_CHECK_MODULES([$1], [$2], [have_$5=yes], [have_$5=no])])
	AM_CONDITIONAL([HAVE_$1], [test "x$have_$5" = xyes])
])

# What generates sources runs on the machine that builds, whatever machine it builds for.
AC_DEFUN([OC_CC_FOR_BUILD], [
	AC_ARG_VAR([CC_FOR_BUILD], [C compiler for programs that run while building (cross-compiling only)])
	AC_ARG_VAR([CFLAGS_FOR_BUILD], [its flags])
	AM_CONDITIONAL([CROSS_COMPILING], [test "x$cross_compiling" = xyes])
	AS_IF([test "x$cross_compiling" = xyes && test "x$CC_FOR_BUILD" = x], [
		AC_PATH_PROGS([CC_FOR_BUILD], [gcc clang cc])
		AS_IF([test "x$CC_FOR_BUILD" = x],
			[AC_MSG_ERROR([no C compiler for this machine was found; the generator of the tables needs one. Set CC_FOR_BUILD.])])
	])
])
