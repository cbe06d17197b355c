// Everything here is a convenience: each page works without it.
// First, for a key after "g" is meant for it alone.
import "./shortcuts.js";
import "./palette.js";
import "./keys.js";
import "./toast.js";
import "./copy.js";
import "./drop.js";
import "./drawer.js";
import "./select_all.js";
import "./pairs.js";
import "./fetching.js";

document.documentElement.classList.add("scripted");
