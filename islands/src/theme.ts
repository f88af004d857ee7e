/** Light, dark, or as the machine has it. The first paint is set by the small script in the page's head. */
export type Choice = "auto" | "light" | "dark";
const KEY = "standfast-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function watchTheme(): void {
  dark.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-theme-set]");
    if (!button) return;
    remember(button.dataset.themeSet as Choice);
    apply();
  });
  apply();
}

export function choice(): Choice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

function remember(value: Choice): void {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // then it lasts until the next page
  }
}

function apply(): void {
  const now = choice();
  const theme = now === "auto" ? (dark.matches ? "dark" : "light") : now;
  const root = document.documentElement;
  root.dataset.bsTheme = theme;
  root.dataset.themeChoice = now;
  for (const item of document.querySelectorAll<HTMLElement>("[data-theme-set]")) {
    item.setAttribute("aria-pressed", String(item.dataset.themeSet === now));
  }
  document.dispatchEvent(new CustomEvent("sf:theme", { detail: theme }));
}
