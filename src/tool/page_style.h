/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The style of the page that "openccid decode --html" writes: three lanes, wide and narrow, light and dark. No pictures, no script. */
#ifndef OPENCCID_TOOL_PAGE_STYLE_H
#define OPENCCID_TOOL_PAGE_STYLE_H

#include <stddef.h>

static const char *const page_style[] __attribute__((unused)) = {
	":root{color-scheme:light "
	"dark;--paper:#fff;--ink:#1b1b1f;--faint:#5d5d68;--line:#c9c9d3;--wash:#f2f2f6;",
	"--bad:#b3261e;--badwash:#fdecea;--odd:#7a5300;--oddwash:#fdf3dc;--good:#1c6b32;--out:#1a56b0;--in:#"
	"5f3a9e}",
	"@media(prefers-color-scheme:dark){:root{--paper:#131316;--ink:#e7e7ec;--faint:#a3a3b0;--line:#"
	"45454f;",
	"--wash:#1f1f25;--bad:#ff8a80;--badwash:#3a1614;--odd:#f3c969;--oddwash:#33280e;--good:#84d79a;--out:"
	"#8ab4ff;--in:#c7a8ff}}",
	"*{box-sizing:border-box}",
	"body{margin:0 auto;max-width:70rem;padding:0 1rem 4rem;background:var(--paper);color:var(--ink);",
	"font:16px/1.45 system-ui,sans-serif}",
	"h1{font-size:1.3rem;margin:1rem 0 0}h2{font-size:1.05rem;margin:0 0 .3rem}header "
	"p,.small{color:var(--faint);margin:.1rem 0 .8rem}",
	"p{margin:.3rem 0}a{color:inherit}",
	".cause{border-left:.4rem solid var(--good);background:var(--wash);padding:.7rem 1rem;margin:.6rem "
	"0;border-radius:.3rem}",
	".cause.bad{border-color:var(--bad);background:var(--badwash)}.cause.bad h2{color:var(--bad)}",
	".cause.odd{border-color:var(--odd);background:var(--oddwash)}.cause.odd h2{color:var(--odd)}",
	"dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(7rem,1fr));gap:.5rem;margin:.6rem 0 "
	"1rem}",
	"dl div{background:var(--wash);padding:.4rem "
	".7rem;border-radius:.3rem}dt{color:var(--faint);font-size:.8rem}dd{margin:0}",
	".heads{position:sticky;top:0;background:var(--paper);z-index:1;border-bottom:1px solid "
	"var(--line);font-size:.8rem}",
	"ol{list-style:none;margin:0;padding:0}",
	".row,.heads{display:grid;grid-template-columns:7.5rem 12rem 1fr;gap:0 "
	".8rem;align-items:center}",
	".row{content-visibility:auto;contain-intrinsic-size:auto 2.6rem}",
	".when{color:var(--faint);font:.75rem/1.2 ui-monospace,monospace;text-align:right}",
	".names{display:flex;justify-content:space-between}.names span{width:3.2rem;text-align:center}",
	/* the lanes: three lines from top to bottom, and an arrow from one to another */
	".lanes{align-self:stretch;min-height:1.6rem;position:relative;background:",
	"linear-gradient(var(--line),var(--line)) 1.6rem 0/1px 100% no-repeat,",
	"linear-gradient(var(--line),var(--line)) 50% 0/1px 100% no-repeat,",
	"linear-gradient(var(--line),var(--line)) calc(100% - 1.6rem) 0/1px 100% no-repeat}",
	".lanes i{position:absolute;top:50%;left:1.6rem;right:50%;height:2px;background:var(--c)}",
	".lanes i.card{right:1.6rem}",
	".lanes i::after{content:'';position:absolute;top:-4px;border:5px solid transparent}",
	".out .lanes{--c:var(--out)}.in .lanes,.int .lanes{--c:var(--in)}.bad .lanes{--c:var(--bad)}",
	".out .lanes i::after{right:-1px;border-left-color:var(--c);border-right-width:0}",
	".in .lanes i::after,.int .lanes i::after{left:-1px;border-right-color:var(--c);border-left-width:0}",
	".int .lanes i,.fail .lanes i{background:repeating-linear-gradient(90deg,var(--c) 0 4px,transparent "
	"4px 8px)}",
	".wait .lanes{background-color:var(--wash)}.wait "
	"b{font-weight:400;color:var(--faint);font-size:.8rem}",
	".what b{font-weight:600}.what{overflow-wrap:anywhere;padding:.2rem 0}",
	".bad .what b,.bad .why{color:var(--bad)}.odd .what b,.odd .why{color:var(--odd)}",
	".bad.row,.bad>.row{background:var(--badwash)}.tag{border:1px solid;border-radius:.6rem;padding:0 "
	".4rem;font-size:.75rem}",
	"code{font:.8rem/1.3 ui-monospace,monospace;color:var(--faint);display:block;overflow-wrap:anywhere}",
	"details{border:1px solid var(--line);border-radius:.3rem;margin:.25rem 0}",
	".took{position:absolute;left:0;bottom:0;height:3px;max-width:100%;background:var(--in)}.bad "
	".took{background:var(--bad)}",
	"summary{position:relative;cursor:pointer;padding:.3rem "
	".6rem;overflow-wrap:anywhere}summary:focus-visible,a:focus-visible{outline:3px solid var(--out)}",
	"details.good>summary::marker{color:var(--good)}details.odd>summary{color:var(--odd)}details.bad>"
	"summary{color:var(--bad)}",
	"details .row{padding-left:.3rem}:target{outline:2px solid var(--bad);outline-offset:-2px}",
	".vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}",
	"@media(max-width:40rem){body{padding:0 .6rem 3rem;font-size:15px}",
	".row,.heads{grid-template-columns:6.5rem 1fr;gap:0 .5rem}.what{grid-column:1/3;padding-left:.4rem}",
	".heads .what{display:none}.names span{width:3.2rem}.lanes{min-height:1.2rem}}",
	"@media print{.heads{position:static}.row{content-visibility:visible}}",
	NULL,
};

#endif
