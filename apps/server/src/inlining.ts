import { setFlagsFromString } from "node:v8";

// What a publication goes through is many small functions, more than V8 puts into one when it compiles them: by itself
// it stops at 460 bytes of bytecode for a function and 920 for all. Where more is inlined, objects that only carry
// something from one to the next are not made at all: 1 % of small channels and of echo.
setFlagsFromString("--max-inlined-bytecode-size=1000");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");
