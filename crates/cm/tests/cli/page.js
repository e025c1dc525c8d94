// Runs the script of a page, as far as that goes without a browser: everything that a browser has is
// something that can be asked for anything.
"use strict";
const page = require("fs").readFileSync(process.argv[2], "utf8");
const script = page.match(/<script>\n"use strict";([^]*)<\/script>/)[1];
const known = { width: 10, innerWidth: 1600, innerHeight: 1000, devicePixelRatio: 1 };
const number = () => 0, nothing = () => [].values();
const anything = new Proxy(() => {}, {
  get: (_, name) => name === Symbol.toPrimitive ? number : name === Symbol.iterator ? nothing : known[name] ?? anything,
  set: () => true,
  apply: () => anything,
});
const names = ["document", "getComputedStyle", "innerWidth", "innerHeight", "devicePixelRatio"];
new Function(...names, `"use strict"; var onresize, onmouseup;${script}`)(...names.map(name => anything[name]));
