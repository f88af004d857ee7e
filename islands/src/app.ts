/** What every page runs: htmx, menus, theme, drawer, dialogs, toasts; charts and editors are fetched where a page has one. */
import "./look/look.css";
import "bootstrap/js/dist/dropdown";
import "bootstrap/js/dist/collapse";
import "bootstrap/js/dist/tab";
import htmx from "htmx.org";

import { watchCopyButtons } from "./copy";
import { watchDialogs } from "./dialogs";
import { watchDrawer } from "./drawer";
import { guessTimeZones, watchDropzones, watchForms } from "./forms";
import { watchTheme } from "./theme";
import { toast, watchToasts } from "./toasts";

// No inline script ever: the page's policy forbids it, so htmx must not need it.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.scrollIntoViewOnBoost = false;
Object.assign(window, { htmx });

watchTheme();
watchDrawer();
watchDialogs();
watchToasts();
watchForms();
watchDropzones();
guessTimeZones();
watchCopyButtons();
watchRequests();
document.addEventListener("click", (event) => {
  if ((event.target as Element).closest("[data-back]")) history.back();
});

htmx.onLoad((element) => {
  const root = element as HTMLElement;
  if (has(root, "[data-chart]")) void import("./charts").then((charts) => charts.drawAll(root));
  if (has(root, "[data-editor]")) void import("./code").then((code) => code.openAll(root));
});

function has(root: HTMLElement, selector: string): boolean {
  return root.matches(selector) || root.querySelector(selector) !== null;
}

/** A thin line while a request is under way (not for polls), and a plain word when one fails. */
function watchRequests(): void {
  const root = document.documentElement;
  const polls = (event: Event) => (event.target as HTMLElement).closest("[data-poll]") !== null;
  document.addEventListener("htmx:beforeRequest", (event) => root.classList.toggle("is-loading", !polls(event)));
  document.addEventListener("htmx:afterRequest", () => root.classList.remove("is-loading"));
  document.addEventListener("htmx:sendError", (event) => {
    if (!polls(event)) toast("Standfast could not be reached. Your work on this page is still here; try again.", "red");
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (!polls(event)) toast("That did not work. Nothing was changed; reload the page and try again.", "red");
  });
  const bar = document.querySelector(".sf-topbar");
  const mark = () => bar?.classList.toggle("is-scrolled", window.scrollY > 4);
  window.addEventListener("scroll", mark, { passive: true });
  mark();
}
