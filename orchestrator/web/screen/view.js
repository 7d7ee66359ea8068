// What every view is written with: preact, its hooks, and htm in place of a compiler.

import htm from "./htm.mjs";
import { createContext, h } from "./preact.mjs";

export { render } from "./preact.mjs";
export { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./preact-hooks.mjs";

export const html = htm.bind(h);

// What every view may need: who is logged in, the service, the feed, and what can be said and done. `screen.js` provides it.
export const Screen = createContext(undefined);
